// null_grpc_server: answers every unary call with the same message and does nothing else.
//
//   null_grpc_server PORT
//
// One thread, epoll, raw HTTP/2 frames: so cheap that the client is what is measured. It trusts its
// client: no flow control (answers are small and windows large), no HPACK decoding, one answer when
// a stream's request ends.
#include <arpa/inet.h>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string>
#include <string_view>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace {

constexpr std::size_t kFrameHeader = 9;
constexpr std::size_t kPreface = 24;
enum Type : unsigned char { kData = 0, kHeaders = 1, kSettings = 4, kPing = 6, kWindowUpdate = 8 };
constexpr unsigned char kEndStream = 1;
constexpr unsigned char kAck = 1;
constexpr unsigned char kEndHeaders = 4;

void put_frame(std::string& out, Type type, unsigned char flags, std::uint32_t stream,
               std::string_view payload) {
  const auto size = static_cast<std::uint32_t>(payload.size());
  for (const unsigned shift : {16U, 8U, 0U})
    out.push_back(static_cast<char>(size >> shift & 0xffU));
  out.push_back(static_cast<char>(type));
  out.push_back(static_cast<char>(flags));
  for (const unsigned shift : {24U, 16U, 8U, 0U})
    out.push_back(static_cast<char>(stream >> shift & 0xffU));
  out.append(payload);
}

std::string literal(std::string_view name, std::string_view value) {
  std::string field("\0", 1);  // literal without indexing, new name
  field.push_back(static_cast<char>(name.size()));
  field.append(name);
  field.push_back(static_cast<char>(value.size()));
  field.append(value);
  return field;
}

// What etcd sends for a Range of one key: header, a RangeResponse of 59 bytes, trailers. The frames
// are the same for all streams but for the stream's id.
struct Answer {
  std::string bytes;
  std::array<std::size_t, 3> id_at{};

  static Answer first() {
    // :status 200 from the static table; then both others with incremental indexing.
    return make(std::string("\x88") + indexed("content-type", "application/grpc"),
                indexed("grpc-status", "0") + indexed("grpc-message", ""));
  }
  // The client's table holds, newest first: grpc-message, grpc-status, content-type.
  static Answer later() { return make("\x88\xc0", "\xbf\xbe"); }

 private:
  static std::string indexed(std::string_view name, std::string_view value) {
    auto field = literal(name, value);
    field[0] = '\x40';
    return field;
  }
  static Answer make(std::string_view head, std::string_view trailers) {
    Answer answer;
    std::string message("\0\0\0\0\x3b", 5);
    message += std::string(
        "\x0a\x1c\x08\xa6\xd2\xfe\x9d\x92\xd8\xb5\x8c\xd4\x01\x10\xa5\xb9\xdc\xb7\xd4\xc1\xf1\xe1"
        "\x8e\x01\x18\x02\x20\x02",
        28);
    message += std::string(
        "\x12\x19\x0a\x03"
        "foo\x10\x02\x18\x02\x20\x01\x2a\x0c"
        "some value 1"
        "\x20\x01\x20\x01",
        31);
    message.resize(5 + 59, '\0');
    answer.id_at[0] = answer.bytes.size() + 5;
    put_frame(answer.bytes, kHeaders, kEndHeaders, 0, head);
    answer.id_at[1] = answer.bytes.size() + 5;
    put_frame(answer.bytes, kData, 0, 0, message);
    answer.id_at[2] = answer.bytes.size() + 5;
    put_frame(answer.bytes, kHeaders, kEndHeaders | kEndStream, 0, trailers);
    return answer;
  }
};

class Client {
 public:
  explicit Client(int fd) : fd_(fd) {
    put_frame(out_, kSettings, 0, 0, {"\0\x03\0\0\xff\xff", 6});  // MAX_CONCURRENT_STREAMS
    put_frame(out_, kWindowUpdate, 0, 0, {"\x3f\xff\0\0", 4});
  }
  ~Client() { close(fd_); }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  /// False when the connection is over.
  bool serve() {
    for (;;) {
      std::array<char, 65'536> buffer;
      const auto size = recv(fd_, buffer.data(), buffer.size(), MSG_DONTWAIT);
      if (size == 0 || (size < 0 && errno != EAGAIN)) return false;
      if (size < 0) break;
      in_.append(buffer.data(), static_cast<std::size_t>(size));
      take_frames();
      if (static_cast<std::size_t>(size) < buffer.size()) break;
    }
    return flush();
  }

 private:
  bool flush() {
    std::size_t sent = 0;
    while (sent < out_.size()) {
      const auto size = send(fd_, out_.data() + sent, out_.size() - sent, MSG_NOSIGNAL);
      if (size < 0) return false;
      sent += static_cast<std::size_t>(size);
    }
    out_.clear();
    return true;
  }

  unsigned byte(std::size_t at) const { return static_cast<unsigned char>(in_[at]); }

  void take_frames() {
    std::size_t at = 0;
    if (!preface_seen_) {
      if (in_.size() < kPreface) return;
      at = kPreface;
      preface_seen_ = true;
    }
    while (in_.size() - at >= kFrameHeader) {
      const std::size_t size = byte(at) << 16U | byte(at + 1) << 8U | byte(at + 2);
      if (in_.size() - at < kFrameHeader + size) break;
      take_frame(at, size);
      at += kFrameHeader + size;
    }
    in_.erase(0, at);
  }

  void take_frame(std::size_t at, std::size_t size) {
    const auto type = byte(at + 3);
    const auto flags = byte(at + 4);
    if ((type == kData || type == kHeaders) && (flags & kEndStream) != 0) answer(at + 5);
    if (type == kSettings && (flags & kAck) == 0) put_frame(out_, kSettings, kAck, 0, {});
    if (type == kPing && (flags & kAck) == 0) {
      put_frame(out_, kPing, kAck, 0, std::string_view(in_).substr(at + kFrameHeader, size));
    }
    if (type != kData || size == 0) return;
    unread_ += size;
    if (unread_ < 1U << 20U) return;
    std::string credit;
    for (const unsigned shift : {24U, 16U, 8U, 0U})
      credit.push_back(static_cast<char>(unread_ >> shift & 0xffU));
    put_frame(out_, kWindowUpdate, 0, 0, credit);
    unread_ = 0;
  }

  void answer(std::size_t id_at) {
    static const Answer kFirst = Answer::first();
    static const Answer kLater = Answer::later();
    const auto& answer = answered_ ? kLater : kFirst;
    answered_ = true;
    const auto start = out_.size();
    out_ += answer.bytes;
    for (const auto place : answer.id_at) out_.replace(start + place, 4, in_, id_at, 4);
  }

  int fd_;
  bool preface_seen_ = false;
  bool answered_ = false;
  std::size_t unread_ = 0;
  std::string in_;
  std::string out_;
};

void watch(int epoll, int fd) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.fd = fd;
  epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
}

int listen_on(std::uint16_t port) {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  const int on = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0 ||
      listen(fd, 1024) != 0) {
    std::perror("null_grpc_server");
    std::exit(1);
  }
  return fd;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fputs("usage: null_grpc_server PORT\n", stderr);
    return 2;
  }
  const int listener = listen_on(static_cast<std::uint16_t>(std::atoi(argv[1])));
  const int epoll = epoll_create1(0);
  watch(epoll, listener);
  std::map<int, Client> clients;
  for (;;) {
    std::array<epoll_event, 256> events;
    const int ready = epoll_wait(epoll, events.data(), static_cast<int>(events.size()), -1);
    for (int i = 0; i < ready; ++i) {
      const int fd = events[static_cast<std::size_t>(i)].data.fd;
      if (fd != listener) {
        if (!clients.at(fd).serve()) clients.erase(fd);
        continue;
      }
      const int client = accept(listener, nullptr, nullptr);
      if (client < 0) continue;
      const int on = 1;
      setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
      clients.try_emplace(client, client);
      watch(epoll, client);
    }
  }
}
