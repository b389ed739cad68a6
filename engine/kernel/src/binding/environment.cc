#include "environment.h"

#include <system_error>
#include <thread>
#include <utility>

namespace elanus::binding {
namespace {

constexpr size_t kReleasedElsewhereBytes = size_t{8} << 20;

}  // namespace

Environment* Environment::of(napi_env env) {
  void* data = nullptr;
  napi_get_instance_data(env, &data);
  return static_cast<Environment*>(data);
}

bool Environment::open(napi_env env, napi_value settle) {
  env_ = env;
  if (napi_create_reference(env, settle, 1, &settle_) != napi_ok) return false;
  napi_value name = nullptr;
  napi_create_string_utf8(env, "elanus.kernel", NAPI_AUTO_LENGTH, &name);
  const auto deliver = [](napi_env env, napi_value, void* context, void*) {
    if (env != nullptr) static_cast<Environment*>(context)->deliver();
  };
  if (napi_create_threadsafe_function(env, nullptr, nullptr, name, 0, 1, nullptr, nullptr, this, deliver, &wake_) !=
      napi_ok)
    return false;
  // An idle kernel keeps no process alive.
  napi_unref_threadsafe_function(env, wake_);
  napi_add_env_cleanup_hook(env, [](void* self) { static_cast<Environment*>(self)->close(); }, this);
  return true;
}

void Environment::count_started() {
  const std::lock_guard lock(mutex_);
  ++running_;
}

void Environment::forget_started() {
  const std::lock_guard lock(mutex_);
  --running_;
}

void Environment::ended(void* context, ElanusStatus status) {
  auto* const ticket = static_cast<Ticket*>(context);
  ticket->status = status;
  ticket->environment->end(ticket);
}

// On any thread.
void Environment::end(Ticket* ticket) {
  const std::lock_guard lock(mutex_);
  const bool wake = ended_ == nullptr;
  ticket->next = ended_;
  ended_ = ticket;
  --running_;
  if (wake) napi_call_threadsafe_function(wake_, nullptr, napi_tsfn_nonblocking);
  all_ended_.notify_one();
}

void Environment::cancel(double id) {
  const auto found = tickets_.find(id);
  if (found != tickets_.end()) found->second->running->cancel();
}

double Environment::done(double id) const {
  const auto found = tickets_.find(id);
  return found == tickets_.end() ? 1 : found->second->running->done();
}

void Environment::release(ElanusIndex* index) {
  if (indexes_.erase(index) == 0) return;
  if (elanus_index_info(index).memory_bytes >= kReleasedElsewhereBytes) {
    try {
      // Giving a hundred megabytes back takes the system ten milliseconds, which the JavaScript thread has not.
      std::thread([index] { elanus_index_release(index); }).detach();
      return;
    } catch (const std::system_error&) {
      // Then here.
    }
  }
  elanus_index_release(index);
}

// Takes what has ended, in the order in which it ended.
Ticket* Environment::take_ended() {
  Ticket* newest_first = nullptr;
  {
    const std::lock_guard lock(mutex_);
    std::swap(newest_first, ended_);
  }
  Ticket* oldest_first = nullptr;
  while (newest_first != nullptr) {
    Ticket* const ticket = newest_first;
    newest_first = ticket->next;
    ticket->next = oldest_first;
    oldest_first = ticket;
  }
  return oldest_first;
}

void Environment::forget(Ticket* ticket) {
  tickets_.erase(ticket->id);
  delete ticket;
}

// On the JavaScript thread.
void Environment::deliver() {
  napi_value settle = nullptr;
  napi_value receiver = nullptr;
  napi_get_reference_value(env_, settle_, &settle);
  napi_get_undefined(env_, &receiver);
  for (Ticket* ticket = take_ended(); ticket != nullptr;) {
    Ticket* const next = ticket->next;
    napi_value arguments[] = {number(env_, ticket->id), number(env_, ticket->status)};
    ticket->running->deliver(*this);
    forget(ticket);
    napi_call_function(env_, receiver, settle, 2, arguments, nullptr);
    ticket = next;
  }
  if (tickets_.empty()) napi_unref_threadsafe_function(env_, wake_);
}

// The JavaScript thread ends.
void Environment::close() {
  for (const auto& [id, ticket] : tickets_) ticket->running->cancel();
  {
    std::unique_lock lock(mutex_);
    all_ended_.wait(lock, [this] { return running_ == 0; });
  }
  for (Ticket* ticket = take_ended(); ticket != nullptr;) {
    Ticket* const next = ticket->next;
    forget(ticket);
    ticket = next;
  }
  for (ElanusIndex* const index : indexes_) elanus_index_release(index);
  indexes_.clear();
  napi_release_threadsafe_function(wake_, napi_tsfn_abort);
  wake_ = nullptr;
}

}  // namespace elanus::binding
