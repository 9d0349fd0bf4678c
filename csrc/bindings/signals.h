// Ctrl-C while a program runs. Python's handlers may do anything, so one runs only when the run has ended and let go of
// its locks.
#pragma once

namespace hornbeam {

// Whether Ctrl-C was pressed, and this is the thread that has to handle it. What is true once has to be followed by
// handle_ctrl_c. With or without the GIL.
bool ctrl_c_waits();

// Calls Python's handler. Throws what it raises. With the GIL.
void handle_ctrl_c();

}  // namespace hornbeam
