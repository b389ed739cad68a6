#include "nghttp2.h"

#include <dlfcn.h>

namespace elanus::http2 {
namespace {

template <class Function>
bool take(Function& function, const char* name) {
  function = reinterpret_cast<Function>(dlsym(RTLD_DEFAULT, name));
  return function != nullptr;
}

bool take_all(Nghttp2& library) {
  bool complete = true;
#define TAKE(name) complete = take(library.name, "nghttp2_" #name) && complete
  TAKE(session_callbacks_new);
  TAKE(session_callbacks_del);
  TAKE(session_callbacks_set_on_begin_headers_callback);
  TAKE(session_callbacks_set_on_header_callback);
  TAKE(session_callbacks_set_on_frame_recv_callback);
  TAKE(session_callbacks_set_on_data_chunk_recv_callback);
  TAKE(session_callbacks_set_on_stream_close_callback);
  TAKE(session_callbacks_set_on_invalid_frame_recv_callback);
  TAKE(option_new);
  TAKE(option_del);
  TAKE(option_set_no_closed_streams);
  TAKE(session_server_new2);
  TAKE(session_del);
  TAKE(session_mem_recv);
  TAKE(session_mem_send);
  TAKE(session_want_read);
  TAKE(session_want_write);
  TAKE(session_set_local_window_size);
  TAKE(session_get_last_proc_stream_id);
  TAKE(submit_settings);
  TAKE(submit_response);
  TAKE(submit_trailer);
  TAKE(submit_rst_stream);
  TAKE(submit_ping);
  TAKE(submit_goaway);
#undef TAKE
  return complete;
}

}  // namespace

const Nghttp2* Nghttp2::find() {
  static Nghttp2 library;
  static const bool complete = take_all(library);
  return complete ? &library : nullptr;
}

}  // namespace elanus::http2
