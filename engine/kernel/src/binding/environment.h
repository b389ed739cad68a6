// Work of one JavaScript thread that runs on other threads.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <unordered_set>

#include "elanus/index.h"
#include "elanus/kernel.h"
#include "values.h"

namespace elanus::binding {

class Environment;

// Something under way that can be asked to end soon.
class Running {
 public:
  virtual ~Running() = default;
  virtual void cancel() = 0;
  // 0 to 1.
  virtual double done() const { return 0; }
  // JavaScript is about to hear of the end: what came of it is JavaScript's now.
  virtual void deliver(Environment&) {}
};

// One piece of work, from its start until JavaScript has heard of its end.
struct Ticket {
  Environment* environment;
  double id;
  std::unique_ptr<Running> running;
  ElanusStatus status = ELANUS_OK;
  Ticket* next = nullptr;
};

// What belongs to one JavaScript thread that has loaded the library. Leaves only when its work has ended, because
// that reads and writes memory of the thread's heap.
class Environment {
 public:
  static Environment* of(napi_env env);

  // `settle` is told of the end of each piece of work.
  bool open(napi_env env, napi_value settle);

  // Begins work: `begin(ticket, &running)` returns a status, and when that is OK `ended(ticket, status)` is called
  // once, on any thread.
  template <class Begin>
  ElanusStatus start(double id, const Begin& begin) {
    auto ticket = std::make_unique<Ticket>(Ticket{this, id, nullptr});
    tickets_.emplace(id, ticket.get());
    count_started();
    const ElanusStatus status = begin(ticket.get(), &ticket->running);
    if (status != ELANUS_OK) {
      tickets_.erase(id);
      forget_started();
      return status;
    }
    if (tickets_.size() == 1) napi_ref_threadsafe_function(env_, wake_);
    ticket.release();  // `deliver` deletes it
    return ELANUS_OK;
  }
  static void ended(void* ticket, ElanusStatus status);

  void cancel(double id);
  double done(double id) const;

  // Indexes that JavaScript holds; those that it has not released leave with it.
  void hold(ElanusIndex* index) { indexes_.insert(index); }
  void release(ElanusIndex* index);

 private:
  void count_started();
  void forget_started();
  void end(Ticket* ticket);
  Ticket* take_ended();
  void forget(Ticket* ticket);
  void deliver();
  void close();

  napi_env env_ = nullptr;
  napi_ref settle_ = nullptr;
  napi_threadsafe_function wake_ = nullptr;
  std::unordered_map<double, Ticket*> tickets_;
  std::unordered_set<ElanusIndex*> indexes_;

  std::mutex mutex_;  // guards what follows
  std::condition_variable all_ended_;
  Ticket* ended_ = nullptr;
  size_t running_ = 0;
};

}  // namespace elanus::binding
