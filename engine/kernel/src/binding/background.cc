#include "background.h"

#if defined(__linux__)
#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdint>
#endif

namespace elanus::binding {

#if defined(__linux__)

namespace {

// A tenth of the usual share of a busy processor. SCHED_IDLE would leave nothing of it: searches would then wait for
// locks whose holders never come to run.
constexpr int kNice = 10;
// Who asks for longer turns is interrupted by whoever asks for shorter ones, which is every usual thread; the longest
// that the system grants. Kernels before 6.12 do not know of it.
constexpr uint64_t kSliceNanoseconds = 100'000'000;

// As the system has it: its C library has no name for it everywhere.
struct SchedulingAttributes {
  uint32_t size;
  uint32_t policy;
  uint64_t flags;
  int32_t nice;
  uint32_t priority;
  uint64_t runtime;
  uint64_t deadline;
  uint64_t period;
};

}  // namespace

void run_in_background() {
  const auto thread = static_cast<pid_t>(syscall(SYS_gettid));
#if defined(SYS_sched_setattr)
  SchedulingAttributes attributes{};
  attributes.size = sizeof attributes;
  attributes.policy = SCHED_BATCH;
  attributes.nice = kNice;
  attributes.runtime = kSliceNanoseconds;
  if (syscall(SYS_sched_setattr, thread, &attributes, 0) == 0) return;
#endif
  // On Linux, and only there, a priority belongs to a thread.
  setpriority(PRIO_PROCESS, static_cast<id_t>(thread), kNice);
}

#else

void run_in_background() {}

#endif

}  // namespace elanus::binding
