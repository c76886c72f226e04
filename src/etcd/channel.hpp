// etcd/channel.hpp: calls to one cluster through whichever of its endpoints answers.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/log.hpp"
#include "etcd/client.hpp"
#include "rpc/connection.hpp"

namespace etcdmon::etcd {

struct ChannelOptions {
  std::vector<net::Endpoint> endpoints{};  ///< asked in this order; at least one
  std::shared_ptr<net::TlsContext> tls{};  ///< needed when an endpoint has tls
  std::shared_ptr<TokenSource> tokens{};   ///< nullptr: no login
  std::chrono::milliseconds dial_timeout{5'000};
  std::size_t max_message = 2'147'483'647U;  ///< of an answer
};

/// May a call be made again when nobody knows what became of it?
enum class Repeat : std::uint8_t {
  kSafe,    ///< it only reads, or leaves the same behind however often it is made
  kUnsafe,  ///< only where it certainly never reached a server, or the server refused it unseen
};

/// One call. `path` must outlive it.
struct Ask {
  // No aggregate: g++ 12 destroys an aggregate's temporary in a co_await expression twice.
  Ask(std::string_view p, std::string r, Repeat again, Deadline d)
      : path(p), request(std::move(r)), repeat(again), deadline(d) {}

  std::string_view path;
  std::string request;
  Repeat repeat;
  Deadline deadline;
};

/// One cluster behind several endpoints, each with a connection of its own that is made when it is
/// needed. Stays with the endpoint that answered last.
///
/// A call that may be repeated gets its share of the time at each endpoint, and is asked again
/// while the cluster elects a leader. A change goes to the next endpoint only if this one was never
/// reached or refused it unseen. Otherwise its error says that the outcome is unknown, see
/// is_outcome_unknown().
///
/// Threads:  the loop only.
/// Lifetime: close() must have completed before destruction.
/// Errors:   what the server said, in its words (Cause::kNone); what the transport saw, with the
///           endpoint's name; kUnauthenticated where the login failed.
class Channel {
 public:
  Channel(Executor executor, net::Resolver& resolver, ChannelOptions options, const Logger& logger);
  ~Channel();
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;

  /// Ends all calls with kCancelled.
  Task<> close();

  Task<Result<std::string>> call(Ask ask);

  /// Opens a stream at the present endpoint, or the next ones if it cannot be reached.
  struct StreamOptions {
    StreamOptions(std::string_view p, std::string r, rpc::Connection::HalfClose h)
        : path(p), request(std::move(r)), half_close(h) {}

    std::string_view path;
    std::string request;
    rpc::Connection::HalfClose half_close;
    bool require_leader = false;  ///< the server ends the stream when it loses the leader
    Deadline deadline = Deadline::max();
  };
  Task<Result<std::unique_ptr<rpc::MessageStream>>> open(StreamOptions options);
  /// The present endpoint failed a stream: the next call goes to another one.
  void move_on();
  /// A stream was refused for its token: the next one gets a fresh one.
  void forget_token();

  /// Of the endpoint that the next call goes to.
  const net::Endpoint& endpoint() const;
  std::size_t size() const { return peers_.size(); }

 private:
  struct Peer;

  Task<Result<void>> log_in(rpc::Connection& connection, Deadline deadline);
  Task<Result<std::string>> attempt(Peer& peer, const Ask& ask, Deadline deadline, bool& sent);
  Error all_failed(Error last) const;

  Executor executor_;
  std::vector<std::unique_ptr<Peer>> peers_;
  std::shared_ptr<TokenSource> tokens_;
  std::size_t current_ = 0;
  bool logged_in_ = false;
  std::string refused_token_;
};

/// A change was sent and nobody knows whether it was made: the connection broke, the deadline
/// passed, or the cluster lost its leader meanwhile. Look before asking again.
bool is_outcome_unknown(const Error& error);
/// The cluster or the member cannot do it just now.
bool is_passing(const Error& error);

}  // namespace etcdmon::etcd
