// store/relay_outbox.hpp: the local spool in front of an outbox that several monitors share.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <utility>

#include "base/log.hpp"
#include "store/outbox.hpp"

namespace etcdmon::store {

/// What is pushed lies in the spool first, in the transaction of the alert it follows from; it
/// moves to the shared outbox when a worker asks for work. While the shared one is away nothing is
/// lost: it waits here, and after `deliver_after` it is delivered from here, since a page that
/// comes twice is better than one that waits for somebody to repair a queue.
///
/// Lifetime: both outboxes outlive it.
class RelayOutbox final : public Outbox {
 public:
  struct Options {
    std::chrono::milliseconds deliver_after{30'000};
    /// While it is away, each attempt to reach it may cost every channel its whole timeout.
    std::chrono::milliseconds knock_every{2'000};
  };

  RelayOutbox(Outbox& spool, Outbox& shared, const Clock& clock, Options options, Logger logger)
      : spool_(spool),
        shared_(shared),
        clock_(clock),
        options_(options),
        logger_(std::move(logger)) {}

  Task<Result<void>> push(std::vector<model::Notification> notifications) override;
  Task<Result<Claimed>> claim(std::string channel, std::size_t limit,
                              std::chrono::milliseconds hold) override;
  Task<Result<void>> settle(std::string lease_id, Settlement settlement) override;
  /// Of both; the ids say whose they are.
  Task<Result<std::vector<DeadLetter>>> dead_letters(std::size_t limit) override;
  Task<Result<void>> revive(std::string dead_letter_id) override;
  Task<Result<void>> drop(std::string dead_letter_id) override;
  Task<Result<std::vector<QueueCount>>> counts() override;

  bool shared_is_away() const { return away_since_.has_value(); }

 private:
  Task<Result<void>> forward(std::string channel);
  Task<Result<Claimed>> claim_from_spool(std::string channel, std::size_t limit,
                                         std::chrono::milliseconds hold);
  bool knocks() const;
  void away(const Error& error);
  void back();

  Outbox& spool_;
  Outbox& shared_;
  const Clock& clock_;
  Options options_;
  Logger logger_;
  std::optional<SteadyTime> away_since_;
  SteadyTime knock_at_{};  ///< not before, while it is away
};

}  // namespace etcdmon::store
