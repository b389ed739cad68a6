// HTTP/2 sessions: whole requests, requests in pieces, and bytes that are neither.
#include <dlfcn.h>

#include <random>
#include <string>
#include <vector>

#include "../src/cc/http2/session.h"
#include "check.h"

using namespace elanus::http2;

namespace {

constexpr Limits kLimits{16, 65'536, 131'072, 16'384};
const std::string kPreface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

std::string frame(uint8_t type, uint8_t flags, uint32_t stream, const std::string& payload) {
  std::string bytes;
  for (int shift : {16, 8, 0}) bytes.push_back(static_cast<char>(payload.size() >> shift));
  bytes.push_back(static_cast<char>(type));
  bytes.push_back(static_cast<char>(flags));
  for (int shift : {24, 16, 8, 0}) bytes.push_back(static_cast<char>(stream >> shift));
  return bytes + payload;
}

// A header field as it is, which HPACK allows (RFC 7541, section 6.2.2).
std::string literal(const std::string& name, const std::string& value) {
  return std::string(1, '\0') + static_cast<char>(name.size()) + name + static_cast<char>(value.size()) + value;
}

std::string request(uint32_t stream, const std::string& message) {
  const std::string headers = literal(":method", "POST") + literal(":scheme", "http") + literal(":path", "/s/M") +
                              literal(":authority", "a") + literal("dbname", "books");
  return frame(1, 4, stream, headers) + frame(0, 1, stream, message);
}

std::string begin() { return kPreface + frame(4, 0, 0, ""); }

struct Told {
  std::vector<EventKind> kinds;
  std::string body;
  std::string headers;
};

// Feeds `bytes` in pieces of `piece`, each at the very end of its memory, and takes everything that is to be sent.
bool feed(Session& session, const std::string& bytes, size_t piece, Told& told, std::string& sent) {
  std::vector<uint8_t> output(kOutputBytes);
  for (size_t at = 0; at < bytes.size(); at += piece) {
    const std::vector<uint8_t> input(bytes.begin() + at, bytes.begin() + std::min(at + piece, bytes.size()));
    const bool is_sound = session.receive(input.data(), input.size());
    for (const Event& event : session.events()) {
      told.kinds.push_back(event.kind);
      if (event.kind == EventKind::kRequest) told.headers = session.headers(event.stream);
      if (event.kind == EventKind::kData)
        told.body.append(reinterpret_cast<const char*>(input.data()) + event.offset, event.length);
    }
    if (!is_sound) return false;
    ssize_t count = 0;
    while ((count = session.send(output.data())) > 0)
      sent.append(reinterpret_cast<const char*>(output.data()), count);
    if (count < 0) return false;
  }
  return true;
}

void hears_a_request_however_it_is_cut() {
  const std::string bytes = begin() + request(1, "message");
  for (size_t piece = 1; piece <= bytes.size(); ++piece) {
    checked_case = "pieces of " + std::to_string(piece);
    const auto session = Session::open(kLimits);
    Told told;
    std::string sent;
    CHECK(feed(*session, bytes, piece, told, sent));
    CHECK(told.headers == "/s/M\n:method\nPOST\n:scheme\nhttp\n:authority\na\ndbname\nbooks\n");
    CHECK(told.body == "message");
    CHECK(told.kinds.front() == EventKind::kRequest && told.kinds.back() == EventKind::kEnd);
  }
}

void answers_with_a_prefix_and_trailers() {
  for (const size_t size : {0, 5, 20'000, 65'000}) {
    checked_case = std::to_string(size);
    const auto session = Session::open(kLimits);
    Told told;
    std::string sent;
    CHECK(feed(*session, begin() + request(1, "m"), 1000, told, sent));
    const std::vector<uint8_t> message(size, 'x');
    CHECK(session->answer(1, message.data(), message.size(), nullptr));
    CHECK(!session->answer(1, message.data(), message.size(), nullptr));
    sent.clear();
    CHECK(feed(*session, frame(6, 0, 0, "12345678"), 17, told, sent));
    size_t body = 0;
    for (size_t at = 0; at + 9 <= sent.size();) {
      const auto byte = [&](size_t i) { return static_cast<uint8_t>(sent[at + i]); };
      const size_t length = byte(0) << 16 | byte(1) << 8 | byte(2);
      if (byte(3) == 0) body += length;
      at += 9 + length;
    }
    CHECK(body == size + 5);
    CHECK(session->headers(1).empty());
  }
}

void breaks_off_headers_without_end() {
  const auto session = Session::open(kLimits);
  std::string headers = literal(":method", "POST") + literal(":scheme", "http") + literal(":path", "/");
  for (int i = 0; i < 200; ++i) headers += literal("n" + std::to_string(i), "v");
  Told told;
  std::string sent;
  CHECK(feed(*session, begin() + frame(1, 5, 1, headers), 1000, told, sent));
  CHECK(told.kinds.empty());
  // RST_STREAM has the type 3.
  CHECK(sent.find(frame(3, 0, 1, "").substr(3, 6)) != std::string::npos);
}

// Of the sanitizers: whatever comes, no byte is read or written where there is none.
void survives_damage() {
  std::mt19937 random(7);
  for (int round = 0; round < 3'000; ++round) {
    checked_case = std::to_string(round);
    std::string bytes = begin();
    for (uint32_t stream = 1; stream < 12; stream += 2)
      bytes += request(stream, std::string(random() % 300, 'm'));
    const int hits = 1 + static_cast<int>(random() % 6);
    for (int i = 0; i < hits; ++i) bytes[random() % bytes.size()] = static_cast<char>(random());
    if (random() % 3 == 0) bytes.resize(random() % bytes.size());
    const auto session = Session::open(kLimits);
    Told told;
    std::string sent;
    feed(*session, bytes, 1 + random() % bytes.size(), told, sent);
    for (int32_t stream = 1; stream < 12; stream += 4) {
      session->answer(stream, reinterpret_cast<const uint8_t*>("answer"), 6, nullptr);
      session->refuse(stream + 2, {":status", "200"});
    }
    session->cancel(5);
    session->go_away();
    feed(*session, frame(6, 0, 0, "12345678"), 100, told, sent);
  }
}

}  // namespace

int main() {
  // The tests are no Node, which carries the library.
  if (dlopen("libnghttp2.so.14", RTLD_NOW | RTLD_GLOBAL) == nullptr) {
    std::puts("http2_session_test: skipped, this machine has no libnghttp2.so.14");
    return 0;
  }
  hears_a_request_however_it_is_cut();
  answers_with_a_prefix_and_trailers();
  breaks_off_headers_without_end();
  survives_damage();
}
