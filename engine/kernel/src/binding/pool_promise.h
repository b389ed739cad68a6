// Work on a thread of libuv's pool, as JavaScript awaits it.
#pragma once

#include <memory>
#include <utility>

#include "values.h"

namespace elanus::binding {

template <typename Work>
class PoolPromise {
 public:
  static napi_value start(napi_env env, const char* name, napi_value held, Work work) {
    auto* const self = new PoolPromise(std::move(work));
    napi_value promise = nullptr;
    napi_value resource = nullptr;
    napi_create_promise(env, &self->ended_, &promise);
    napi_create_string_utf8(env, name, NAPI_AUTO_LENGTH, &resource);
    if (held != nullptr) napi_create_reference(env, held, 1, &self->held_);
    napi_create_async_work(env, nullptr, resource, run, end, self, &self->pool_work_);
    napi_queue_async_work(env, self->pool_work_);
    return promise;
  }

 private:
  explicit PoolPromise(Work work) : work_(std::move(work)) {}

  static void run(napi_env, void* data) {
    auto& self = *static_cast<PoolPromise*>(data);
    self.outcome_ = self.work_();
  }

  static void end(napi_env env, napi_status, void* data) {
    const std::unique_ptr<PoolPromise> self(static_cast<PoolPromise*>(data));
    if (self->held_ != nullptr) napi_delete_reference(env, self->held_);
    napi_delete_async_work(env, self->pool_work_);
    napi_resolve_deferred(env, self->ended_, number(env, self->outcome_));
  }

  Work work_;
  double outcome_ = 0;
  napi_async_work pool_work_ = nullptr;
  napi_deferred ended_ = nullptr;
  napi_ref held_ = nullptr;
};

// A promise of the number that `work` returns, which is called once, on another thread. What `work` reads and writes must
// stay: `held` is an array, or an array of arrays, that is not collected before; nullptr when there is none.
template <typename Work>
napi_value promise_of(napi_env env, const char* name, napi_value held, Work work) {
  return PoolPromise<Work>::start(env, name, held, std::move(work));
}

}  // namespace elanus::binding
