#include "alert/routing/router.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "alert/engine.hpp"

namespace etcdmon::alert {
namespace {

using namespace std::chrono_literals;
using model::AlertEvent;
using model::AlertState;
using model::Severity;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

std::vector<LabelMatcher> matching(std::vector<std::string> texts) {
  return parse_matchers(texts).value();
}

RoutingOptions to_slack() {
  RoutingOptions options;
  options.root.channels = {"slack"};
  return options;
}

// A router, a clock, and alerts that come and go.
struct Scene {
  explicit Scene(RoutingOptions options = to_slack()) : router(std::move(options)) {}

  static model::Alert alert(const std::string& rule, const std::string& subject,
                            Severity severity = Severity::kWarning) {
    model::Alert alert;
    alert.id = fingerprint("prod", rule, subject);
    alert.cluster = "prod";
    alert.rule = rule;
    alert.subject = subject;
    alert.severity = severity;
    alert.state = AlertState::kFiring;
    alert.summary = "it is so";
    alert.labels = {{"alertname", rule},
                    {"cluster", "prod"},
                    {"severity", std::string(model::name_of(severity))},
                    {"subject", subject}};
    return alert;
  }
  std::string fire(const std::string& rule, const std::string& subject = "infra1",
                   Severity severity = Severity::kWarning) {
    const auto found = alert(rule, subject, severity);
    router.take({AlertEvent::What::kFiring, found, now.wall}, now);
    return found.id;
  }
  void resolve(const std::string& rule, const std::string& subject = "infra1") {
    auto found = alert(rule, subject);
    found.state = AlertState::kResolved;
    found.resolved_at = now.wall;
    router.take({AlertEvent::What::kResolved, found, now.wall}, now);
  }
  void advance(Duration by) {
    now.steady += by;
    now.wall += by;
  }
  static std::string text(const model::Notification& message) {
    std::string alerts;
    for (const auto& alert : message.alerts)
      alerts += fmt::format(" {}/{}{}", alert.rule, alert.subject, alert.resolved ? "-" : "");
    return fmt::format("{} {} {}:{}", message.channel, model::name_of(message.status),
                       model::name_of(message.why), alerts);
  }
  std::vector<std::string> step() {
    last = router.step(now);
    std::vector<std::string> told;
    for (const auto& message : last.notifications) told.push_back(text(message));
    return told;
  }
  // Steps whenever the router wants to, until `by` has passed.
  std::vector<std::string> run(Duration by) {
    std::vector<std::string> told;
    const auto end = now.steady + by;
    while (true) {
      const auto due = router.next_due();
      if (!due || *due > end) break;
      advance(std::max(Duration(0), *due - now.steady));
      for (auto& line : step()) told.push_back(std::move(line));
    }
    advance(end - now.steady);
    return told;
  }

  Router router;
  Router::Step last;
  Now now{SteadyTime(1000s), WallTime(1'760'000'000s)};
};

TEST(Router, TellsOnceThenOnlyAReminder) {
  Scene scene;
  scene.fire("HighLatency");
  EXPECT_THAT(scene.step(), ElementsAre("slack firing new: HighLatency/infra1"));
  EXPECT_THAT(scene.run(3h), IsEmpty());
  EXPECT_THAT(scene.run(2h), ElementsAre("slack firing repeat: HighLatency/infra1"));
  scene.resolve("HighLatency");
  EXPECT_THAT(scene.step(), ElementsAre("slack resolved resolved: HighLatency/infra1-"));
  EXPECT_THAT(scene.run(24h), IsEmpty());
  EXPECT_EQ(scene.router.next_due(), std::nullopt);
}

TEST(Router, PendingIsNobodysBusiness) {
  Scene scene;
  auto pending = Scene::alert("HighLatency", "infra1");
  pending.state = AlertState::kPending;
  scene.router.take({AlertEvent::What::kPending, pending, scene.now.wall}, scene.now);
  EXPECT_THAT(scene.run(1h), IsEmpty());
}

TEST(Router, WhatComesTogetherIsOneMessage) {
  Scene scene;
  scene.fire("HighLatency", "infra1");
  scene.fire("HighLatency", "infra2");
  scene.fire("DatabaseSize", "infra1");
  EXPECT_THAT(scene.step(),
              UnorderedElementsAre("slack firing new: DatabaseSize/infra1",
                                   "slack firing new: HighLatency/infra1 HighLatency/infra2"));
}

TEST(Router, WhatJoinsWaitsForTheInterval) {
  Scene scene;
  scene.fire("HighLatency", "infra1");
  scene.step();
  scene.advance(1s);
  scene.fire("HighLatency", "infra2");
  EXPECT_THAT(scene.step(), IsEmpty());
  EXPECT_THAT(scene.run(29s),
              ElementsAre("slack firing changed: HighLatency/infra1 HighLatency/infra2"));
  EXPECT_EQ(scene.last.notifications[0].reason, "joined: HighLatency infra2");
  scene.advance(30s);
  scene.resolve("HighLatency", "infra1");
  EXPECT_THAT(scene.step(),
              ElementsAre("slack firing changed: HighLatency/infra2 HighLatency/infra1-"));
}

TEST(Router, WhatIsWorseWaitsForNothing) {
  Scene scene;
  scene.fire("HighLatency", "infra1");
  scene.step();
  scene.advance(1s);
  scene.fire("HighLatency", "infra1", Severity::kCritical);
  EXPECT_THAT(scene.step(), ElementsAre("slack firing changed: HighLatency/infra1"));
  EXPECT_EQ(scene.last.notifications[0].reason, "HighLatency infra1: warning -> critical");
}

TEST(Router, FlappingIsToldOnceInTheWindow) {
  Scene scene;
  scene.fire("HighLatency");
  scene.step();
  scene.advance(1min);
  scene.resolve("HighLatency");
  EXPECT_THAT(scene.step(), ElementsAre("slack resolved resolved: HighLatency/infra1-"));
  for (int i = 0; i < 3; ++i) {
    scene.advance(40s);
    scene.fire("HighLatency");
    EXPECT_THAT(scene.step(), IsEmpty());
    scene.advance(20s);
    scene.resolve("HighLatency");
    EXPECT_THAT(scene.step(), IsEmpty());
  }
  scene.fire("HighLatency");
  EXPECT_THAT(scene.run(3min), ElementsAre("slack firing new: HighLatency/infra1"));
}

TEST(Router, GroupWaitGathers) {
  auto options = to_slack();
  options.root.group_wait = 10s;
  Scene scene(options);
  scene.fire("HighLatency", "infra1");
  EXPECT_THAT(scene.run(5s), IsEmpty());
  scene.fire("HighLatency", "infra2");
  EXPECT_THAT(scene.run(6s),
              ElementsAre("slack firing new: HighLatency/infra1 HighLatency/infra2"));
}

TEST(Router, EndsBeforeAnybodyWasTold) {
  auto options = to_slack();
  options.root.group_wait = 10s;
  Scene scene(options);
  scene.fire("HighLatency");
  scene.run(5s);
  scene.resolve("HighLatency");
  EXPECT_THAT(scene.run(1h), IsEmpty());
  EXPECT_EQ(scene.router.next_due(), std::nullopt);
}

TEST(Router, DedupKeyIsTheSameFromFirstToLast) {
  Scene scene;
  scene.fire("HighLatency");
  scene.step();
  const auto key = scene.last.notifications[0].dedup_key;
  scene.run(1min);
  scene.fire("HighLatency", "infra2");
  scene.step();
  EXPECT_EQ(scene.last.notifications[0].dedup_key, key);
  scene.run(1min);
  scene.resolve("HighLatency", "infra1");
  scene.resolve("HighLatency", "infra2");
  scene.step();
  EXPECT_EQ(scene.last.notifications[0].dedup_key, key);
}

TEST(Router, EachAloneIsKnownByTheAlertsId) {
  auto options = to_slack();
  options.root.group_by = {"..."};
  Scene scene(options);
  const auto id = scene.fire("HighLatency", "infra1");
  scene.fire("HighLatency", "infra2");
  EXPECT_EQ(scene.step().size(), 2U);
  EXPECT_TRUE(std::ranges::any_of(scene.last.notifications,
                                  [&](const auto& message) { return message.dedup_key == id; }));
}

TEST(Router, ToldKeysAreThoseOfWhatPeopleKnowToGoOn) {
  Scene scene;
  scene.fire("HighLatency");
  EXPECT_THAT(scene.router.told_keys(), IsEmpty());
  scene.step();
  EXPECT_THAT(scene.router.told_keys(), ElementsAre(scene.last.notifications[0].dedup_key));
  scene.resolve("HighLatency");
  scene.run(1min);
  EXPECT_THAT(scene.router.told_keys(), IsEmpty());
}

RoutingOptions tree() {
  auto options = to_slack();
  Route page{
      .name = "root/page", .matchers = matching({"severity=critical"}), .channels = {"pagerduty"}};
  page.go_on = true;
  page.escalate_after = 15min;
  page.escalate_to = {"email"};
  Route test{.name = "root/test", .matchers = matching({"cluster=~test.*"}), .channels = {}};
  Route all{.name = "root/all", .matchers = {}, .channels = {"slack", "webhook"}};
  options.root.routes = {page, test, all};
  return options;
}

TEST(Router, GoesDownTheTree) {
  Scene scene(tree());
  scene.fire("HighLatency", "infra1");
  EXPECT_THAT(scene.step(), ElementsAre("slack firing new: HighLatency/infra1",
                                        "webhook firing new: HighLatency/infra1"));
  scene.fire("QuorumLost", "", Severity::kCritical);
  EXPECT_THAT(scene.step(), UnorderedElementsAre("pagerduty firing new: QuorumLost/",
                                                 "slack firing new: QuorumLost/",
                                                 "webhook firing new: QuorumLost/"));
}

TEST(Router, WhatMovesToAnotherRouteIsOverOnTheOldOne) {
  Scene scene(tree());
  scene.fire("HighLatency", "infra1", Severity::kCritical);
  scene.step();
  scene.advance(1min);
  scene.fire("HighLatency", "infra1", Severity::kWarning);
  EXPECT_THAT(scene.step(), ElementsAre("pagerduty resolved resolved: HighLatency/infra1-"));
  scene.advance(1min);
  scene.resolve("HighLatency");
  EXPECT_THAT(scene.step(), ElementsAre("slack resolved resolved: HighLatency/infra1-",
                                        "webhook resolved resolved: HighLatency/infra1-"));
}

TEST(Router, EscalatesWhatNobodyAcknowledges) {
  Scene scene(tree());
  scene.fire("QuorumLost", "", Severity::kCritical);
  scene.step();
  EXPECT_THAT(scene.run(16min), ElementsAre("email firing escalated: QuorumLost/"));
  scene.resolve("QuorumLost", "");
  EXPECT_THAT(scene.step(), UnorderedElementsAre("pagerduty resolved resolved: QuorumLost/-",
                                                 "email resolved resolved: QuorumLost/-",
                                                 "slack resolved resolved: QuorumLost/-",
                                                 "webhook resolved resolved: QuorumLost/-"));
}

TEST(Router, AcknowledgedIsNeitherEscalatedNorRepeated) {
  Scene scene(tree());
  const auto id = scene.fire("QuorumLost", "", Severity::kCritical);
  scene.step();
  scene.advance(1min);
  ASSERT_TRUE(
      scene.router.acknowledge({id, "the person on call", "", scene.now.wall, {}}, scene.now));
  EXPECT_THAT(scene.step(), UnorderedElementsAre("pagerduty acknowledged changed: QuorumLost/",
                                                 "slack acknowledged changed: QuorumLost/",
                                                 "webhook acknowledged changed: QuorumLost/"));
  EXPECT_THAT(scene.run(24h), IsEmpty());
  EXPECT_EQ(
      scene.router.acknowledge({"0", "nobody", "", scene.now.wall, {}}, scene.now).error().code,
      ErrorCode::kNotFound);
}

TEST(Router, SilencedIsToldWhenTheSilenceEnds) {
  Scene scene;
  Silence silence{.id = {},
                  .matchers = matching({"subject=infra1"}),
                  .starts_at = scene.now.wall,
                  .ends_at = scene.now.wall + 1h,
                  .created_by = "ops",
                  .comment = "disk swap"};
  const auto made = scene.router.add_silence(silence, scene.now);
  ASSERT_TRUE(made);
  const auto id = scene.fire("HighLatency", "infra1");
  scene.fire("HighLatency", "infra2");
  EXPECT_THAT(scene.step(), ElementsAre("slack firing new: HighLatency/infra2"));
  EXPECT_EQ(scene.router.muted_by(id, scene.now.wall), "silence " + made->id);
  EXPECT_THAT(scene.run(59min), IsEmpty());
  EXPECT_THAT(scene.run(2min),
              ElementsAre("slack firing changed: HighLatency/infra2 HighLatency/infra1"));
}

TEST(Router, AnExpiredSilenceIsOverAtOnce) {
  Scene scene;
  const auto made = scene.router.add_silence({.id = {},
                                              .matchers = matching({"cluster=prod"}),
                                              .starts_at = scene.now.wall,
                                              .ends_at = scene.now.wall + 1h,
                                              .created_by = {},
                                              .comment = {}},
                                             scene.now);
  scene.fire("HighLatency");
  EXPECT_THAT(scene.step(), IsEmpty());
  ASSERT_TRUE(scene.router.expire_silence(made->id, scene.now));
  EXPECT_THAT(scene.step(), ElementsAre("slack firing new: HighLatency/infra1"));
  EXPECT_EQ(scene.router.expire_silence("x", scene.now).error().code, ErrorCode::kNotFound);
}

TEST(Router, ResolvedIsToldInASilenceToo) {
  Scene scene;
  scene.fire("HighLatency");
  scene.step();
  scene.advance(1min);
  ASSERT_TRUE(scene.router.add_silence({.id = {},
                                        .matchers = matching({"cluster=prod"}),
                                        .starts_at = scene.now.wall,
                                        .ends_at = scene.now.wall + 1h,
                                        .created_by = {},
                                        .comment = {}},
                                       scene.now));
  scene.resolve("HighLatency");
  EXPECT_THAT(scene.step(), ElementsAre("slack resolved resolved: HighLatency/infra1-"));
}

TEST(Router, RefusesSilencesThatMeanNothing) {
  Scene scene;
  const auto at = scene.now.wall;
  const auto refused = [&](Silence silence) {
    return scene.router.add_silence(std::move(silence), scene.now).error().code;
  };
  EXPECT_EQ(refused({.id = {},
                     .matchers = {},
                     .starts_at = at,
                     .ends_at = at + 1h,
                     .created_by = {},
                     .comment = {}}),
            ErrorCode::kInvalidArgument);
  EXPECT_EQ(refused({.id = {},
                     .matchers = matching({"a=b"}),
                     .starts_at = at,
                     .ends_at = at,
                     .created_by = {},
                     .comment = {}}),
            ErrorCode::kInvalidArgument);
  EXPECT_EQ(refused({.id = {},
                     .matchers = matching({"a=b"}),
                     .starts_at = at - 2h,
                     .ends_at = at - 1h,
                     .created_by = {},
                     .comment = {}}),
            ErrorCode::kInvalidArgument);
}

TEST(Router, QuorumLostMutesWhatFollowsFromIt) {
  Scene scene;
  scene.fire("QuorumLost", "", Severity::kCritical);
  const auto id = scene.fire("NoLeader", "", Severity::kCritical);
  scene.fire("DatabaseSize", "infra1");
  EXPECT_THAT(scene.step(), UnorderedElementsAre("slack firing new: QuorumLost/",
                                                 "slack firing new: DatabaseSize/infra1"));
  EXPECT_THAT(scene.router.muted_by(id, scene.now.wall), testing::StartsWith("inhibited by "));
  scene.advance(1min);
  scene.resolve("QuorumLost", "");
  EXPECT_THAT(scene.step(), UnorderedElementsAre("slack resolved resolved: QuorumLost/-",
                                                 "slack firing new: NoLeader/"));
}

TEST(Router, ABusyBackendMutesOnlyItsOwnMember) {
  Scene scene;
  scene.fire("BackendBusy", "infra1");
  scene.fire("HighLatency", "infra1");
  scene.fire("HighLatency", "infra2");
  EXPECT_THAT(scene.step(), UnorderedElementsAre("slack firing new: BackendBusy/infra1",
                                                 "slack firing new: HighLatency/infra2"));
}

TEST(Router, MuteTimesHoldBackUntilTheyEnd) {
  auto options = to_slack();
  options.mute_times = {{"night", {TimeInterval::parse({.times = {"08:53-09:00"}}).value()}}};
  options.root.mute_times = {"night"};
  Scene scene(options);  // 08:53:20
  const auto id = scene.fire("HighLatency");
  EXPECT_THAT(scene.run(6min), IsEmpty());
  EXPECT_EQ(scene.router.muted_by(id, scene.now.wall), "mute time night");
  EXPECT_THAT(scene.run(1min), ElementsAre("slack firing new: HighLatency/infra1"));
}

// What was saved, as a new process finds it.
std::vector<Group> saved(const std::map<std::string, Group>& store) {
  std::vector<Group> groups;
  for (const auto& [key, group] : store) groups.push_back(group);
  return groups;
}

TEST(Router, ARestartNeitherRepeatsNorForgets) {
  Scene before;
  std::map<std::string, Group> store;
  const auto save = [&] {
    for (auto& [key, group] : before.last.changed) {
      if (group) store.insert_or_assign(key, *group);
      if (!group) store.erase(key);
    }
  };
  const auto kept = before.fire("HighLatency", "infra1");
  before.fire("DatabaseSize", "infra1");
  before.step();
  save();
  before.advance(1min);

  Scene after;
  after.now = before.now;
  after.router.restore(saved(store), {}, {}, after.now);
  after.fire("HighLatency", "infra1");
  after.router.end_missing({kept}, after.now);
  EXPECT_THAT(after.step(), ElementsAre("slack resolved resolved: DatabaseSize/infra1-"));
  EXPECT_THAT(after.run(5h), ElementsAre("slack firing repeat: HighLatency/infra1"));
}

TEST(Router, AReloadKeepsWhatWasTold) {
  Scene scene;
  scene.fire("HighLatency");
  scene.step();
  auto options = to_slack();
  options.root.repeat_interval = 1h;
  scene.router.reload(std::move(options), scene.now);
  EXPECT_THAT(scene.step(), IsEmpty());
  EXPECT_THAT(scene.run(61min), ElementsAre("slack firing repeat: HighLatency/infra1"));
}

}  // namespace
}  // namespace etcdmon::alert
