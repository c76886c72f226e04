// store/detail/redis_link.hpp: one connection to Redis: commands out, replies in.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "async/event.hpp"
#include "async/task.hpp"
#include "base/clock.hpp"
#include "base/secret.hpp"
#include "net/stream.hpp"

namespace etcdmon::store::detail {

/// What Redis answered; nested where it is an array.
struct RedisReply {
  enum class Kind : std::uint8_t { kNothing, kText, kNumber, kList };
  Kind kind = Kind::kNothing;
  std::string text;
  std::int64_t number = 0;
  std::vector<RedisReply> list;
};

struct RedisOptions {
  net::Endpoint endpoint;
  std::shared_ptr<net::TlsContext> tls{};
  std::string user{};  ///< empty: the default user
  Secret password{};
  std::uint32_t database = 0;
  std::chrono::milliseconds timeout{2'000};  ///< for connecting, and for each command
};

/// Connects when it is needed, logs in, and drops the connection after any failure: a reply that
/// came too late must not be taken for that of the next command.
///
/// Threads:  the loop only. Commands of several coroutines go one after the other.
/// Cancel:   drops the connection.
class RedisLink {
 public:
  RedisLink(net::Resolver& resolver, RedisOptions options);
  ~RedisLink();
  RedisLink(const RedisLink&) = delete;
  RedisLink& operator=(const RedisLink&) = delete;

  /// Errors: kUnavailable and kDeadlineExceeded: Redis is away; kUnauthenticated,
  /// kPermissionDenied: of its login and ACL; kResourceExhausted: its memory is full (OOM);
  /// kInternal: it refused the command, with what it said.
  Task<Result<RedisReply>> run(std::vector<std::string> command);

 private:
  struct Connection;
  class Turn;

  Task<Result<void>> connect(Deadline deadline);
  Task<Result<RedisReply>> exchange(std::vector<std::string> command, Deadline deadline);

  net::Resolver& resolver_;
  RedisOptions options_;
  std::unique_ptr<Connection> connection_;
  async::Event free_;
  bool busy_ = false;
};

/// "NOSCRIPT …", "WRONGPASS …": what an error reply means to us.
Error redis_error(std::string_view said);

}  // namespace etcdmon::store::detail
