// Starts searches from JavaScript and hands their ends back, all that are ready by one call.
#include <condition_variable>
#include <memory>
#include <mutex>
#include <new>
#include <unordered_map>
#include <vector>

#include "elanus/kernel.h"
#include "values.h"

namespace elanus::binding {
namespace {

class Environment;

// One search under way, from `start` until JavaScript has heard of its end.
struct Ticket {
  Environment* environment;
  double id;
  ElanusJob* job = nullptr;
  ElanusStatus status = ELANUS_OK;
  Ticket* next = nullptr;
};

// What belongs to one JavaScript thread that has loaded the library. Leaves only when its searches have ended,
// because they read and write memory of that thread's heap.
class Environment {
 public:
  static Environment* of(napi_env env) {
    void* data = nullptr;
    napi_get_instance_data(env, &data);
    return static_cast<Environment*>(data);
  }

  bool open(napi_env env, napi_value settle) {
    env_ = env;
    if (napi_create_reference(env, settle, 1, &settle_) != napi_ok) return false;
    napi_value name = nullptr;
    napi_create_string_utf8(env, "elanus.kernel", NAPI_AUTO_LENGTH, &name);
    const auto deliver = [](napi_env env, napi_value, void* context, void*) {
      if (env != nullptr) static_cast<Environment*>(context)->deliver();
    };
    if (napi_create_threadsafe_function(env, nullptr, nullptr, name, 0, 1, nullptr, nullptr, this, deliver,
                                        &wake_) != napi_ok)
      return false;
    // An idle kernel keeps no process alive.
    napi_unref_threadsafe_function(env, wake_);
    napi_add_env_cleanup_hook(env, [](void* self) { static_cast<Environment*>(self)->close(); }, this);
    return true;
  }

  bool is_open() const { return wake_ != nullptr; }

  ElanusStatus start(double id, ElanusPool* pool, const ElanusSimd* simd, const ElanusExactSearch& search,
                     ElanusHits hits) {
    auto ticket = std::make_unique<Ticket>(Ticket{this, id});
    tickets_.emplace(id, ticket.get());
    {
      const std::lock_guard lock(mutex_);
      ++running_;
    }
    const ElanusDone done = [](void* context, ElanusStatus status) {
      auto* const ended = static_cast<Ticket*>(context);
      ended->status = status;
      ended->environment->end(ended);
    };
    const ElanusStatus status = elanus_exact_search_start(pool, simd, &search, hits, done, ticket.get(), &ticket->job);
    if (status != ELANUS_OK) {
      tickets_.erase(id);
      const std::lock_guard lock(mutex_);
      --running_;
      return status;
    }
    if (tickets_.size() == 1) napi_ref_threadsafe_function(env_, wake_);
    ticket.release();  // `deliver` deletes it
    return ELANUS_OK;
  }

  void cancel(double id) {
    const auto found = tickets_.find(id);
    if (found != tickets_.end()) elanus_job_cancel(found->second->job);
  }

 private:
  // On a thread of the pool.
  void end(Ticket* ticket) {
    const std::lock_guard lock(mutex_);
    const bool wake = ended_ == nullptr;
    ticket->next = ended_;
    ended_ = ticket;
    --running_;
    if (wake) napi_call_threadsafe_function(wake_, nullptr, napi_tsfn_nonblocking);
    all_ended_.notify_one();
  }

  // Takes what has ended, in the order in which it ended.
  Ticket* take_ended() {
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

  void forget(Ticket* ticket) {
    tickets_.erase(ticket->id);
    elanus_job_release(ticket->job);
    delete ticket;
  }

  // On the JavaScript thread.
  void deliver() {
    napi_value settle = nullptr;
    napi_value receiver = nullptr;
    napi_get_reference_value(env_, settle_, &settle);
    napi_get_undefined(env_, &receiver);
    for (Ticket* ticket = take_ended(); ticket != nullptr;) {
      Ticket* const next = ticket->next;
      napi_value arguments[] = {number(env_, ticket->id), number(env_, ticket->status)};
      forget(ticket);
      napi_call_function(env_, receiver, settle, 2, arguments, nullptr);
      ticket = next;
    }
    if (tickets_.empty()) napi_unref_threadsafe_function(env_, wake_);
  }

  // The JavaScript thread ends.
  void close() {
    for (const auto& [id, ticket] : tickets_) elanus_job_cancel(ticket->job);
    {
      std::unique_lock lock(mutex_);
      all_ended_.wait(lock, [this] { return running_ == 0; });
    }
    for (Ticket* ticket = take_ended(); ticket != nullptr;) {
      Ticket* const next = ticket->next;
      forget(ticket);
      ticket = next;
    }
    napi_release_threadsafe_function(wake_, napi_tsfn_abort);
    wake_ = nullptr;
  }

  napi_env env_ = nullptr;
  napi_ref settle_ = nullptr;
  napi_threadsafe_function wake_ = nullptr;
  std::unordered_map<double, Ticket*> tickets_;

  std::mutex mutex_;  // guards what follows
  std::condition_variable all_ended_;
  Ticket* ended_ = nullptr;
  size_t running_ = 0;
};

// Reads the words of a search in the order in which `search-words.ts` writes them.
class Words {
 public:
  explicit Words(const double* at) : at_(at) {}
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

struct Request {
  const ElanusSimd* simd;
  ElanusPool* pool;
  ElanusHits hits;
  ElanusExactSearch search;
  std::vector<ElanusBlock> blocks;
};

ElanusBlock read_block(Words& words) {
  ElanusBlock block;
  block.bytes = words.pointer<const uint8_t>();
  block.bytes_size = words.integer<size_t>();
  block.offsets = words.pointer<const uint32_t>();
  block.rows = words.integer<uint32_t>();
  block.allowed = words.pointer<const uint8_t>();
  block.inverse_norms = words.pointer<const float>();
  block.codes.rows = words.integer<uint32_t>();
  block.codes.values = words.pointer<const int8_t>();
  block.codes.factors = words.pointer<const float>();
  block.keys.int64_values = words.pointer<const int64_t>();
  block.keys.varchar_offsets = words.pointer<const uint32_t>();
  block.keys.varchar_bytes = words.pointer<const uint8_t>();
  block.keys.varchar_bytes_size = words.integer<size_t>();
  return block;
}

Request read_request(Words words) {
  Request request;
  request.simd = words.pointer<const ElanusSimd>();
  request.pool = words.pointer<ElanusPool>();
  request.hits.counts = words.pointer<uint32_t>();
  request.hits.blocks = words.pointer<uint32_t>();
  request.hits.rows = words.pointer<uint32_t>();
  request.hits.scores = words.pointer<float>();
  ElanusExactSearch& search = request.search;
  search.type = words.integer<ElanusVectorType>();
  search.metric = words.integer<ElanusMetric>();
  search.dim = words.integer<uint32_t>();
  search.queries = words.pointer<const uint8_t>();
  search.queries_size = words.integer<size_t>();
  search.query_offsets = words.pointer<const uint32_t>();
  search.query_count = words.integer<uint32_t>();
  search.k = words.integer<uint32_t>();
  search.outer = words.number();
  search.inner = words.number();
  search.key_type = words.integer<ElanusKeyType>();
  search.block_count = words.integer<size_t>();
  request.blocks.reserve(search.block_count);
  for (size_t b = 0; b < search.block_count; ++b) request.blocks.push_back(read_block(words));
  search.blocks = request.blocks.data();
  return request;
}

Words words_of(const Arguments& arguments, size_t i) {
  return Words(reinterpret_cast<const double*>(view_of(arguments.env, arguments.values[i]).data));
}

// openExactSearch(settle: (id: number, status: number) => void): boolean
napi_value open_exact_search(napi_env env, napi_callback_info info) {
  const Arguments arguments(env, info);
  napi_value opened = nullptr;
  napi_get_boolean(env, Environment::of(env)->open(env, arguments.values[0]), &opened);
  return opened;
}

// runExactSearch(words: Float64Array): number
napi_value run_exact_search(napi_env env, napi_callback_info info) {
  ElanusStatus status = ELANUS_OUT_OF_MEMORY;
  try {
    const Request request = read_request(words_of(Arguments(env, info), 0));
    status = elanus_exact_search_run(request.simd, &request.search, request.hits);
  } catch (const std::bad_alloc&) {
  }
  return number(env, status);
}

// startExactSearch(words: Float64Array, id: number): number
napi_value start_exact_search(napi_env env, napi_callback_info info) {
  ElanusStatus status = ELANUS_OUT_OF_MEMORY;
  try {
    const Arguments arguments(env, info);
    const Request request = read_request(words_of(arguments, 0));
    status = Environment::of(env)->start(arguments.number(1), request.pool, request.simd, request.search, request.hits);
  } catch (const std::bad_alloc&) {
  }
  return number(env, status);
}

// cancelExactSearch(id: number): void
napi_value cancel_exact_search(napi_env env, napi_callback_info info) {
  Environment::of(env)->cancel(Arguments(env, info).number(0));
  return nullptr;
}

}  // namespace

void define_exact_search(napi_env env, napi_value exports) {
  auto* const environment = new Environment();
  napi_set_instance_data(env, environment, [](napi_env, void* data, void*) { delete static_cast<Environment*>(data); },
                         nullptr);
  define(env, exports, "openExactSearch", open_exact_search);
  define(env, exports, "runExactSearch", run_exact_search);
  define(env, exports, "startExactSearch", start_exact_search);
  define(env, exports, "cancelExactSearch", cancel_exact_search);
}

}  // namespace elanus::binding
