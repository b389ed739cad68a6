// What a search did, for those who want to know why it took as long as it took.
#pragma once

#include <cstdint>

namespace elanus {

// Layouts add to it at the end of a walk or a scan, never row by row.
struct SearchEffort {
  uint64_t visited = 0;    // rows that a walk has stood on, or that a scan went through
  uint64_t distances = 0;  // comparisons with codes and with vectors
  uint64_t bytes = 0;      // of them, and of links
  uint64_t scans = 0;      // 1 when the rows were gone through, not walked

  void compare(uint64_t rows, uint64_t row_bytes) {
    distances += rows;
    bytes += rows * row_bytes;
  }
  void walk(uint64_t steps, uint64_t step_bytes) {
    visited += steps;
    bytes += steps * step_bytes;
  }
  void scan(uint64_t rows) {
    visited += rows;
    scans = 1;
  }
};

}  // namespace elanus
