#include "app/watch_proof.hpp"

#include <algorithm>
#include <optional>

#include <fmt/format.h>

#include "base/units.hpp"

namespace etcdmon::app {

namespace {

using namespace std::chrono_literals;
using model::Check;
using notify::Pulse;

// A busy machine may skip a few rounds; one that watches never skips them for so long.
constexpr Duration kAtLeast = 15s;
constexpr int kRounds = 3;

const model::Verdict* find(const model::ClusterView& view, Check check) {
  const auto& all = view.assessment.verdicts;
  const auto found = std::ranges::find(all, check, &model::Verdict::check);
  return found == all.end() ? nullptr : &*found;
}

bool is_seen(const model::ClusterView& view) {
  // What was seen before all fell silent is no longer seen.
  if (find(view, Check::kMonitorIsolated) != nullptr) return false;
  return std::ranges::any_of(view.assessment.members, [](const model::MemberAssessment& member) {
    return model::is_alive(member.reach) || member.reach == model::Reach::kSuspect;
  });
}

// Why nothing came back, of members where they are known, else of the configured endpoints.
std::vector<Cause> causes_of(const model::ClusterView& view) {
  std::vector<Cause> causes;
  for (const auto& member : view.assessment.members) {
    if (member.cause != Cause::kNone) causes.push_back(member.cause);
  }
  if (!causes.empty()) return causes;
  for (const auto& endpoint : view.observation.endpoints) {
    if (endpoint.last_error) causes.push_back(endpoint.last_error->cause);
  }
  return causes;
}

// Somebody there took the trouble to turn us away.
bool is_answer(Cause cause) {
  return cause == Cause::kRefused || cause == Cause::kReset || cause == Cause::kGoAway ||
         cause == Cause::kTls || cause == Cause::kProtocol;
}

void judge_blindness(const model::ClusterView& view, bool others_seen, Pulse& pulse) {
  const auto believe = [&](const char* whom, std::string why) {
    pulse.believed = whom;
    pulse.why = std::move(why);
  };
  if (const auto* stalled = find(view, Check::kMonitorStalled))
    return believe("monitor", stalled->summary);
  if (others_seen) return believe("cluster", "no member answers, but other clusters do");
  const auto causes = causes_of(view);
  if (std::ranges::any_of(causes, is_answer))
    return believe("cluster", "no member serves, but hosts of it answer and refuse");
  const auto all = [&](Cause cause) {
    return !causes.empty() &&
           std::ranges::all_of(causes, [cause](Cause each) { return each == cause; });
  };
  if (all(Cause::kDns)) return believe("monitor", "no name of the cluster can be resolved");
  if (all(Cause::kUnreachable)) return believe("monitor", "there is no way to any member");
  if (all(Cause::kLocal)) return believe("monitor", "it cannot open connections");
  if (const auto* isolated = find(view, Check::kMonitorIsolated))
    return believe("monitor", isolated->summary);
  believe("monitor", "no member answers and none refuses");
}

}  // namespace

std::vector<Pulse> WatchProof::look(const std::vector<std::string>& names,
                                    const std::vector<model::ClusterViewPtr>& views,
                                    Duration interval, SteadyTime now) {
  std::vector<Pulse> pulses;
  const auto limit = std::max(kAtLeast, interval * kRounds);
  const auto seen = std::ranges::count_if(
      views, [](const model::ClusterViewPtr& view) { return view && is_seen(*view); });
  for (std::size_t i = 0; i < names.size(); ++i) {
    static const model::ClusterView kNothing;
    const auto& view = i < views.size() && views[i] ? *views[i] : kNothing;
    auto& pulse = pulses.emplace_back(Pulse{.cluster = names[i]});
    const auto& observation = view.observation;
    auto [known, fresh] = progress_.try_emplace(
        names[i], Progress{observation.pulse_rounds, observation.last_health_check, now});
    auto& progress = known->second;
    if (!fresh && (progress.rounds != observation.pulse_rounds ||
                   progress.health_check != observation.last_health_check))
      progress = {observation.pulse_rounds, observation.last_health_check, now};
    if (now - progress.at > limit) {
      pulse.state = Pulse::State::kUnwatched;
      pulse.why =
          fmt::format("no round has ended for {}",
                      format_duration(std::chrono::floor<std::chrono::seconds>(now - progress.at)));
    } else if (!is_seen(view)) {
      pulse.state = Pulse::State::kUnknown;
      judge_blindness(view, seen > 0, pulse);
    } else if (!view.assessment.healthy.value_or(false)) {
      pulse.state = Pulse::State::kUnhealthy;
      const auto& verdicts = view.assessment.verdicts;
      pulse.why = verdicts.empty() ? "not known yet" : verdicts.front().summary;
    }
  }
  return pulses;
}

}  // namespace etcdmon::app
