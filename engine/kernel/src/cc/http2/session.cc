#include "session.h"

#include <algorithm>
#include <cstring>

namespace elanus::http2 {
namespace {

constexpr size_t kPrefixBytes = 5;

std::string_view view(const uint8_t* data, size_t size) { return {reinterpret_cast<const char*>(data), size}; }

nghttp2_nv field(std::string_view name, std::string_view value, uint8_t flags) {
  const auto bytes = [](std::string_view text) {
    return reinterpret_cast<uint8_t*>(const_cast<char*>(text.data()));
  };
  return {bytes(name), bytes(value), name.size(), value.size(), flags};
}

// Of text that stays.
nghttp2_nv constant(std::string_view name, std::string_view value) {
  return field(name, value, kNameNotCopied | kValueNotCopied);
}

// The byte at `i` of what precedes a message: not compressed, and its length.
uint8_t prefix_byte(uint64_t size, uint64_t i) {
  return i == 0 ? 0 : static_cast<uint8_t>(size >> (8 * (kPrefixBytes - 1 - i)));
}

}  // namespace

std::unique_ptr<Session> Session::open(const Limits& limits) {
  const Nghttp2* library = Nghttp2::find();
  if (library == nullptr) return nullptr;
  std::unique_ptr<Session> session(new Session(*library));
  return session->begin(limits) ? std::move(session) : nullptr;
}

Session::~Session() {
  if (session_ != nullptr) library_.session_del(session_);
}

nghttp2_session_callbacks* Session::callbacks() const {
  nghttp2_session_callbacks* callbacks = nullptr;
  if (library_.session_callbacks_new(&callbacks) != 0) return nullptr;
  library_.session_callbacks_set_on_begin_headers_callback(
      callbacks, [](nghttp2_session*, const nghttp2_frame* frame, void* self) {
        return static_cast<Session*>(self)->begin_headers(*frame);
      });
  library_.session_callbacks_set_on_header_callback(
      callbacks, [](nghttp2_session*, const nghttp2_frame* frame, const uint8_t* name, size_t name_size,
                    const uint8_t* value, size_t value_size, uint8_t, void* self) {
        return static_cast<Session*>(self)->header(*frame, view(name, name_size), view(value, value_size));
      });
  library_.session_callbacks_set_on_frame_recv_callback(
      callbacks, [](nghttp2_session*, const nghttp2_frame* frame, void* self) {
        return static_cast<Session*>(self)->frame(*frame);
      });
  library_.session_callbacks_set_on_data_chunk_recv_callback(
      callbacks, [](nghttp2_session*, uint8_t, int32_t stream, const uint8_t* data, size_t size, void* self) {
        return static_cast<Session*>(self)->chunk(stream, data, size);
      });
  library_.session_callbacks_set_on_stream_close_callback(
      callbacks, [](nghttp2_session*, int32_t stream, uint32_t, void* self) {
        return static_cast<Session*>(self)->close(stream);
      });
  library_.session_callbacks_set_on_invalid_frame_recv_callback(
      callbacks, [](nghttp2_session*, const nghttp2_frame*, int, void* self) {
        return static_cast<Session*>(self)->is_too_bad() ? kCallbackFailure : 0;
      });
  return callbacks;
}

bool Session::begin(const Limits& limits) {
  nghttp2_session_callbacks* told = callbacks();
  nghttp2_option* option = nullptr;
  if (told != nullptr && library_.option_new(&option) == 0) {
    // Closed streams are kept for a tree of priorities that nobody uses.
    library_.option_set_no_closed_streams(option, 1);
    if (library_.session_server_new2(&session_, told, this, option) != 0) session_ = nullptr;
    library_.option_del(option);
  }
  if (told != nullptr) library_.session_callbacks_del(told);
  if (session_ == nullptr) return false;
  const nghttp2_settings_entry settings[] = {{kMaxConcurrentStreams, limits.streams},
                                             {kInitialWindowSize, limits.stream_window},
                                             {kMaxFrameSize, limits.frame_bytes},
                                             {kMaxHeaderListSize, kHeaderBytesMax}};
  return library_.submit_settings(session_, kFlagNone, settings, std::size(settings)) == 0 &&
         library_.session_set_local_window_size(session_, kFlagNone, 0,
                                                static_cast<int32_t>(limits.connection_window)) == 0;
}

bool Session::receive(const uint8_t* input, size_t size) {
  events_.clear();
  input_ = input;
  return library_.session_mem_recv(session_, input, size) == static_cast<ssize_t>(size) && !is_overrun_;
}

ssize_t Session::send(uint8_t* output) {
  events_.clear();
  size_t written = 0;
  while (written < kOutputBytes) {
    if (unsent_bytes_ == 0) {
      const ssize_t size = library_.session_mem_send(session_, &unsent_);
      if (size < 0 || is_overrun_) return -1;
      if (size == 0) break;
      unsent_bytes_ = static_cast<size_t>(size);
    }
    const size_t taken = std::min(unsent_bytes_, kOutputBytes - written);
    std::memcpy(output + written, unsent_, taken);
    written += taken;
    unsent_ += taken;
    unsent_bytes_ -= taken;
  }
  return static_cast<ssize_t>(written);
}

bool Session::is_over() const {
  return unsent_bytes_ == 0 && library_.session_want_read(session_) == 0 &&
         library_.session_want_write(session_) == 0;
}

std::string_view Session::headers(int32_t stream) const {
  const auto found = streams_.find(stream);
  return found == streams_.end() ? std::string_view() : found->second.headers;
}

bool Session::answer(int32_t id, const uint8_t* message, size_t size, std::unique_ptr<Keeper> keeper) {
  static const nghttp2_nv headers[] = {constant(":status", "200"),
                                       constant("content-type", "application/grpc+proto"),
                                       constant("grpc-accept-encoding", "identity,deflate,gzip")};
  Stream* stream = find(id);
  if (stream == nullptr || stream->is_answered) return false;
  stream->keeper = std::move(keeper);
  if (stream->keeper == nullptr) {
    stream->copy.assign(message, message + size);
    message = stream->copy.data();
  }
  stream->message = message;
  stream->size = size;
  stream->is_answered = true;
  nghttp2_data_provider body;
  body.source.ptr = nullptr;
  body.read_callback = [](nghttp2_session*, int32_t stream, uint8_t* out, size_t room, uint32_t* flags,
                          nghttp2_data_source*, void* self) {
    return static_cast<Session*>(self)->read(stream, out, room, flags);
  };
  return library_.submit_response(session_, id, headers, std::size(headers), &body) == 0;
}

bool Session::refuse(int32_t id, const std::vector<std::string>& headers) {
  Stream* stream = find(id);
  if (stream == nullptr || stream->is_answered) return false;
  stream->is_answered = true;
  std::vector<nghttp2_nv> fields;
  for (size_t i = 0; i + 1 < headers.size(); i += 2) fields.push_back(field(headers[i], headers[i + 1], 0));
  return library_.submit_response(session_, id, fields.data(), fields.size(), nullptr) == 0;
}

void Session::cancel(int32_t stream) { library_.submit_rst_stream(session_, kFlagNone, stream, kNoError); }

void Session::ping() { library_.submit_ping(session_, kFlagNone, nullptr); }

void Session::go_away() {
  const int32_t last = library_.session_get_last_proc_stream_id(session_);
  library_.submit_goaway(session_, kFlagNone, last, kNoError, nullptr, 0);
}

void Session::tell(EventKind kind, int32_t stream, int32_t offset, int32_t length) {
  if (events_.size() < kEventsMax) events_.push_back({kind, stream, offset, length});
  else is_overrun_ = true;
}

Session::Stream* Session::find(int32_t stream) {
  const auto found = streams_.find(stream);
  return found == streams_.end() ? nullptr : &found->second;
}

int Session::begin_headers(const nghttp2_frame& frame) {
  streams_.try_emplace(frame.hd.stream_id);
  return 0;
}

int Session::header(const nghttp2_frame& frame, std::string_view name, std::string_view value) {
  Stream* stream = find(frame.hd.stream_id);
  // What a client says behind its message is not asked for.
  if (stream == nullptr || stream->is_request) return 0;
  const size_t bytes = stream->headers.size() + stream->path.size() + name.size() + value.size() + 2;
  if (++stream->header_fields > kHeaderFieldsMax || bytes > kHeaderBytesMax)
    return is_too_bad() ? kCallbackFailure : kStreamFailure;
  if (name == ":path") {
    stream->path = value;
    return 0;
  }
  stream->headers.append(name).append("\n").append(value).append("\n");
  return 0;
}

int Session::frame(const nghttp2_frame& frame) {
  const int32_t id = frame.hd.stream_id;
  if (frame.hd.type == kFramePing && (frame.hd.flags & kFlagAck) != 0) tell(EventKind::kPong, 0);
  if (frame.hd.type != kFrameHeaders && frame.hd.type != kFrameData) return 0;
  Stream* stream = find(id);
  if (stream == nullptr) return 0;
  if (!stream->is_request) {
    stream->is_request = true;
    stream->headers.insert(0, stream->path + "\n");
    tell(EventKind::kRequest, id);
  }
  if ((frame.hd.flags & kFlagEndStream) != 0) {
    stream->is_ended = true;
    tell(EventKind::kEnd, id);
  }
  return 0;
}

int Session::chunk(int32_t id, const uint8_t* data, size_t size) {
  const Stream* stream = find(id);
  // Of a stream that is answered nothing more is read.
  if (stream == nullptr || stream->is_answered) return 0;
  tell(EventKind::kData, id, static_cast<int32_t>(data - input_), static_cast<int32_t>(size));
  return 0;
}

int Session::close(int32_t id) {
  const Stream* stream = find(id);
  if (stream == nullptr) return 0;
  // Who has heard the end and has answered knows.
  if (stream->is_request && !(stream->is_ended && stream->is_answered)) tell(EventKind::kClosed, id);
  streams_.erase(id);
  return 0;
}

ssize_t Session::read(int32_t id, uint8_t* out, size_t room, uint32_t* flags) {
  static const nghttp2_nv trailers[] = {constant("grpc-status", "0")};
  Stream* stream = find(id);
  if (stream == nullptr) return kStreamFailure;
  size_t written = 0;
  while (stream->sent < kPrefixBytes && written < room) out[written++] = prefix_byte(stream->size, stream->sent++);
  if (stream->sent >= kPrefixBytes) {
    const uint64_t begin = stream->sent - kPrefixBytes;
    const size_t taken = std::min<uint64_t>(stream->size - begin, room - written);
    if (taken > 0) std::memcpy(out + written, stream->message + begin, taken);
    written += taken;
    stream->sent += taken;
  }
  if (stream->sent < kPrefixBytes + stream->size) return static_cast<ssize_t>(written);
  *flags |= kDataEnds | kDataDoesNotEndStream;
  if (library_.submit_trailer(session_, id, trailers, std::size(trailers)) != 0) return kStreamFailure;
  return static_cast<ssize_t>(written);
}

}  // namespace elanus::http2
