// The server's end of one HTTP/2 connection as gRPC uses it: bytes in, events out; answers in, bytes out. nghttp2 has
// what is hard: frames, header compression, flow control, floods. It reads and writes no socket and owns no thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "nghttp2.h"

namespace elanus::http2 {

// What one read of a socket may have, and one write of it.
inline constexpr size_t kInputBytes = 64 * 1024;
inline constexpr size_t kOutputBytes = 64 * 1024;

// Header fields of one request beyond these break it off.
inline constexpr size_t kHeaderFieldsMax = 128;
inline constexpr size_t kHeaderBytesMax = 64 * 1024;

// A client that sends more frames than these that HTTP/2 does not allow is cut off.
inline constexpr int kBadFramesMax = 1000;

enum class EventKind : int32_t {
  kRequest = 1,  // its headers are there
  kData = 2,     // `length` bytes of its body, from `offset` of the input
  kEnd = 3,      // nothing follows
  kClosed = 4,   // nobody waits for its answer
  kPong = 5,     // a ping is answered; no stream
};

struct Event {
  EventKind kind;
  int32_t stream;
  int32_t offset;
  int32_t length;
};

// A frame has nine bytes at least, and two events at most. What is sent may close each open stream.
inline constexpr size_t kEventsMax = 2 * (kInputBytes / 9 + 1) + 2048;

struct Limits {
  uint32_t streams;
  uint32_t stream_window;
  uint32_t connection_window;
  uint32_t frame_bytes;
};

// Keeps the memory of a message until it is sent.
class Keeper {
 public:
  virtual ~Keeper() = default;
};

class Session {
 public:
  // Null when there is no nghttp2 in this program, or no memory.
  static std::unique_ptr<Session> open(const Limits& limits);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  // Takes `size` bytes, at most kInputBytes, and sets `events`. False: the connection is beyond repair.
  bool receive(const uint8_t* input, size_t size);
  // Writes what is to be sent now, at most kOutputBytes, and sets `events`; -1: beyond repair.
  ssize_t send(uint8_t* output);
  // Nothing is to be sent, and nothing that comes would be read.
  bool is_over() const;

  // Of the last `receive` or `send`.
  const std::vector<Event>& events() const { return events_; }

  // "name\nvalue\n" for each field of a request, the path's value before them on a line of its own; empty for a stream
  // that is closed.
  std::string_view headers(int32_t stream) const;

  // Answers with a message of gRPC and the status OK. What `keeper` keeps may be null, then the message is copied.
  // False when the stream is closed, or answered.
  bool answer(int32_t stream, const uint8_t* message, size_t size, std::unique_ptr<Keeper> keeper);
  // Answers with nothing but headers, given as names and values by turns.
  bool refuse(int32_t stream, const std::vector<std::string>& headers);
  // What else comes of a stream is not wanted.
  void cancel(int32_t stream);
  void ping();
  // Tells the client that it is to open no more streams; those that are open go on.
  void go_away();

 private:
  struct Stream {
    std::string path;
    std::string headers;
    size_t header_fields = 0;
    bool is_request = false;   // JavaScript knows of it
    bool is_ended = false;     // by the client
    bool is_answered = false;
    std::vector<uint8_t> copy;
    std::unique_ptr<Keeper> keeper;
    const uint8_t* message = nullptr;
    uint64_t size = 0;    // of the message
    uint64_t sent = 0;    // of the message behind its prefix
  };

  explicit Session(const Nghttp2& library) : library_(library) {}
  bool begin(const Limits& limits);
  nghttp2_session_callbacks* callbacks() const;
  void tell(EventKind kind, int32_t stream, int32_t offset = 0, int32_t length = 0);
  Stream* find(int32_t stream);

  int begin_headers(const nghttp2_frame& frame);
  int header(const nghttp2_frame& frame, std::string_view name, std::string_view value);
  int frame(const nghttp2_frame& frame);
  int chunk(int32_t stream, const uint8_t* data, size_t size);
  int close(int32_t stream);
  // Counts what HTTP/2, or this, does not allow.
  bool is_too_bad() { return ++bad_frames_ > kBadFramesMax; }
  ssize_t read(int32_t stream, uint8_t* out, size_t room, uint32_t* flags);

  const Nghttp2& library_;
  nghttp2_session* session_ = nullptr;
  std::unordered_map<int32_t, Stream> streams_;
  std::vector<Event> events_;
  const uint8_t* input_ = nullptr;
  // What nghttp2 gave to send and did not fit.
  const uint8_t* unsent_ = nullptr;
  size_t unsent_bytes_ = 0;
  int bad_frames_ = 0;
  // More events than anybody counted on.
  bool is_overrun_ = false;
};

}  // namespace elanus::http2
