#include "etcd/channel.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "async/retry.hpp"
#include "base/assert.hpp"
#include "etcd/detail/token_source.hpp"
#include "etcd/detail/unary.hpp"

namespace etcdmon::etcd {

namespace {

// An election takes one to two seconds.
constexpr async::RetryPolicy kPause{.base = std::chrono::milliseconds(50),
                                    .cap = std::chrono::milliseconds(500),
                                    .floor = std::chrono::milliseconds(20)};

SteadyTime now() {
  return std::chrono::steady_clock::now();
}

bool says(const Error& error, std::string_view text) {
  return error.message.find(text) != std::string::npos;
}

bool is_transport(const Error& error) {
  return error.cause != Cause::kNone;
}

// The server refused before it did anything.
bool is_refused_unseen(const Error& error) {
  return !is_transport(error) && (is_unsupported_for_learner(error) || is_no_leader(error) ||
                                  says(error, "etcdserver: too many requests"));
}

rpc::ConnectionOptions connection_options(const ChannelOptions& options, net::Endpoint endpoint) {
  rpc::ConnectionOptions connection;
  connection.endpoint = std::move(endpoint);
  connection.tls = options.tls;
  connection.dial_timeout = options.dial_timeout;
  connection.max_message = options.max_message;
  return connection;
}

// What never left cannot have an unknown outcome: the cause must not look like one.
Error as_not_sent(Error error) {
  switch (error.cause) {
    case Cause::kTimeout:
    case Cause::kReset:
    case Cause::kGoAway:
      error.code = ErrorCode::kUnavailable;
      error.cause = Cause::kUnreachable;
      break;
    default:
      break;
  }
  return error;
}

}  // namespace

bool is_outcome_unknown(const Error& error) {
  switch (error.cause) {
    case Cause::kTimeout:
    case Cause::kReset:
    case Cause::kGoAway:
      return true;
    case Cause::kNone:
      break;
    default:
      return false;
  }
  if (error.code == ErrorCode::kDeadlineExceeded || error.code == ErrorCode::kCancelled)
    return true;
  return says(error, "etcdserver: request timed out") ||
         says(error, "etcdserver: leader changed") || says(error, "etcdserver: server stopped");
}

bool is_passing(const Error& error) {
  if (is_transport(error)) return false;
  return error.code == ErrorCode::kUnavailable || is_no_leader(error) ||
         says(error, "etcdserver: too many requests");
}

struct Channel::Peer {
  Peer(Executor executor, net::Resolver& resolver, rpc::ConnectionOptions options,
       const Logger& logger)
      : endpoint(options.endpoint), connection(executor, resolver, std::move(options), logger) {}

  net::Endpoint endpoint;
  rpc::Connection connection;
};

Channel::Channel(Executor executor, net::Resolver& resolver, ChannelOptions options,
                 const Logger& logger)
    : executor_(executor), tokens_(options.tokens) {
  ETCDMON_ASSERT(!options.endpoints.empty());
  for (auto& endpoint : options.endpoints) {
    peers_.push_back(
        std::make_unique<Peer>(executor_, resolver, connection_options(options, endpoint), logger));
  }
}

Channel::~Channel() = default;

Task<> Channel::close() {
  for (const auto& peer : peers_) co_await peer->connection.close();
}

const net::Endpoint& Channel::endpoint() const {
  return peers_[current_]->endpoint;
}

void Channel::move_on() {
  current_ = (current_ + 1) % peers_.size();
}

void Channel::forget_token() {
  if (tokens_) refused_token_ = tokens_->current();
  logged_in_ = false;
}

Task<Result<void>> Channel::log_in(rpc::Connection& connection, Deadline deadline) {
  if (!tokens_ || logged_in_) co_return Result<void>{};
  if (tokens_->current().empty() || tokens_->current() == refused_token_) {
    auto token = co_await tokens_->renew(connection, refused_token_, deadline);
    if (!token) co_return std::move(token).error();
  }
  logged_in_ = true;
  refused_token_.clear();
  co_return Result<void>{};
}

Task<Result<std::string>> Channel::attempt(Peer& peer, const Ask& ask, Deadline deadline,
                                           bool& sent) {
  sent = false;
  const auto logged_in = co_await log_in(peer.connection, deadline);
  if (!logged_in) co_return logged_in.error();
  auto answer =
      co_await authorised_unary(peer.connection, tokens_, ask.path, ask.request, deadline, &sent);
  if (answer || sent || !is_transport(answer.error())) co_return answer;
  co_return as_not_sent(std::move(answer).error());
}

Error Channel::all_failed(Error last) const {
  if (!is_transport(last)) return last;
  if (peers_.size() == 1) return with_context(std::move(last), endpoint().url());
  return with_context(std::move(last), fmt::format("none of {} endpoints answers; the last, {}",
                                                   peers_.size(), endpoint().url()));
}

Task<Result<std::string>> Channel::call(Ask ask) {
  async::Random random{std::random_device{}()};
  for (int round = 1;; ++round) {
    Error last;
    for (std::size_t left = peers_.size(); left > 0; --left) {
      auto deadline = ask.deadline;
      // A member that hangs must not eat the time of the others.
      if (ask.repeat == Repeat::kSafe && left > 1 && deadline != Deadline::max())
        deadline = now() + (deadline - now()) / static_cast<std::int64_t>(left);
      bool sent = false;
      auto& peer = *peers_[current_];
      const bool kept = peer.connection.up();
      auto answer = co_await attempt(peer, ask, deadline, sent);
      // A kept connection may have died unseen; the next attempt makes a new one.
      if (!answer && kept && is_transport(answer.error()) &&
          (ask.repeat == Repeat::kSafe || !sent) && now() < deadline) {
        answer = co_await attempt(peer, ask, deadline, sent);
      }
      if (answer) co_return answer;
      last = std::move(answer).error();
      const bool elsewhere = is_refused_unseen(last) || ((is_transport(last) || is_passing(last)) &&
                                                         (ask.repeat == Repeat::kSafe || !sent));
      if (!elsewhere) {
        if (ask.repeat == Repeat::kUnsafe && is_outcome_unknown(last))
          co_return with_context(std::move(last),
                                 "the outcome is unknown, the change may have been made");
        co_return is_transport(last) ? with_context(std::move(last), endpoint().url()) : last;
      }
      if (left > 1) move_on();
    }
    const auto pause = *kPause.next(round, random);
    if (!is_passing(last) || is_unsupported_for_learner(last) || now() + pause >= ask.deadline)
      co_return all_failed(std::move(last));
    move_on();
    co_await async::sleep_for(pause);
  }
}

Task<Result<std::unique_ptr<rpc::MessageStream>>> Channel::open(StreamOptions options) {
  Error last;
  for (std::size_t left = peers_.size(); left > 0; --left) {
    auto& connection = peers_[current_]->connection;
    auto logged_in = co_await log_in(connection, options.deadline);
    if (logged_in) {
      rpc::Metadata metadata;
      if (tokens_ && !tokens_->current().empty())
        metadata.emplace_back("token", tokens_->current());
      if (options.require_leader) metadata.emplace_back("hasleader", "true");
      rpc::Call call{options.path, options.request, options.deadline, &metadata};
      auto stream = co_await connection.open(std::move(call), options.half_close);
      if (stream) co_return std::move(stream);
      last = std::move(stream).error();
    } else {
      last = std::move(logged_in).error();
    }
    if (!is_transport(last) && !is_passing(last)) co_return last;
    if (left > 1) move_on();
  }
  co_return all_failed(std::move(last));
}

}  // namespace etcdmon::etcd
