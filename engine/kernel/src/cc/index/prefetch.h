// What is read a little later, at many places at once.
#pragma once

namespace elanus {

// Asks for the cache line at `bytes`, into the second-level cache: the first level keeps few wishes open at a time, and who
// has more waits until one is fulfilled (docs/decisions/0084).
inline void prefetch_line(const void* bytes) { __builtin_prefetch(bytes, 0, 2); }

}  // namespace elanus
