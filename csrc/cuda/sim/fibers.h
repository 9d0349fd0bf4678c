#pragma once

namespace hornbeam::sim {

// Which memory of a running block ends at this address that nobody can touch; null if none does.
const char* guard_of_block(const void* p);

}  // namespace hornbeam::sim
