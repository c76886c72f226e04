// store/outbox.hpp: notifications that survive a crash.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "async/task.hpp"
#include "base/clock.hpp"
#include "base/result.hpp"
#include "model/notification.hpp"

namespace etcdmon::store {

/// One try to deliver, for the history.
struct Attempt {
  std::string channel;
  std::string message_id;
  std::string dedup_key;
  int number = 1;  ///< of this message
  WallTime at;
  std::chrono::milliseconds took{0};
  std::string outcome;  ///< "delivered", "retry", "rejected"
  int status = 0;       ///< HTTP status or SMTP code; 0: there was no answer
  std::string why;      ///< empty when delivered; never carries a secret
};

/// Proof that one worker holds one notification until `expires`.
struct Lease {
  std::string id;
  model::Notification notification;
  int attempt = 1;     ///< 1 on the first delivery
  SteadyTime expires;  ///< after this, another worker may get the same notification
};

struct Claimed {
  std::vector<Lease> leases;
  /// When to ask again, if nothing is pushed before; nullopt: nothing waits.
  std::optional<std::chrono::milliseconds> next_in;
};

/// What became of a leased notification.
struct Settlement {
  enum class Kind : std::uint8_t {
    kDelivered,  ///< the far side took it: it leaves
    kRetry,      ///< due again after `backoff`
    kDead,       ///< it will never be taken: to the dead letters
    kReleased,   ///< not tried (the monitor stops): due at once, and no attempt is counted
  };
  Kind kind = Kind::kDelivered;
  std::chrono::milliseconds backoff{0};
  std::optional<Attempt> attempt;
};

/// A notification that was given up: kept until somebody revives or drops it.
struct DeadLetter {
  std::string id;
  model::Notification notification;
  int attempts = 0;
  WallTime died_at;
  std::string why;
};

/// How one channel's queue stands.
struct QueueCount {
  std::string channel;
  std::uint64_t waiting = 0;
  std::uint64_t dead = 0;
  std::optional<WallTime> oldest;  ///< when the oldest waiting one was made
};

/// A durable queue between the alert engine and the notification workers.
///
/// Delivery is at least once: an entry leaves only through settle(), so a crash or an expired lease
/// hands it out again. Channels send `dedup_key` to the far side. Order holds within a channel's
/// dedup key, not across keys: an entry is not handed out before the older ones of its key left.
///
/// Threads:  the loop only; disk and network work happens elsewhere.
/// Lifetime: closed after the last worker.
class Outbox {
 public:
  virtual ~Outbox() = default;

  /// Stores all of them or none; once this returns, they are on disk. An entry that waits, and is
  /// the last one of its channel, key and status, is replaced and keeps its place: one more
  /// reminder says nothing that the newest does not say.
  /// Errors: kResourceExhausted when full, or the disk is (nothing is dropped to make room);
  ///         kUnavailable when the backend cannot be reached. Retrying is safe.
  virtual Task<Result<void>> push(std::vector<model::Notification> notifications) = 0;

  /// Leases up to `limit` entries of `channel` that are due, for `hold`. Nothing due is no error.
  virtual Task<Result<Claimed>> claim(std::string channel, std::size_t limit,
                                      std::chrono::milliseconds hold) = 0;

  /// Ends a lease. Errors: kNotFound if it has expired and somebody else holds the entry, or it
  /// has left.
  virtual Task<Result<void>> settle(std::string lease_id, Settlement settlement) = 0;

  /// The newest first.
  virtual Task<Result<std::vector<DeadLetter>>> dead_letters(std::size_t limit) = 0;
  /// Puts a dead letter back at the end of its queue.
  /// Errors: kNotFound.
  virtual Task<Result<void>> revive(std::string dead_letter_id) = 0;
  /// Forgets a dead letter. Errors: kNotFound.
  virtual Task<Result<void>> drop(std::string dead_letter_id) = 0;

  virtual Task<Result<std::vector<QueueCount>>> counts() = 0;
};

}  // namespace etcdmon::store
