// Restarts and crash loops.
#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "collect/judge/parts.hpp"

namespace etcdmon::collect {

using model::Check;
using model::Reach;
using model::Severity;
using std::chrono::minutes;

namespace {

constexpr minutes kWindow{15};
constexpr std::size_t kCrashLoop = 3;
// process_start_time is computed from the host's wall clock: slewing moves it a little without a
// restart.
constexpr double kSameStart = 2.0;

bool is_down(Reach reach) {
  return reach == Reach::kUnreachable || reach == Reach::kHung;
}

void add_starts(StartMemory& starts, ReachMemory& reach, SteadyTime now, std::uint32_t count) {
  starts.total += count;
  starts.recent.insert(starts.recent.end(), count, now);
  if (count > 0) reach.stirred = now;
}

// A start shows as another start time *and* an ended connection: a start time that moves alone is a
// step of that host's clock, from which the member computes it.
void read_page(const model::MemberFacts& facts, SteadyTime now, ReachMemory& reach,
               StartMemory& starts) {
  if (!facts.metrics || !facts.metrics->process_start_time || facts.metrics->at == starts.page_at)
    return;
  const double start_time = *facts.metrics->process_start_time;
  const bool first = !starts.start_time;
  const double moved = first ? 0 : start_time - *starts.start_time;
  const bool connection_ended = facts.link.connects != starts.connects_at_page ||
                                facts.link.last_ended != starts.ended_at_page;
  if (std::abs(moved) > kSameStart) {
    if (connection_ended) {
      // Revivals between two pages were starts too; those counted already are not counted again.
      const auto counted = static_cast<std::uint32_t>(starts.revivals_counted);
      const auto seen = std::max(starts.revivals, std::uint32_t{1});
      add_starts(starts, reach, now, seen > counted ? seen - counted : 0);
    } else {
      starts.clock_step =
          std::chrono::duration_cast<Duration>(std::chrono::duration<double>(moved));
    }
  }
  starts.start_time = start_time;
  starts.page_at = facts.metrics->at;
  starts.connects_at_page = facts.link.connects;
  starts.ended_at_page = facts.link.last_ended;
  starts.revivals = 0;
  starts.revivals_counted = 0;
}

// Nothing listened, then something does: where /metrics cannot tell, that is a start.
void watch_revival(const model::MemberFacts& facts, SteadyTime now, ReachMemory& reach,
                   StartMemory& starts) {
  if (reach.reach == Reach::kUnreachable && reach.cause == Cause::kRefused)
    starts.was_refused = true;
  if (is_down(reach.reach) || !model::is_alive(reach.reach) || !starts.was_refused) return;
  starts.was_refused = false;
  ++starts.revivals;
  // More than one revival without a page in between: the page will come too late to count them.
  const bool no_metrics = !facts.metrics || (facts.scrape && !facts.scrape->ok() &&
                                             facts.scrape->finished > facts.metrics->at);
  if (!no_metrics && starts.revivals < 2) return;
  add_starts(starts, reach, now, starts.revivals - starts.revivals_counted);
  starts.revivals_counted = starts.revivals;
}

std::string times(std::size_t count) {
  return count == 1 ? "once" : fmt::format("{} times", count);
}

}  // namespace

void judge_starts(const Look& look, std::span<MemberMemory> members) {
  for (std::size_t i = 0; i < members.size(); ++i) {
    auto& member = members[i];
    const auto& facts = *look.subjects[i].facts;
    member.starts.clock_step.reset();
    watch_revival(facts, look.now, member.reach, member.starts);
    read_page(facts, look.now, member.reach, member.starts);
    std::erase_if(member.starts.recent, [&](SteadyTime at) { return look.now - at >= kWindow; });
  }
}

namespace {

// A learner must come nearer to the leader.
constexpr minutes kLearnerPatience{10};
constexpr std::uint64_t kLearnerNear = 1'000;

void report_learner(const Sight& sight, std::size_t i, LearnerMemory& memory, Findings& findings) {
  const auto& subject = sight.look.subjects[i];
  const auto leader = sight.look.index_of(sight.leader.leader.value_or(MemberId{}));
  const auto now = sight.look.now;
  if (!subject.listed || !subject.learner) {
    memory = LearnerMemory{};
    return;
  }
  if (memory.progress_at == SteadyTime{}) memory.progress_at = now;
  if (!leader || !is_fresh(sight.look, subject, sight.members[i]) ||
      !is_fresh(sight.look, sight.look.subjects[*leader], sight.members[*leader])) {
    return;
  }
  const auto ahead = sight.look.subjects[*leader].facts->status->raft_applied_index;
  const auto own = subject.facts->status->raft_applied_index;
  const std::uint64_t lag = ahead > own ? ahead - own : 0;
  if (lag <= kLearnerNear || !memory.best_lag || lag < *memory.best_lag - *memory.best_lag / 10) {
    memory.best_lag = lag;
    memory.progress_at = now;
  }
  if (now - memory.progress_at < kLearnerPatience) return;
  findings.add({Check::kLearnerLagging, Severity::kWarning, subject.facts->entry.id, subject.label,
                fmt::format("learner {} does not catch up with the leader", subject.label),
                "no progress for 10 minutes: it cannot be promoted", memory.progress_at});
}

}  // namespace

void report_stability(const Sight& sight, std::span<MemberMemory> members, Findings& findings) {
  for (std::size_t i = 0; i < members.size(); ++i) {
    const auto& subject = sight.look.subjects[i];
    const auto& recent = members[i].starts.recent;
    const MemberId id = subject.facts->entry.id;
    report_learner(sight, i, members[i].learner, findings);
    if (!subject.listed || recent.empty()) continue;
    if (recent.size() >= kCrashLoop) {
      findings.add({Check::kCrashLoop, Severity::kWarning, id, subject.label,
                    fmt::format("member {} keeps restarting", subject.label),
                    fmt::format("started {} in 15 minutes", times(recent.size())), recent.front()});
    } else {
      findings.add({Check::kMemberRestarted, Severity::kInfo, id, subject.label,
                    fmt::format("member {} restarted", subject.label),
                    fmt::format("started {} in the last 15 minutes", times(recent.size())),
                    recent.front()});
    }
  }
}

}  // namespace etcdmon::collect
