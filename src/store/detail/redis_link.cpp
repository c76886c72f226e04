#include "store/detail/redis_link.hpp"

#include <array>
#include <span>
#include <utility>

#include <fmt/format.h>
#include <hiredis/hiredis.h>

#include "async/timeout.hpp"

namespace etcdmon::store::detail {

namespace {

struct FreeReader {
  void operator()(redisReader* reader) const { redisReaderFree(reader); }
};
struct FreeReply {
  void operator()(void* reply) const { freeReplyObject(reply); }
};

RedisReply to_reply(const redisReply& from) {
  RedisReply reply;
  switch (from.type) {
    case REDIS_REPLY_INTEGER:
      reply.kind = RedisReply::Kind::kNumber;
      reply.number = from.integer;
      break;
    case REDIS_REPLY_STRING:
    case REDIS_REPLY_STATUS:
      reply.kind = RedisReply::Kind::kText;
      reply.text.assign(from.str, static_cast<std::size_t>(from.len));
      break;
    case REDIS_REPLY_ARRAY:
      reply.kind = RedisReply::Kind::kList;
      for (std::size_t i = 0; i < from.elements; ++i)
        reply.list.push_back(to_reply(*from.element[i]));
      break;
    default:
      break;
  }
  return reply;
}

std::string formatted(const std::vector<std::string>& command) {
  std::vector<const char*> words;
  std::vector<std::size_t> lengths;
  for (const auto& word : command) {
    words.push_back(word.data());
    lengths.push_back(word.size());
  }
  char* bytes = nullptr;
  const int length =
      redisFormatCommandArgv(&bytes, static_cast<int>(words.size()), words.data(), lengths.data());
  std::string text(bytes, static_cast<std::size_t>(length));
  redisFreeCommand(bytes);
  return text;
}

}  // namespace

Error redis_error(std::string_view said) {
  const auto word = said.substr(0, said.find(' '));
  const auto make = [&](ErrorCode code) { return Error{code, fmt::format("Redis says {}", said)}; };
  if (word == "WRONGPASS" || word == "NOAUTH") return make(ErrorCode::kUnauthenticated);
  if (word == "NOPERM") return make(ErrorCode::kPermissionDenied);
  if (word == "OOM") return make(ErrorCode::kResourceExhausted);
  // A replica, a server that loads its data, one that a script holds up: another time, or another.
  for (const std::string_view away : {"READONLY", "LOADING", "BUSY", "MASTERDOWN", "CLUSTERDOWN"})
    if (word == away) return make(ErrorCode::kUnavailable);
  if (word == "NOSCRIPT") return make(ErrorCode::kNotFound);
  return make(ErrorCode::kInternal);
}

struct RedisLink::Connection {
  std::unique_ptr<net::Stream> stream;
  std::unique_ptr<redisReader, FreeReader> reader{redisReaderCreate()};
};

// The right to use the connection, given back when it goes.
class RedisLink::Turn {
 public:
  explicit Turn(RedisLink& link) : link_(link) { link_.busy_ = true; }
  ~Turn() {
    link_.busy_ = false;
    // Whoever was interrupted leaves half a conversation behind.
    if (!done_) link_.connection_.reset();
    link_.free_.set();
  }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;
  void done() { done_ = true; }

 private:
  RedisLink& link_;
  bool done_ = false;
};

RedisLink::RedisLink(net::Resolver& resolver, RedisOptions options)
    : resolver_(resolver), options_(std::move(options)) {}

RedisLink::~RedisLink() = default;

Task<Result<RedisReply>> RedisLink::run(std::vector<std::string> command) {
  while (busy_) {
    free_.reset();
    co_await free_.wait();
  }
  Turn turn(*this);
  const auto deadline = std::chrono::steady_clock::now() + options_.timeout;
  if (connection_ == nullptr) {
    const auto connected = co_await connect(deadline);
    if (!connected) co_return with_context(connected.error(), "Redis");
  }
  auto reply = co_await exchange(std::move(command), deadline);
  // An error that Redis itself told leaves the conversation in order.
  if (reply || reply.error().cause == Cause::kNone) turn.done();
  co_return reply;
}

Task<Result<void>> RedisLink::connect(Deadline deadline) {
  net::ConnectOptions options{.endpoint = options_.endpoint, .tls = options_.tls};
  auto stream = co_await net::Stream::connect(resolver_, std::move(options), deadline);
  if (!stream) co_return std::move(stream).error();
  connection_ = std::make_unique<Connection>();
  connection_->stream = *std::move(stream);
  if (!options_.password.empty()) {
    std::vector<std::string> login = {"AUTH"};
    if (!options_.user.empty()) login.push_back(options_.user);
    login.push_back(options_.password.reveal());
    const auto in = co_await exchange(std::move(login), deadline);
    if (!in) {
      connection_.reset();
      co_return in.error();
    }
  }
  if (options_.database != 0) {
    std::vector<std::string> select = {"SELECT", std::to_string(options_.database)};
    const auto selected = co_await exchange(std::move(select), deadline);
    if (!selected) {
      connection_.reset();
      co_return selected.error();
    }
  }
  co_return Result<void>{};
}

namespace {

Task<Result<std::size_t>> converse(net::Stream& stream, std::string out, redisReader& reader,
                                   void** reply) {
  const auto written = co_await stream.write_all(std::as_bytes(std::span(out)));
  if (!written) co_return written.error();
  std::array<std::byte, 16'384> bytes{};
  while (true) {
    if (redisReaderGetReply(&reader, reply) != REDIS_OK) {
      co_return Error{ErrorCode::kUnavailable, "what answers there is not Redis", Cause::kProtocol};
    }
    if (*reply != nullptr) co_return std::size_t{1};
    const auto read = co_await stream.read_some(bytes);
    if (!read) co_return read.error();
    if (*read == 0)
      co_return Error{ErrorCode::kUnavailable, "the connection was closed", Cause::kReset};
    redisReaderFeed(&reader, static_cast<const char*>(static_cast<const void*>(bytes.data())),
                    *read);
  }
}

}  // namespace

Task<Result<RedisReply>> RedisLink::exchange(std::vector<std::string> command, Deadline deadline) {
  void* raw = nullptr;
  auto talk = converse(*connection_->stream, formatted(command), *connection_->reader, &raw);
  const auto talked = co_await async::with_deadline(std::move(talk), deadline);
  const std::unique_ptr<void, FreeReply> held(raw);
  if (!talked) {
    co_return Error{ErrorCode::kDeadlineExceeded, "Redis does not answer", Cause::kTimeout};
  }
  if (!*talked) co_return with_context(talked->error(), "Redis");
  const auto& reply = *static_cast<const redisReply*>(raw);
  if (reply.type == REDIS_REPLY_ERROR)
    co_return redis_error(std::string_view(reply.str, static_cast<std::size_t>(reply.len)));
  co_return to_reply(reply);
}

}  // namespace etcdmon::store::detail
