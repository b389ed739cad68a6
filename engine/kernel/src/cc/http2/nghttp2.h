// As much of nghttp2's interface as is used here, in its own names (https://nghttp2.org/documentation). Node carries the
// library and exports it, but not its header; the interface has been the same since version 1.0 (soname 14).
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>

namespace elanus::http2 {

struct nghttp2_session;
struct nghttp2_session_callbacks;
struct nghttp2_option;

struct nghttp2_frame_hd {
  size_t length;
  int32_t stream_id;
  uint8_t type;
  uint8_t flags;
  uint8_t reserved;
};

// A union there, of which each member begins with this.
struct nghttp2_frame {
  nghttp2_frame_hd hd;
};

struct nghttp2_nv {
  uint8_t* name;
  uint8_t* value;
  size_t namelen;
  size_t valuelen;
  uint8_t flags;
};

struct nghttp2_settings_entry {
  int32_t settings_id;
  uint32_t value;
};

union nghttp2_data_source {
  int fd;
  void* ptr;
};

using nghttp2_read = ssize_t (*)(nghttp2_session*, int32_t stream, uint8_t* out, size_t room, uint32_t* flags,
                                 nghttp2_data_source* source, void* user);

struct nghttp2_data_provider {
  nghttp2_data_source source;
  nghttp2_read read_callback;
};

using nghttp2_on_frame = int (*)(nghttp2_session*, const nghttp2_frame*, void* user);
using nghttp2_on_bad_frame = int (*)(nghttp2_session*, const nghttp2_frame*, int error, void* user);
using nghttp2_on_header = int (*)(nghttp2_session*, const nghttp2_frame*, const uint8_t* name, size_t name_size,
                                  const uint8_t* value, size_t value_size, uint8_t flags, void* user);
using nghttp2_on_chunk = int (*)(nghttp2_session*, uint8_t flags, int32_t stream, const uint8_t* data, size_t size,
                                 void* user);
using nghttp2_on_close = int (*)(nghttp2_session*, int32_t stream, uint32_t error, void* user);

enum : uint8_t { kFrameData = 0, kFrameHeaders = 1, kFramePing = 6 };
enum : uint8_t { kFlagNone = 0, kFlagEndStream = 1, kFlagAck = 1 };
enum : uint32_t { kDataEnds = 1, kDataDoesNotEndStream = 2 };
enum : uint8_t { kNameNotCopied = 2, kValueNotCopied = 4 };
enum : int { kCallbackFailure = -902, kStreamFailure = -521 };
enum : uint32_t { kNoError = 0, kEnhanceYourCalm = 11 };
enum : int32_t { kMaxConcurrentStreams = 3, kInitialWindowSize = 4, kMaxFrameSize = 5, kMaxHeaderListSize = 6 };

// The functions of the library, found in the program that runs.
struct Nghttp2 {
  int (*session_callbacks_new)(nghttp2_session_callbacks**);
  void (*session_callbacks_del)(nghttp2_session_callbacks*);
  void (*session_callbacks_set_on_begin_headers_callback)(nghttp2_session_callbacks*, nghttp2_on_frame);
  void (*session_callbacks_set_on_header_callback)(nghttp2_session_callbacks*, nghttp2_on_header);
  void (*session_callbacks_set_on_frame_recv_callback)(nghttp2_session_callbacks*, nghttp2_on_frame);
  void (*session_callbacks_set_on_data_chunk_recv_callback)(nghttp2_session_callbacks*, nghttp2_on_chunk);
  void (*session_callbacks_set_on_stream_close_callback)(nghttp2_session_callbacks*, nghttp2_on_close);
  void (*session_callbacks_set_on_invalid_frame_recv_callback)(nghttp2_session_callbacks*, nghttp2_on_bad_frame);
  int (*option_new)(nghttp2_option**);
  void (*option_del)(nghttp2_option*);
  void (*option_set_no_closed_streams)(nghttp2_option*, int);
  int (*session_server_new2)(nghttp2_session**, const nghttp2_session_callbacks*, void* user, const nghttp2_option*);
  void (*session_del)(nghttp2_session*);
  ssize_t (*session_mem_recv)(nghttp2_session*, const uint8_t*, size_t);
  ssize_t (*session_mem_send)(nghttp2_session*, const uint8_t**);
  int (*session_want_read)(nghttp2_session*);
  int (*session_want_write)(nghttp2_session*);
  int (*session_set_local_window_size)(nghttp2_session*, uint8_t flags, int32_t stream, int32_t size);
  int32_t (*session_get_last_proc_stream_id)(nghttp2_session*);
  int (*submit_settings)(nghttp2_session*, uint8_t flags, const nghttp2_settings_entry*, size_t);
  int (*submit_response)(nghttp2_session*, int32_t stream, const nghttp2_nv*, size_t, const nghttp2_data_provider*);
  int (*submit_trailer)(nghttp2_session*, int32_t stream, const nghttp2_nv*, size_t);
  int (*submit_rst_stream)(nghttp2_session*, uint8_t flags, int32_t stream, uint32_t error);
  int (*submit_ping)(nghttp2_session*, uint8_t flags, const uint8_t* opaque);
  int (*submit_goaway)(nghttp2_session*, uint8_t flags, int32_t last_stream, uint32_t error, const uint8_t*, size_t);

  // Null when this program has no such library.
  static const Nghttp2* find();
};

}  // namespace elanus::http2
