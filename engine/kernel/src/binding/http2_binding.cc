// HTTP/2 connections (`http2-session.ts`). JavaScript holds a session as a number and closes it once.
#include <cstring>
#include <string>
#include <vector>

#include "../cc/http2/session.h"
#include "values.h"

namespace elanus::binding {
namespace {

using http2::Event;
using http2::Session;

// Keeps the bytes of a typed array where they are. Made and deleted on JavaScript's thread.
class KeptArray : public http2::Keeper {
 public:
  KeptArray(napi_env env, napi_value array) : env_(env) { napi_create_reference(env, array, 1, &reference_); }
  ~KeptArray() override { napi_delete_reference(env_, reference_); }

 private:
  napi_env env_;
  napi_ref reference_ = nullptr;
};

// Copies the events of the last call behind their number.
void hand_over(const Session& session, const View& out) {
  auto* words = reinterpret_cast<int32_t*>(out.data);
  const std::vector<Event>& events = session.events();
  words[0] = static_cast<int32_t>(events.size());
  if (!events.empty()) std::memcpy(words + 1, events.data(), events.size() * sizeof(Event));
}

// http2EventWords(): number, how long `events` of the calls below is
napi_value event_words(napi_env env, napi_callback_info) {
  return number(env, static_cast<double>(1 + http2::kEventsMax * sizeof(Event) / sizeof(int32_t)));
}

// http2Open(streams: number, streamWindow: number, connectionWindow: number, frameBytes: number): number
napi_value open(napi_env env, napi_callback_info info) {
  const Arguments arguments(env, info);
  const auto word = [&](size_t i) { return static_cast<uint32_t>(arguments.number(i)); };
  return number(env, Session::open({word(0), word(1), word(2), word(3)}).release());
}

// http2Close(session: number): void
napi_value close(napi_env env, napi_callback_info info) {
  delete Arguments(env, info).pointer<Session>(0);
  return nullptr;
}

// http2Receive(session: number, input: Uint8Array, count: number, events: Int32Array): boolean
napi_value receive(napi_env env, napi_callback_info info) {
  const Arguments arguments(env, info);
  auto* session = arguments.pointer<Session>(0);
  const bool is_sound =
      session->receive(view_of(env, arguments.values[1]).data, static_cast<size_t>(arguments.number(2)));
  hand_over(*session, view_of(env, arguments.values[3]));
  napi_value result = nullptr;
  napi_get_boolean(env, is_sound, &result);
  return result;
}

// http2Send(session: number, output: Uint8Array, events: Int32Array): number
// How many bytes; -1 when the connection is over.
napi_value send(napi_env env, napi_callback_info info) {
  const Arguments arguments(env, info);
  auto* session = arguments.pointer<Session>(0);
  const ssize_t written = session->send(view_of(env, arguments.values[1]).data);
  hand_over(*session, view_of(env, arguments.values[2]));
  return number(env, written == 0 && session->is_over() ? -1 : static_cast<double>(written));
}

// http2Headers(session: number, stream: number): string
napi_value headers(napi_env env, napi_callback_info info) {
  const Arguments arguments(env, info);
  const std::string_view text =
      arguments.pointer<Session>(0)->headers(static_cast<int32_t>(arguments.number(1)));
  napi_value result = nullptr;
  napi_create_string_latin1(env, text.data(), text.size(), &result);
  return result;
}

// http2Answer(session: number, stream: number, message: Uint8Array, isKept: boolean): void
napi_value answer(napi_env env, napi_callback_info info) {
  const Arguments arguments(env, info);
  const View message = view_of(env, arguments.values[2]);
  bool is_kept = false;
  napi_get_value_bool(env, arguments.values[3], &is_kept);
  std::unique_ptr<http2::Keeper> keeper;
  if (is_kept) keeper = std::make_unique<KeptArray>(env, arguments.values[2]);
  arguments.pointer<Session>(0)->answer(static_cast<int32_t>(arguments.number(1)), message.data, message.size,
                                        std::move(keeper));
  return nullptr;
}

// http2Refuse(session: number, stream: number, headers: string): void
// Names and values, each ended by a line feed.
napi_value refuse(napi_env env, napi_callback_info info) {
  const Arguments arguments(env, info);
  size_t size = 0;
  napi_get_value_string_latin1(env, arguments.values[2], nullptr, 0, &size);
  std::string text(size + 1, '\0');
  napi_get_value_string_latin1(env, arguments.values[2], text.data(), text.size(), &size);
  std::vector<std::string> words;
  for (size_t begin = 0, end = 0; (end = text.find('\n', begin)) != std::string::npos; begin = end + 1)
    words.push_back(text.substr(begin, end - begin));
  arguments.pointer<Session>(0)->refuse(static_cast<int32_t>(arguments.number(1)), words);
  return nullptr;
}

// http2Cancel(session: number, stream: number): void
napi_value cancel(napi_env env, napi_callback_info info) {
  const Arguments arguments(env, info);
  arguments.pointer<Session>(0)->cancel(static_cast<int32_t>(arguments.number(1)));
  return nullptr;
}

// http2Ping(session: number): void
napi_value ping(napi_env env, napi_callback_info info) {
  Arguments(env, info).pointer<Session>(0)->ping();
  return nullptr;
}

// http2GoAway(session: number): void
napi_value go_away(napi_env env, napi_callback_info info) {
  Arguments(env, info).pointer<Session>(0)->go_away();
  return nullptr;
}

}  // namespace

void define_http2(napi_env env, napi_value exports) {
  define(env, exports, "http2EventWords", event_words);
  define(env, exports, "http2Open", open);
  define(env, exports, "http2Close", close);
  define(env, exports, "http2Receive", receive);
  define(env, exports, "http2Send", send);
  define(env, exports, "http2Headers", headers);
  define(env, exports, "http2Answer", answer);
  define(env, exports, "http2Refuse", refuse);
  define(env, exports, "http2Cancel", cancel);
  define(env, exports, "http2Ping", ping);
  define(env, exports, "http2GoAway", go_away);
}

}  // namespace elanus::binding
