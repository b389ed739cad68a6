// What the C++ tests share.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <string>

// Which of many cases is being looked at, for the message of one that fails.
inline std::string checked_case;

// Unlike `assert` in every build.
#define CHECK(condition)                                                                 \
  do {                                                                                   \
    if (!(condition)) {                                                                  \
      std::fprintf(stderr, "%s:%d: %s does not hold. %s\n", __FILE__, __LINE__, #condition, \
                   checked_case.c_str());                                                \
      std::abort();                                                                      \
    }                                                                                    \
  } while (false)
