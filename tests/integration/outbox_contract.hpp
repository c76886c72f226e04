// integration/outbox_contract.hpp: what every outbox must keep, whatever it is made of.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kit/loop_test.hpp"
#include "store/outbox.hpp"

namespace etcdmon::test {

using namespace std::chrono_literals;
using store::Settlement;

/// An outbox, and a way to let time go by for it.
class OutboxBackend {
 public:
  virtual ~OutboxBackend() = default;
  virtual store::Outbox& outbox() = 0;
  virtual void pass(std::chrono::milliseconds time) = 0;
};

using MakeBackend = std::function<std::unique_ptr<OutboxBackend>(Loop&)>;
struct NamedBackend {
  std::string name;
  MakeBackend make;
};

inline model::Notification note(std::string channel, std::string key,
                                model::Why why = model::Why::kNew, int second = 0) {
  model::Notification notification;
  notification.channel = std::move(channel);
  notification.dedup_key = std::move(key);
  notification.why = why;
  notification.status = why == model::Why::kResolved ? model::NotificationStatus::kResolved
                                                     : model::NotificationStatus::kFiring;
  notification.created_at = WallTime(std::chrono::seconds(second));
  notification.alerts.emplace_back().summary = "said at " + std::to_string(second);
  return notification;
}

class OutboxContract : public kit::LoopTest, public testing::WithParamInterface<NamedBackend> {
 protected:
  void SetUp() override { backend_ = GetParam().make(loop_); }

  store::Outbox& outbox() { return backend_->outbox(); }
  void pass(std::chrono::milliseconds time) { backend_->pass(time); }

  void push(std::vector<model::Notification> notifications) {
    const auto pushed = run(outbox().push(std::move(notifications)));
    ASSERT_TRUE(pushed) << pushed.error().message;
  }
  std::vector<store::Lease> claim(const std::string& channel, std::size_t limit = 10,
                                  std::chrono::milliseconds hold = 60s) {
    auto claimed = run(outbox().claim(channel, limit, hold));
    EXPECT_TRUE(claimed) << (claimed ? "" : claimed.error().message);
    return claimed ? std::move(claimed->leases) : std::vector<store::Lease>{};
  }
  std::vector<std::string> keys(const std::string& channel, std::size_t limit = 10) {
    std::vector<std::string> found;
    for (const auto& lease : claim(channel, limit)) found.push_back(lease.notification.dedup_key);
    return found;
  }
  Result<void> settle(const store::Lease& lease, Settlement settlement) {
    return run(outbox().settle(lease.id, std::move(settlement)));
  }
  static Settlement retry(std::chrono::milliseconds backoff) {
    return {.kind = Settlement::Kind::kRetry, .backoff = backoff};
  }

  std::unique_ptr<OutboxBackend> backend_;
};

TEST_P(OutboxContract, WhatIsPushedIsHandedOutInOrderAndAsItWas) {
  const auto first = note("slack", "a");
  push({first, note("slack", "b"), note("mail", "c")});
  const auto leases = claim("slack");
  ASSERT_EQ(leases.size(), 2U);
  EXPECT_EQ(leases[0].notification, first);
  EXPECT_EQ(leases[0].attempt, 1);
  EXPECT_EQ(leases[1].notification.dedup_key, "b");
  EXPECT_NE(leases[0].id, leases[1].id);
  EXPECT_THAT(keys("mail"), testing::ElementsAre("c"));
}

TEST_P(OutboxContract, NothingDueIsNoError) {
  const auto claimed = run(outbox().claim("slack", 10, 1s));
  ASSERT_TRUE(claimed);
  EXPECT_TRUE(claimed->leases.empty());
}

TEST_P(OutboxContract, WhatIsLeasedIsNotHandedOutTwice) {
  push({note("slack", "a")});
  EXPECT_THAT(keys("slack"), testing::ElementsAre("a"));
  EXPECT_THAT(keys("slack"), testing::IsEmpty());
}

TEST_P(OutboxContract, AnExpiredLeaseHandsItOutAgainAndCannotBeSettled) {
  push({note("slack", "a")});
  const auto lost = claim("slack", 10, 50ms);
  ASSERT_EQ(lost.size(), 1U);
  pass(100ms);
  const auto again = claim("slack");
  ASSERT_EQ(again.size(), 1U);
  EXPECT_EQ(again[0].notification, lost[0].notification);
  const auto settled = settle(lost[0], {.kind = Settlement::Kind::kDelivered});
  ASSERT_FALSE(settled);
  EXPECT_EQ(settled.error().code, ErrorCode::kNotFound);
  EXPECT_TRUE(settle(again[0], {.kind = Settlement::Kind::kDelivered}));
}

TEST_P(OutboxContract, WhatIsDeliveredLeaves) {
  push({note("slack", "a")});
  const auto leases = claim("slack");
  ASSERT_EQ(leases.size(), 1U);
  EXPECT_TRUE(settle(leases[0], {.kind = Settlement::Kind::kDelivered}));
  EXPECT_FALSE(settle(leases[0], {.kind = Settlement::Kind::kDelivered}));
  pass(100ms);
  EXPECT_THAT(keys("slack"), testing::IsEmpty());
}

TEST_P(OutboxContract, WhatFailedComesBackAfterItsBackoffAndCountsItsAttempts) {
  push({note("slack", "a")});
  auto leases = claim("slack");
  ASSERT_EQ(leases.size(), 1U);
  ASSERT_TRUE(settle(leases[0], retry(300ms)));
  const auto claimed = run(outbox().claim("slack", 10, 1s));
  ASSERT_TRUE(claimed);
  EXPECT_TRUE(claimed->leases.empty());
  ASSERT_TRUE(claimed->next_in);
  EXPECT_LE(*claimed->next_in, 1s);
  pass(350ms);
  leases = claim("slack");
  ASSERT_EQ(leases.size(), 1U);
  EXPECT_EQ(leases[0].attempt, 2);
}

TEST_P(OutboxContract, WhatIsReleasedIsDueAtOnceAndCountsNoAttempt) {
  push({note("slack", "a")});
  const auto leases = claim("slack");
  ASSERT_EQ(leases.size(), 1U);
  ASSERT_TRUE(settle(leases[0], {.kind = Settlement::Kind::kReleased}));
  const auto again = claim("slack");
  ASSERT_EQ(again.size(), 1U);
  EXPECT_EQ(again[0].attempt, 1);
}

TEST_P(OutboxContract, OrderHoldsWithinAKeyEvenWhileItsFirstBacksOff) {
  push({note("slack", "a"), note("slack", "b"), note("slack", "a", model::Why::kResolved)});
  const auto leases = claim("slack");
  ASSERT_EQ(leases.size(), 2U);
  EXPECT_EQ(leases[0].notification.dedup_key, "a");
  EXPECT_EQ(leases[1].notification.dedup_key, "b");
  ASSERT_TRUE(settle(leases[0], retry(200ms)));
  EXPECT_THAT(keys("slack"), testing::IsEmpty());
  pass(250ms);
  const auto again = claim("slack");
  ASSERT_EQ(again.size(), 1U);
  EXPECT_EQ(again[0].notification.status, model::NotificationStatus::kFiring);
  ASSERT_TRUE(settle(again[0], {.kind = Settlement::Kind::kDelivered}));
  const auto last = claim("slack");
  ASSERT_EQ(last.size(), 1U);
  EXPECT_EQ(last[0].notification.status, model::NotificationStatus::kResolved);
}

TEST_P(OutboxContract, AReminderReplacesWhatWaitsAndKeepsItsPlaceAndItsNews) {
  push({note("slack", "a"), note("slack", "b")});
  push({note("slack", "a", model::Why::kRepeat, 7)});
  const auto leases = claim("slack");
  ASSERT_EQ(leases.size(), 2U);
  EXPECT_EQ(leases[0].notification.dedup_key, "a");
  EXPECT_EQ(leases[0].notification.why, model::Why::kNew);
  EXPECT_EQ(leases[0].notification.alerts.at(0).summary, "said at 7");
}

TEST_P(OutboxContract, WhatIsBeingSentIsNotReplaced) {
  push({note("slack", "a")});
  const auto sending = claim("slack");
  ASSERT_EQ(sending.size(), 1U);
  push({note("slack", "a", model::Why::kChanged, 7)});
  ASSERT_TRUE(settle(sending[0], {.kind = Settlement::Kind::kDelivered}));
  const auto next = claim("slack");
  ASSERT_EQ(next.size(), 1U);
  EXPECT_EQ(next[0].notification.why, model::Why::kChanged);
}

TEST_P(OutboxContract, ADeadLetterIsKeptUntilItIsRevived) {
  push({note("slack", "a")});
  const auto leases = claim("slack");
  ASSERT_EQ(leases.size(), 1U);
  Settlement dead{.kind = Settlement::Kind::kDead};
  dead.attempt = store::Attempt{.channel = "slack", .outcome = "rejected", .why = "HTTP 404"};
  ASSERT_TRUE(settle(leases[0], dead));
  EXPECT_THAT(keys("slack"), testing::IsEmpty());
  const auto letters = run(outbox().dead_letters(10));
  ASSERT_TRUE(letters);
  ASSERT_EQ(letters->size(), 1U);
  EXPECT_EQ(letters->at(0).notification, leases[0].notification);
  EXPECT_EQ(letters->at(0).attempts, 1);
  EXPECT_EQ(letters->at(0).why, "HTTP 404");
  ASSERT_TRUE(run(outbox().revive(letters->at(0).id)));
  EXPECT_THAT(keys("slack"), testing::ElementsAre("a"));
  const auto again = run(outbox().revive(letters->at(0).id));
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, ErrorCode::kNotFound);
}

TEST_P(OutboxContract, ADeadLetterThatIsDroppedIsGone) {
  push({note("slack", "a")});
  const auto leases = claim("slack");
  ASSERT_EQ(leases.size(), 1U);
  ASSERT_TRUE(settle(leases[0], {.kind = Settlement::Kind::kDead}));
  const auto letters = run(outbox().dead_letters(10));
  ASSERT_TRUE(letters);
  ASSERT_EQ(letters->size(), 1U);
  ASSERT_TRUE(run(outbox().drop(letters->at(0).id)));
  EXPECT_TRUE(run(outbox().dead_letters(10))->empty());
  const auto again = run(outbox().drop(letters->at(0).id));
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, ErrorCode::kNotFound);
  EXPECT_THAT(keys("slack"), testing::IsEmpty());
}

TEST_P(OutboxContract, CountsSayWhatWaitsAndWhatIsDead) {
  push({note("mail", "x", model::Why::kNew, 5), note("slack", "a", model::Why::kNew, 9),
        note("slack", "b", model::Why::kNew, 8)});
  const auto leases = claim("mail");
  ASSERT_EQ(leases.size(), 1U);
  ASSERT_TRUE(settle(leases[0], {.kind = Settlement::Kind::kDead}));
  const auto counts = run(outbox().counts());
  ASSERT_TRUE(counts);
  ASSERT_EQ(counts->size(), 2U);
  EXPECT_EQ(counts->at(0).channel, "mail");
  EXPECT_EQ(counts->at(0).waiting, 0U);
  EXPECT_EQ(counts->at(0).dead, 1U);
  EXPECT_EQ(counts->at(1).waiting, 2U);
  EXPECT_EQ(counts->at(1).oldest, WallTime(8s));
}

TEST_P(OutboxContract, ALimitIsALimit) {
  push({note("slack", "a"), note("slack", "b"), note("slack", "c")});
  EXPECT_THAT(keys("slack", 2), testing::ElementsAre("a", "b"));
  EXPECT_THAT(keys("slack", 2), testing::ElementsAre("c"));
}

}  // namespace etcdmon::test
