#include "net/http_get.hpp"

#include <algorithm>
#include <optional>
#include <sys/socket.h>

#include <boost/asio/this_coro.hpp>
#include <fmt/format.h>

#include "net/detail/socket_error.hpp"
#include "net/detail/watchdog.hpp"
#include "net/http_response.hpp"

namespace etcdmon::net {

namespace {

constexpr std::size_t kScratch = 64U << 10U;
constexpr std::size_t kRoomsKept = 16;
constexpr std::size_t kLargestRoomKept = 4U << 20U;

// SO_RCVLOWAT: woken when all but this much of what came the last time is there.
constexpr std::size_t kSlack = 2U << 10U;
// With TLS the kernel counts more than we (headers of records) and OpenSSL may hold one record that
// is not complete: so the mark lies lower by the largest record.
constexpr std::size_t kTlsSlack = kSlack + (17U << 10U);
// Below this, waiting for more saves nothing.
constexpr std::size_t kWorthWaiting = 8U << 10U;
// A page that shrank by more than the slack is read after this.
constexpr std::chrono::milliseconds kLongestWait{20};

// Between a receive and the parser nobody else runs, so one buffer serves all clients of a thread.
std::span<std::byte> scratch() {
  thread_local std::vector<std::byte> buffer(kScratch);
  return buffer;
}

std::vector<std::string>& free_rooms() {
  thread_local std::vector<std::string> rooms;
  return rooms;
}

// Room for a body of that size. It is borrowed when the first byte is there: a thousand members
// that were asked at once do not answer at once.
std::string borrow_room(std::size_t size) {
  std::string room;
  if (auto& rooms = free_rooms(); !rooms.empty()) {
    room = std::move(rooms.back());
    rooms.pop_back();
  }
  room.clear();
  room.reserve(size);
  return room;
}

using Body = std::unique_ptr<std::string, HttpGet::ReturnBody>;

Error bad_url(std::string_view why) {
  return Error{ErrorCode::kInvalidArgument,
               fmt::format("url: {}; write http://host:port/path or https://host:port/path", why)};
}

std::string request_for(const HttpUrl& url) {
  std::string host = url.endpoint.authority();
  // The zone of a link-local address means something on this host only.
  if (const auto zone = host.find('%'); zone != std::string::npos) {
    host.erase(zone, host.find(']') - zone);
  }
  return fmt::format(
      "GET {} HTTP/1.1\r\nHost: {}\r\nUser-Agent: etcd-monitor\r\n"
      "Accept: text/plain;version=0.0.4\r\nAccept-Encoding: identity\r\n\r\n",
      url.target, host);
}

void set_low_water(const Stream& stream, std::size_t bytes) {
  const int value = static_cast<int>(bytes);
  ::setsockopt(stream.native_handle(), SOL_SOCKET, SO_RCVLOWAT, &value, sizeof(value));
}

}  // namespace

void HttpGet::ReturnBody::operator()(std::string* body) const {
  const std::unique_ptr<std::string> owned(body);
  auto& rooms = free_rooms();
  // An answer that never began has borrowed nothing: kept, it would become one room more.
  const bool borrowed = body->capacity() > std::string().capacity();
  if (borrowed && rooms.size() < kRoomsKept && body->capacity() <= kLargestRoomKept) {
    rooms.push_back(std::move(*body));
  }
}

Result<HttpUrl> parse_http_url(std::string_view text) {
  const auto scheme_end = text.find("://");
  if (scheme_end == std::string_view::npos) return bad_url("the scheme is missing");
  const auto host = scheme_end + 3;
  const auto host_end = std::min(text.find_first_of("/?#", host), text.size());
  const bool tls = text.substr(0, scheme_end) == "https";
  auto endpoint = parse_endpoint(text.substr(0, host_end), tls ? 443 : 80);
  if (!endpoint) return with_context(std::move(endpoint).error(), "url");

  HttpUrl url{.endpoint = *std::move(endpoint), .target = std::string(text.substr(host_end))};
  if (!url.target.starts_with('/')) url.target.insert(0, "/");
  if (url.target.find('#') != std::string::npos) return bad_url("a fragment is of no use");
  if (std::ranges::any_of(url.target, [](char c) { return c <= ' ' || c > '~'; })) {
    return bad_url("the path has characters that must be percent-encoded");
  }
  return url;
}

class HttpGet::Session {
 public:
  Session(Resolver& resolver, HttpGetOptions options)
      : resolver_(resolver),
        options_(std::move(options)),
        request_(request_for(options_.url)),
        response_(options_.max_body.value) {}

  Task<Result<Answer>> get(Deadline deadline);
  void close();
  const std::vector<Certificate>& certificates() const { return *certificates_; }

 private:
  Task<Result<void>> connect(Deadline deadline);
  Task<Result<void>> exchange();
  Result<void> take(std::size_t bytes);
  Result<void> ended();
  bool is_usable();
  void wait_for_most();
  void end_waiting_for_most();
  std::string doing() const;

  Resolver& resolver_;
  HttpGetOptions options_;
  std::string request_;
  HttpResponse response_;
  std::shared_ptr<std::vector<Certificate>> certificates_ =
      std::make_shared<std::vector<Certificate>>();
  std::unique_ptr<Stream> stream_;
  std::optional<detail::Watchdog> deadline_;
  std::optional<detail::Watchdog> longest_wait_;
  std::string* body_ = nullptr;    // of the present answer
  std::size_t received_ = 0;       // of it, framing included
  std::size_t last_received_ = 0;  // of the last good one
  bool in_exchange_ = false;       // a request is out and its answer not complete
  bool low_water_ = false;
};

Task<Result<HttpGet::Answer>> HttpGet::Session::get(Deadline deadline) {
  if (!deadline_) {
    const auto executor = co_await asio::this_coro::executor;
    deadline_.emplace(executor, [this] { close(); });
    longest_wait_.emplace(executor, [this] { end_waiting_for_most(); });
  }
  // Somebody was cancelled: what comes on this connection is not for us.
  if (in_exchange_ || !is_usable()) stream_.reset();
  bool kept = stream_ != nullptr;
  for (;;) {
    if (!stream_) {
      auto connected = co_await connect(deadline);
      if (!connected) co_return std::move(connected).error();
    }
    Body body(new std::string);
    body_ = body.get();
    response_.reset(*body);
    received_ = 0;
    in_exchange_ = true;
    deadline_->arm(deadline);
    auto exchanged = co_await exchange();
    deadline_->disarm();
    end_waiting_for_most();
    in_exchange_ = false;
    if (exchanged) {
      if (!response_.keep_alive()) stream_.reset();
      const std::string_view text = *body;
      co_return Answer{response_.status(), text, std::move(body)};
    }
    stream_.reset();
    if (deadline_->fired()) {
      co_return detail::timeout_error(
          doing(), fmt::format("no complete answer in time, only {} bytes of it", received_));
    }
    // The peer may have closed an idle connection just when we used it.
    const bool stale = kept && !response_.begun() && exchanged.error().cause == Cause::kReset;
    if (!stale) co_return with_context(std::move(exchanged).error(), doing());
    kept = false;
  }
}

// Under a get() the stream must stay, closed.
void HttpGet::Session::close() {
  if (stream_ && in_exchange_) stream_->close();
  if (!in_exchange_) stream_.reset();
}

Task<Result<void>> HttpGet::Session::connect(Deadline deadline) {
  ConnectOptions options{
      .endpoint = options_.url.endpoint, .tls = options_.tls, .certificates_shown = certificates_};
  auto stream = co_await Stream::connect(resolver_, std::move(options), deadline);
  if (!stream) co_return std::move(stream).error();
  stream_ = *std::move(stream);
  co_return Result<void>{};
}

Task<Result<void>> HttpGet::Session::exchange() {
  auto sent = co_await stream_->write_all(std::as_bytes(std::span(request_)));
  if (!sent) co_return std::move(sent).error();
  bool drained = true;
  for (;;) {
    if (drained) co_await stream_->wait_readable();
    auto result = stream_->try_read(scratch());
    if (deadline_->fired()) co_return Error{};
    switch (result.status) {
      case IoResult::Status::kWouldBlock:
        drained = true;
        wait_for_most();
        continue;
      case IoResult::Status::kError:
        co_return std::move(result.error);
      case IoResult::Status::kEnd:
        co_return ended();
      case IoResult::Status::kOk:
        break;
    }
    auto taken = take(result.bytes);
    if (!taken) co_return std::move(taken).error();
    if (response_.done()) break;
    // Without TLS a short read has emptied the socket.
    drained = !stream_->is_tls() && result.bytes < scratch().size();
    if (drained) wait_for_most();
  }
  if (response_.status() == 200) last_received_ = received_;
  co_return Result<void>{};
}

Result<void> HttpGet::Session::take(std::size_t bytes) {
  if (received_ == 0) *body_ = borrow_room(last_received_);
  received_ += bytes;
  const std::string_view text(reinterpret_cast<const char*>(scratch().data()), bytes);
  ETCDMON_TRY(const auto taken, response_.feed(text));
  if (taken < bytes) {
    // More than was asked for: the next answer on this connection would not be ours.
    return Error{ErrorCode::kInternal, "the peer sent more than one answer", Cause::kProtocol};
  }
  return {};
}

Result<void> HttpGet::Session::ended() {
  auto result = response_.end();
  // So do etcd's TLS ports when they are spoken to in plain text.
  if (!result && !response_.begun() && !stream_->is_tls()) {
    result.error().message += " (does it expect https?)";
  }
  return result;
}

// Nothing may come on an idle connection but its end.
bool HttpGet::Session::is_usable() {
  return stream_ && stream_->try_read(scratch()).status == IoResult::Status::kWouldBlock;
}

// etcd writes its page in some fifty chunks over milliseconds. With a low-water mark just under
// what came the last time, all of them are one wake-up.
void HttpGet::Session::wait_for_most() {
  end_waiting_for_most();
  if (!response_.has_head() || response_.status() != 200) return;
  const auto slack = stream_->is_tls() ? kTlsSlack : kSlack;
  if (last_received_ < received_ + slack + kWorthWaiting) return;
  low_water_ = true;
  set_low_water(*stream_, last_received_ - received_ - slack);
  longest_wait_->arm(std::chrono::steady_clock::now() + kLongestWait);
}

void HttpGet::Session::end_waiting_for_most() {
  if (!low_water_) return;
  low_water_ = false;
  longest_wait_->disarm();
  // Wakes us if anything is there.
  if (stream_) set_low_water(*stream_, 1);
}

// Without the query, which may hold a secret.
std::string HttpGet::Session::doing() const {
  const auto& target = options_.url.target;
  return fmt::format("GET {}{}", options_.url.endpoint.url(), target.substr(0, target.find('?')));
}

HttpGet::HttpGet(Resolver& resolver, HttpGetOptions options)
    : session_(std::make_unique<Session>(resolver, std::move(options))) {}

HttpGet::~HttpGet() = default;

Task<Result<HttpGet::Answer>> HttpGet::get(Deadline deadline) {
  return session_->get(deadline);
}
void HttpGet::close() {
  session_->close();
}
const std::vector<Certificate>& HttpGet::peer_certificates() const {
  return session_->certificates();
}

}  // namespace etcdmon::net
