// Threads that leave the processors to searches.
#pragma once

namespace elanus::binding {

// From now on the calling thread, and those that it starts, run where nobody else wants to: whoever wakes up takes the
// processor from them at once. Does what the system allows.
void run_in_background();

}  // namespace elanus::binding
