// Whether and how each member answers.
#include <algorithm>

#include <fmt/format.h>

#include "collect/judge/parts.hpp"
#include "etcd/client.hpp"

namespace etcdmon::collect {

using model::Check;
using model::LinkFacts;
using model::Reach;
using model::Severity;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

// A pulse under way for longer is late.
constexpr milliseconds kLate{900};
// Missed pulses, failed attempts, error answers: how many make it certain.
constexpr std::uint32_t kCertain = 3;
// When all members fall silent at once: the round in which that was seen, and two more.
constexpr std::uint64_t kRoundsHeldBack = 3;
// A busy backend is news at once, and worth a warning when it lasts.
constexpr seconds kBusyTooLong{10};

struct Sighting {
  Reach reach = Reach::kUnknown;
  Cause cause = Cause::kNone;
  std::string reason;
  bool silent = false;
};

bool is_down(Reach reach) {
  return reach == Reach::kUnreachable || reach == Reach::kHung;
}

// The far side was not heard at all: it may be our own way that is broken.
bool is_path(Cause cause) {
  return cause == Cause::kTimeout || cause == Cause::kUnreachable || cause == Cause::kDns;
}

Sighting as_before(const ReachMemory& memory) {
  return {memory.reach, memory.cause, memory.reason, memory.silent};
}

Sighting unreachable(const Error& error) {
  return {Reach::kUnreachable, error.cause, error.message, is_path(error.cause)};
}

void count_misses(const model::MemberFacts& facts, ReachMemory& memory) {
  if (facts.link.connects != memory.connects) {
    // What the old connection missed says nothing about the new one.
    memory.connects = facts.link.connects;
    memory.missed_before_connect = facts.missed;
    memory.first_miss.reset();
  }
  memory.missed_before_connect = std::min(memory.missed_before_connect, facts.missed);
  const bool missing = facts.missed > memory.missed_before_connect;
  if (!missing) memory.first_miss.reset();
  if (missing && !memory.first_miss && facts.pulse) memory.first_miss = facts.pulse->sent;

  if (!facts.pulse || facts.pulse->sent == memory.last_pulse) return;
  memory.last_pulse = facts.pulse->sent;
  const bool refused_to_answer = facts.pulse->error && facts.pulse->error->cause == Cause::kNone;
  memory.error_answers = refused_to_answer ? memory.error_answers + 1 : 0;
}

bool metrics_answer_since(const Look& look, const model::MemberFacts& facts,
                          SteadyTime first_miss) {
  const auto& scrape = facts.scrape;
  return scrape && scrape->ok() &&
         (scrape->sent >= first_miss || scrape->finished >= first_miss + kLate) &&
         look.now - scrape->finished <= Duration(look.options.metrics_interval) + seconds(5);
}

Sighting busy(const model::MemberFacts& facts) {
  if (facts.metrics && facts.metrics->defrag_inflight.value_or(false)) {
    return {Reach::kDefragmenting, Cause::kTimeout, "defragmenting its database", false};
  }
  return {Reach::kBackendBusy, Cause::kTimeout, "/metrics answers, Status does not", false};
}

// The connection stands, or seems to, and pulses are not answered.
Sighting from_silence(const Look& look, const model::MemberFacts& facts, const Error& error,
                      const ReachMemory& memory) {
  const SteadyTime first_miss = memory.first_miss.value_or(facts.pulse->sent);
  if (facts.second_probe && facts.second_probe->sent >= first_miss) {
    const auto& second = facts.second_probe->error;
    if (!second) return {Reach::kSuspect, error.cause, "answers on a new connection only", false};
    if (second->cause == Cause::kRefused) return unreachable(*second);
  }
  if (metrics_answer_since(look, facts, first_miss)) return busy(facts);
  const auto misses = facts.missed - memory.missed_before_connect;
  if (misses < kCertain) return {Reach::kSuspect, error.cause, error.message, true};
  if (facts.link.state != LinkFacts::State::kUp) return unreachable(error);
  if (!is_path(error.cause)) return {Reach::kUnreachable, error.cause, error.message, false};
  return {Reach::kHung, error.cause, error.message, true};
}

Sighting from_failed_pulse(const Look& look, const model::MemberFacts& facts,
                           const ReachMemory& memory) {
  const Error& error = *facts.pulse->error;
  const auto& link = facts.link;
  if (link.state == LinkFacts::State::kUp && link.since > facts.pulse->finished) {
    // A new connection stands, and nothing has been asked on it yet.
    return {Reach::kSuspect, error.cause, error.message, false};
  }
  if (etcd::is_not_authorised(error))
    return {Reach::kNotAuthorised, Cause::kNone, error.message, false};
  if (etcd::is_unsupported_for_learner(error)) return {Reach::kReachable, Cause::kNone, {}, false};
  switch (error.cause) {
    case Cause::kNone:
      if (error.code == ErrorCode::kDeadlineExceeded) return busy(facts);
      return {memory.error_answers < kCertain ? Reach::kSuspect : Reach::kUnreachable, Cause::kNone,
              fmt::format("Status fails: {}", error.message), false};
    case Cause::kLocal:
      return as_before(memory);
    case Cause::kTimeout:
    case Cause::kReset:
    case Cause::kGoAway:
      return from_silence(look, facts, error, memory);
    default:
      return unreachable(error);
  }
}

Sighting from_failed_attempt(const model::MemberFacts& facts, const ReachMemory& memory) {
  const Error& error = *facts.link.last_error;
  if (error.cause == Cause::kLocal) return as_before(memory);
  const bool ended_only = error.cause == Cause::kReset || error.cause == Cause::kGoAway;
  if (ended_only && facts.link.failures < kCertain) {
    return {Reach::kSuspect, error.cause, error.message, false};
  }
  return unreachable(error);
}

Sighting from_answer(const Look& look, const model::MemberFacts& facts) {
  const bool stranger = !facts.answered_by.none() && facts.answered_by != facts.entry.id;
  const auto& cluster = look.seen.membership.cluster_id;
  const bool foreign =
      !facts.answered_cluster.none() && cluster && facts.answered_cluster != *cluster;
  if (stranger || foreign) {
    const auto who = facts.answered_by.none() ? facts.entry.id : facts.answered_by;
    return {Reach::kMisAddressed, Cause::kNone,
            fmt::format("member {} answers at {}", to_hex(who), facts.endpoint), false};
  }
  if (facts.asked_since && look.now - *facts.asked_since >= kLate) {
    return {Reach::kSuspect, Cause::kTimeout, "its answer is late", true};
  }
  return {Reach::kReachable, Cause::kNone, {}, false};
}

Sighting sight(const Look& look, const Subject& subject, const ReachMemory& memory) {
  const auto& facts = *subject.facts;
  const auto& link = facts.link;
  const bool good = facts.pulse && facts.pulse->ok();
  // A member that was named when the cluster was bootstrapped has a name before it starts, but no
  // client URL.
  const bool started =
      facts.entry.started() && !(facts.entry.client_urls.empty() && facts.endpoint.empty());
  if (subject.identified && !started && !good) {
    return {Reach::kUnstarted, Cause::kNone, "in the member list, but never started", false};
  }
  const bool link_down =
      link.state == LinkFacts::State::kDown || link.state == LinkFacts::State::kConnecting;
  if (link_down && link.failures > 0 && link.last_error &&
      (!good || link.since >= facts.pulse->finished)) {
    return from_failed_attempt(facts, memory);
  }
  const bool answered = good && (!link.last_ended || facts.pulse->finished > *link.last_ended);
  if (answered) return from_answer(look, facts);
  if (facts.pulse && !facts.pulse->ok() &&
      (!link.last_ended || facts.pulse->finished >= *link.last_ended)) {
    return from_failed_pulse(look, facts, memory);
  }
  if (link_down && link.last_ended) {
    return {Reach::kSuspect, link.last_error ? link.last_error->cause : Cause::kReset,
            "the connection ended", false};
  }
  // Reconnected, and not asked since; or, with the pulse off, only asked by the health check.
  const bool back = link.state == LinkFacts::State::kUp && model::is_alive(memory.reach);
  const bool told = !facts.pulse && facts.status;
  if (back || told) return {Reach::kReachable, Cause::kNone, {}, false};
  if (memory.reach == Reach::kUnstarted) return {};
  return as_before(memory);
}

// Suspect ourselves first when everybody falls silent in the same moment.
bool all_silent(const Look& look, const std::vector<Sighting>& sightings) {
  std::size_t asked = 0;
  for (std::size_t i = 0; i < sightings.size(); ++i) {
    if (!look.subjects[i].listed || sightings[i].reach == Reach::kUnstarted) continue;
    if (!sightings[i].silent) return false;
    ++asked;
  }
  return asked >= 2;
}

void watch_ourselves(const Look& look, const std::vector<Sighting>& sightings,
                     MonitorMemory& monitor) {
  // A silence that we slept through ourselves says nothing.
  if (look.lagged) return;
  if (!all_silent(look, sightings)) {
    monitor.silent_since.reset();
    monitor.held_back = false;
    return;
  }
  if (!monitor.silent_since) {
    monitor.silent_since = look.now;
    monitor.silent_round = look.seen.pulse_rounds;
  }
  monitor.held_back =
      look.seen.pulse_on && look.seen.pulse_rounds - monitor.silent_round < kRoundsHeldBack;
}

void commit(const Look& look, Sighting found, ReachMemory& memory) {
  const bool was_away = is_down(memory.reach) || memory.reach == Reach::kUnstarted;
  if (found.reach != memory.reach) {
    memory.reach = found.reach;
    memory.since = look.now;
  }
  memory.cause = found.cause;
  memory.reason = std::move(found.reason);
  memory.silent = found.silent;
  if (is_down(memory.reach)) {
    if (!memory.down_since) memory.down_since = look.now;
  } else if (model::is_alive(memory.reach) && memory.reach != Reach::kSuspect) {
    if (was_away) memory.stirred = look.now;
    memory.down_since.reset();
  }
}

}  // namespace

void judge_reach(const Look& look, std::span<MemberMemory> members, MonitorMemory& monitor) {
  std::vector<Sighting> sightings;
  sightings.reserve(members.size());
  for (std::size_t i = 0; i < members.size(); ++i) {
    auto& memory = members[i].reach;
    const auto& facts = *look.subjects[i].facts;
    count_misses(facts, memory);
    if (facts.link.last_ended && facts.link.last_ended != memory.last_ended) {
      memory.last_ended = facts.link.last_ended;
      memory.stirred = std::max(memory.stirred.value_or(*memory.last_ended), *memory.last_ended);
    }
    sightings.push_back(sight(look, look.subjects[i], memory));
  }
  watch_ourselves(look, sightings, monitor);
  for (std::size_t i = 0; i < members.size(); ++i) {
    auto& found = sightings[i];
    auto& memory = members[i].reach;
    const bool says_nothing = look.lagged || (look.seen.round_void && !monitor.silent_since);
    if (found.silent && says_nothing) continue;
    if (found.silent && monitor.held_back) found.reach = Reach::kSuspect;
    // Only an answer brings back who was down, or was never heard.
    if (found.reach == Reach::kSuspect && !model::is_alive(memory.reach)) {
      memory.silent = found.silent;
      continue;
    }
    commit(look, std::move(found), memory);
  }
}

namespace {

std::string what_remains(const Sight& sight, const Subject& subject) {
  const auto& quorum = sight.quorum;
  if (!subject.voter) return "it is a learner: quorum does not depend on it";
  if (!quorum.has_quorum) return {};
  if (!*quorum.has_quorum) return "quorum is lost";
  return fmt::format("quorum holds with {} of {} voters; {} more may be lost", quorum.available,
                     quorum.voters, quorum.failures_tolerated);
}

std::string sentence(std::string_view a, std::string_view b) {
  if (a.empty()) return std::string(b);
  if (b.empty()) return std::string(a);
  return fmt::format("{}; {}", a, b);
}

void report_unreachable(const Sight& sight, std::size_t i, Findings& findings) {
  const auto& subject = sight.look.subjects[i];
  const auto& reach = sight.members[i].reach;
  const auto cause =
      reach.cause == Cause::kNone ? std::string_view("no usable answer") : name_of(reach.cause);
  model::Verdict verdict{Check::kMemberUnreachable,
                         Severity::kWarning,
                         subject.facts->entry.id,
                         subject.label,
                         {},
                         {},
                         reach.since};
  if (sight.peers_see[i]) {
    verdict.summary = fmt::format(
        "member {} cannot be reached from here ({}), but its peers see it", subject.label, cause);
    verdict.detail =
        sentence(reach.reason, "only the way from this monitor to it is cut: it works on");
  } else {
    verdict.summary = fmt::format("member {} is unreachable ({})", subject.label, cause);
    verdict.detail = sentence(reach.reason, what_remains(sight, subject));
  }
  findings.add(std::move(verdict));
}

}  // namespace

void report_reach(const Sight& sight, Findings& findings) {
  for (std::size_t i = 0; i < sight.members.size(); ++i) {
    const auto& subject = sight.look.subjects[i];
    const auto& reach = sight.members[i].reach;
    const MemberId id = subject.facts->entry.id;
    // Strangers and endpoints without a member are addressing's business.
    if (!subject.listed) continue;
    switch (reach.reach) {
      case Reach::kUnreachable:
        report_unreachable(sight, i, findings);
        break;
      case Reach::kHung:
        if (sight.peers_see[i]) {
          report_unreachable(sight, i, findings);
          break;
        }
        findings.add(
            {Check::kMemberHung, Severity::kWarning, id, subject.label,
             fmt::format("member {} hangs: neither Status nor /metrics answers", subject.label),
             sentence(reach.reason, what_remains(sight, subject)), reach.since});
        break;
      case Reach::kBackendBusy: {
        const bool long_busy = sight.look.now - reach.since >= kBusyTooLong;
        findings.add(
            {Check::kBackendBusy, long_busy ? Severity::kWarning : Severity::kInfo, id,
             subject.label,
             fmt::format("member {} is busy: /metrics answers, Status does not", subject.label),
             "its database is held up by a hash scan, a defragmentation or a slow commit",
             reach.since});
        break;
      }
      case Reach::kDefragmenting:
        findings.add({Check::kDefragmenting, Severity::kInfo, id, subject.label,
                      fmt::format("member {} is defragmenting its database", subject.label),
                      "it serves nobody until it is done", reach.since});
        break;
      default:
        break;
    }
  }
}

}  // namespace etcdmon::collect
