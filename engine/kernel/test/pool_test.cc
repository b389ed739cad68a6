// The threads of a pool and the jobs they share: each job ends, however a cancellation falls.
#include "../src/cc/pool.h"

#include <chrono>
#include <future>

#include "../src/cc/build_at_work.h"
#include "check.h"

using namespace elanus;

namespace {

// Far above what a thread needs to wake up, even under a sanitizer.
constexpr std::chrono::seconds kSoon{60};

// Is cancelled right after a thread's turn with it was over: by the next who asks whether it is exhausted.
class CancelledBetweenTurns : public PoolJob {
 public:
  void work(ThreadMemory&, const Turn&) noexcept override {
    if (is_cancelled_)
      ended_.set_value();
    else
      had_a_turn_ = true;
  }
  bool is_exhausted() const override {
    if (had_a_turn_) is_cancelled_ = true;
    return is_cancelled_;
  }
  size_t slice_count() const override { return 2; }
  bool is_short() const override { return true; }
  void cancel() override {}

  std::future<void> end() { return ended_.get_future(); }

 private:
  // One thread has the job to itself.
  bool had_a_turn_ = false;
  mutable bool is_cancelled_ = false;
  std::promise<void> ended_;
};

// While something is built a short job is one thread's alone, and no other comes to see how it ends.
void check_cancellation_between_turns() {
  const BuildAtWork at_work;
  const auto job = std::make_shared<CancelledBetweenTurns>();
  std::future<void> end = job->end();
  CHECK(elanus_pool_get(2)->submit(job) == ELANUS_OK);
  CHECK(end.wait_for(kSoon) == std::future_status::ready);
}

}  // namespace

int main() {
  check_cancellation_between_turns();
  std::printf("pool_test: ok\n");
}
