// Requests as words: numbers and addresses in an order that both sides know.
#pragma once

#include <cstdint>
#include <memory>

#include "elanus/kernel.h"
#include "environment.h"
#include "values.h"

namespace elanus::binding {

class Words {
 public:
  explicit Words(const double* at) : at_(at) {}
  Words(const Arguments& arguments, size_t i)
      : at_(reinterpret_cast<const double*>(view_of(arguments.env, arguments.values[i]).data)) {}

  double number() { return *at_++; }
  template <class T>
  T integer() {
    return static_cast<T>(*at_++);
  }
  template <class T>
  T* pointer() {
    return reinterpret_cast<T*>(integer<uintptr_t>());
  }

 private:
  const double* at_;
};

// A search on a pool.
class RunningSearch : public Running {
 public:
  explicit RunningSearch(ElanusJob* job) : job_(job) {}
  ~RunningSearch() override { elanus_job_release(job_); }
  void cancel() override { elanus_job_cancel(job_); }

 private:
  ElanusJob* job_;
};

// Starts a search: `begin(done, context, &job)` submits it.
template <class Begin>
ElanusStatus start_search(Environment& environment, double id, const Begin& begin) {
  return environment.start(id, [&](Ticket* ticket, std::unique_ptr<Running>* running) {
    ElanusJob* job = nullptr;
    const ElanusStatus status = begin(&Environment::ended, ticket, &job);
    if (status == ELANUS_OK) *running = std::make_unique<RunningSearch>(job);
    return status;
  });
}

}  // namespace elanus::binding
