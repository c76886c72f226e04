// store/redis_outbox.hpp: an outbox in Redis Streams, which several monitors share.
#pragma once

#include <memory>
#include <string>

#include "base/secret.hpp"
#include "net/stream.hpp"
#include "store/outbox.hpp"

namespace etcdmon::store {

struct RedisOutboxOptions {
  net::Endpoint endpoint;
  std::shared_ptr<net::TlsContext> tls{};  ///< needed when endpoint.tls
  std::string user{};                      ///< of its ACL; empty: the default user
  Secret password{};
  std::uint32_t database = 0;
  std::string prefix = "etcdmon";  ///< of all keys
  std::string consumer{};          ///< this monitor's name among the workers; empty: host and pid
  /// Not empty: this monitor's name among several that see the same alerts. Then what another one
  /// has told already is not told again, and an end is told when nobody sees the alert any more.
  std::string holder{};
  std::chrono::milliseconds holds_for{180'000};  ///< of a monitor that died
  std::size_t max_waiting = 100'000;             ///< for each channel
};

/// A stream a channel with one consumer group. What a worker claimed is pending until it is
/// settled; when its lease is over, because the worker died, the next one claims it. Every step is
/// one Lua script, so that Redis does it as a whole, by its own clock.
///
/// Durable as Redis is: `appendfsync always` where a page must survive the loss of its machine.
class RedisOutbox final : public Outbox {
 public:
  RedisOutbox(net::Resolver& resolver, RedisOutboxOptions options);
  ~RedisOutbox() override;

  /// Says that we still see these; to be repeated well within `holds_for`.
  Task<Result<void>> hold(std::vector<std::string> dedup_keys);

  Task<Result<void>> push(std::vector<model::Notification> notifications) override;
  Task<Result<Claimed>> claim(std::string channel, std::size_t limit,
                              std::chrono::milliseconds hold) override;
  Task<Result<void>> settle(std::string lease_id, Settlement settlement) override;
  Task<Result<std::vector<DeadLetter>>> dead_letters(std::size_t limit) override;
  Task<Result<void>> revive(std::string dead_letter_id) override;
  Task<Result<void>> drop(std::string dead_letter_id) override;
  Task<Result<std::vector<QueueCount>>> counts() override;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace etcdmon::store
