// How one member's facts are read: a row each.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "collect/judge/judge.hpp"

namespace etcdmon::collect {
namespace {

using namespace std::chrono_literals;
using model::LinkFacts;
using model::MemberFacts;
using model::Reach;

constexpr SteadyTime kNow{1'000s};
constexpr SteadyTime kAsked = kNow - 910ms;

Error error(Cause cause, ErrorCode code = ErrorCode::kUnavailable, std::string message = "why") {
  return {code, std::move(message), cause};
}

void link(MemberFacts& facts, LinkFacts::State state, SteadyTime since = SteadyTime(500s)) {
  facts.link.state = state;
  facts.link.since = since;
  facts.link.connects = 1;
}

void answered(MemberFacts& facts) {
  facts.pulse = model::ProbeOutcome{kAsked, kAsked + 2ms, {}};
  facts.status = model::StatusSample{};
  facts.status->sent = kAsked;
  facts.status->received = kAsked + 2ms;
  facts.status->member_id = facts.entry.id;
  facts.answers = 1;
}

void missed(MemberFacts& facts, std::uint32_t pulses, Error why) {
  facts.missed = pulses;
  facts.pulse = model::ProbeOutcome{kAsked, kNow, std::move(why)};
}

void failed_attempt(MemberFacts& facts, Cause cause, std::uint64_t failures = 1) {
  link(facts, LinkFacts::State::kDown, kNow - 10ms);
  facts.link.failures = failures;
  facts.link.last_error = error(cause);
}

struct Case {
  const char* name;
  void (*arrange)(MemberFacts&);
  Reach want;
  Cause cause = Cause::kNone;
  friend std::ostream& operator<<(std::ostream& os, const Case& c) { return os << c.name; }
};

const Case kCases[] = {
    {"NeverAsked", [](MemberFacts&) {}, Reach::kUnknown},
    {"Answered", [](MemberFacts& f) { link(f, LinkFacts::State::kUp), answered(f); },
     Reach::kReachable},
    {"AnsweredAndNextOneUnderWay",
     [](MemberFacts& f) {
       link(f, LinkFacts::State::kUp), answered(f), f.asked_since = kNow - 300ms;
     },
     Reach::kReachable},
    {"NextAnswerIsLate",
     [](MemberFacts& f) {
       link(f, LinkFacts::State::kUp), answered(f), f.asked_since = kNow - 900ms;
     },
     Reach::kSuspect, Cause::kTimeout},
    {"ConnectionEnded",
     [](MemberFacts& f) {
       answered(f);
       link(f, LinkFacts::State::kDown, kNow);
       f.link.last_ended = kNow;
       f.link.last_error = error(Cause::kReset);
     },
     Reach::kSuspect, Cause::kReset},
    {"EndedAndRedialUnderWay",
     [](MemberFacts& f) {
       answered(f);
       link(f, LinkFacts::State::kConnecting, kNow);
       f.link.last_ended = kNow - 1ms;
       f.link.last_error = error(Cause::kGoAway);
     },
     Reach::kSuspect, Cause::kGoAway},
    {"EndedAndRefused",
     [](MemberFacts& f) {
       answered(f);
       f.link.last_ended = kNow - 20ms;
       failed_attempt(f, Cause::kRefused);
     },
     Reach::kUnreachable, Cause::kRefused},
    {"RefusedPulse", [](MemberFacts& f) { missed(f, 1, error(Cause::kRefused)); },
     Reach::kUnreachable, Cause::kRefused},
    {"NameDoesNotResolve", [](MemberFacts& f) { failed_attempt(f, Cause::kDns); },
     Reach::kUnreachable, Cause::kDns},
    {"TlsFails", [](MemberFacts& f) { failed_attempt(f, Cause::kTls); }, Reach::kUnreachable,
     Cause::kTls},
    {"NoRoute", [](MemberFacts& f) { failed_attempt(f, Cause::kUnreachable); }, Reach::kUnreachable,
     Cause::kUnreachable},
    {"NotEtcd", [](MemberFacts& f) { failed_attempt(f, Cause::kProtocol); }, Reach::kUnreachable,
     Cause::kProtocol},
    {"DialTimesOut", [](MemberFacts& f) { failed_attempt(f, Cause::kTimeout); },
     Reach::kUnreachable, Cause::kTimeout},
    {"OneResetDial",
     [](MemberFacts& f) {
       answered(f);
       f.link.last_ended = kNow - 20ms;
       failed_attempt(f, Cause::kReset);
     },
     Reach::kSuspect, Cause::kReset},
    {"ManyResetDials", [](MemberFacts& f) { failed_attempt(f, Cause::kReset, 3); },
     Reach::kUnreachable, Cause::kReset},
    {"NoDescriptorsHere", [](MemberFacts& f) { failed_attempt(f, Cause::kLocal); },
     Reach::kUnknown},
    {"TwoMissed",
     [](MemberFacts& f) { link(f, LinkFacts::State::kUp), missed(f, 2, error(Cause::kTimeout)); },
     Reach::kUnknown},
    {"ThreeMissed",
     [](MemberFacts& f) { link(f, LinkFacts::State::kUp), missed(f, 3, error(Cause::kTimeout)); },
     Reach::kHung, Cause::kTimeout},
    {"ThreeMissedWithoutConnection",
     [](MemberFacts& f) {
       link(f, LinkFacts::State::kConnecting), missed(f, 3, error(Cause::kTimeout));
     },
     Reach::kUnreachable, Cause::kTimeout},
    {"MissedButMetricsAnswer",
     [](MemberFacts& f) {
       link(f, LinkFacts::State::kUp), missed(f, 5, error(Cause::kTimeout));
       f.scrape = model::ProbeOutcome{kAsked + 100ms, kAsked + 110ms, {}};
     },
     Reach::kBackendBusy, Cause::kTimeout},
    {"MissedAndMetricsAnsweredBefore",
     [](MemberFacts& f) {
       link(f, LinkFacts::State::kUp), missed(f, 3, error(Cause::kTimeout));
       f.scrape = model::ProbeOutcome{kAsked - 3s, kAsked - 2s, {}};
     },
     Reach::kHung, Cause::kTimeout},
    {"MissedAndDefragmenting",
     [](MemberFacts& f) {
       link(f, LinkFacts::State::kUp), missed(f, 5, error(Cause::kTimeout));
       f.scrape = model::ProbeOutcome{kAsked + 100ms, kAsked + 110ms, {}};
       f.metrics = model::MetricsFacts{};
       f.metrics->defrag_inflight = true;
     },
     Reach::kDefragmenting, Cause::kTimeout},
    {"MissedButRefusesNewcomers",
     [](MemberFacts& f) {
       link(f, LinkFacts::State::kUp), missed(f, 1, error(Cause::kTimeout));
       f.second_probe = model::ProbeOutcome{kNow, kNow, error(Cause::kRefused)};
     },
     Reach::kUnreachable, Cause::kRefused},
    {"PermissionDenied",
     [](MemberFacts& f) {
       missed(f, 0,
              error(Cause::kNone, ErrorCode::kPermissionDenied, "etcdserver: permission denied"));
     },
     Reach::kNotAuthorised},
    {"NoToken",
     [](MemberFacts& f) {
       missed(f, 0,
              error(Cause::kNone, ErrorCode::kInvalidArgument, "etcdserver: user name is empty"));
     },
     Reach::kNotAuthorised},
    {"OldToken",
     [](MemberFacts& f) {
       missed(f, 0,
              error(Cause::kNone, ErrorCode::kUnauthenticated, "etcdserver: invalid auth token"));
     },
     Reach::kNotAuthorised},
    {"LearnerDoesNotDoThat",
     [](MemberFacts& f) {
       missed(f, 0,
              error(Cause::kNone, ErrorCode::kUnavailable,
                    "etcdserver: rpc not supported for learner"));
     },
     Reach::kReachable},
    {"SomebodyElseAnswers",
     [](MemberFacts& f) {
       link(f, LinkFacts::State::kUp), answered(f), f.status.reset(), f.answered_by = MemberId{9};
     },
     Reach::kMisAddressed},
    {"AnotherClusterAnswers",
     [](MemberFacts& f) {
       link(f, LinkFacts::State::kUp), answered(f), f.answered_by = MemberId{9},
                                                    f.answered_cluster = ClusterId{8};
     },
     Reach::kMisAddressed},
    {"NeverStarted", [](MemberFacts& f) { f.entry.name.clear(), f.endpoint.clear(); },
     Reach::kUnstarted},
    {"NamedAtBootstrapAndNeverStarted", [](MemberFacts& f) { f.endpoint.clear(); },
     Reach::kUnstarted},
};

class JudgeReach : public ::testing::TestWithParam<Case> {};

TEST_P(JudgeReach, Reads) {
  model::Observation seen;
  seen.at = Now{kNow, {}};
  seen.pulse_rounds = 10;
  // A second member that answers: silence of all would be our own.
  for (std::uint64_t id = 1; id <= 2; ++id) {
    MemberFacts facts;
    facts.entry = {MemberId{id}, id == 1 ? "a" : "b", {}, {}, false};
    facts.endpoint = "http://10.0.0.1:2379";
    seen.membership.members.push_back(facts.entry);
    seen.members.push_back(facts);
  }
  seen.membership.cluster_id = ClusterId{7};
  link(seen.members[1], LinkFacts::State::kUp);
  answered(seen.members[1]);
  // It is not new: what it does now is held against an answer, or against silence from the start.
  seen.members[0].link.connects = 1;
  auto before = seen;
  before.at.steady = kNow - 2s;
  auto state = judge(make_judge_state(), before, JudgeOptions{}).state;
  GetParam().arrange(seen.members[0]);
  if (seen.members[0].entry.name.empty()) seen.membership.members[0] = seen.members[0].entry;
  if (seen.members[0].status && GetParam().want == Reach::kSuspect) {
    auto well = before;
    link(well.members[0], LinkFacts::State::kUp);
    answered(well.members[0]);
    state = judge(std::move(state), well, JudgeOptions{}).state;
  }
  const auto found = judge(std::move(state), seen, JudgeOptions{});
  EXPECT_EQ(name_of(found.assessment.members[0].reach), name_of(GetParam().want));
  EXPECT_EQ(name_of(found.assessment.members[0].cause), name_of(GetParam().cause));
  EXPECT_EQ(found.assessment.members[1].reach, Reach::kReachable);
}

INSTANTIATE_TEST_SUITE_P(Table, JudgeReach, ::testing::ValuesIn(kCases),
                         [](const auto& param) { return std::string(param.param.name); });

}  // namespace
}  // namespace etcdmon::collect
