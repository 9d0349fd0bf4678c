#pragma once

namespace hornbeam::sim {

// From now on a fault in the device's memory says what was touched and by whom. All other faults go to the handler that
// was there before.
void watch_for_faults();

}  // namespace hornbeam::sim
