// Whether it is this monitor that is ill.
#include <algorithm>

#include <fmt/format.h>

#include "base/units.hpp"
#include "collect/judge/parts.hpp"

namespace etcdmon::collect {

using model::Check;
using model::Severity;

namespace {

// Clean rounds after which a stall is over.
constexpr std::uint64_t kCleanRounds = 2;

void report_stall(const Sight& sight, MonitorMemory& monitor, Findings& findings) {
  const auto& seen = sight.look.seen;
  // A void round that is not explained by everybody's silence is void because we were late.
  if (sight.look.lagged || (seen.round_void && !monitor.silent_since)) {
    monitor.stalled_round = seen.pulse_rounds;
    monitor.lag = std::max(monitor.lag, seen.loop_lag);
  } else if (monitor.stalled_round && seen.pulse_rounds - *monitor.stalled_round >= kCleanRounds) {
    monitor.stalled_round.reset();
    monitor.lag = Duration(0);
  }
  if (monitor.stalled_round) {
    const auto lag = std::chrono::duration_cast<std::chrono::milliseconds>(monitor.lag);
    const auto by = lag.count() > 0 ? " by " + format_duration(lag) : std::string();
    findings.add({Check::kMonitorStalled,
                  Severity::kWarning,
                  {},
                  {},
                  fmt::format("this monitor was late{}: the round does not count", by),
                  "the machine is overloaded, or the process was stopped; members are judged by "
                  "later rounds",
                  {}});
    return;
  }
  for (const auto& subject : sight.look.subjects) {
    const auto& link = subject.facts->link;
    const auto* error = link.state == model::LinkFacts::State::kDown && link.last_error
                            ? &*link.last_error
                            : nullptr;
    // Without a failed attempt it is a connection that we dropped for a new one.
    if (!error || error->cause != Cause::kLocal || link.failures == 0) continue;
    findings.add({Check::kMonitorStalled,
                  Severity::kWarning,
                  {},
                  {},
                  "this monitor cannot open connections itself",
                  error->message,
                  {}});
    return;
  }
}

}  // namespace

void report_monitor(const Sight& sight, MonitorMemory& monitor, Findings& findings) {
  report_stall(sight, monitor, findings);
  // One slow round of the network is no news; the next one is half an interval away at least.
  if (!monitor.silent_since || sight.look.now - *monitor.silent_since < sight.look.pulse() / 2)
    return;
  // Held back, a slow round of the network is all it may be; later nobody else watches this
  // cluster.
  const auto severity = monitor.held_back ? Severity::kWarning : Severity::kCritical;
  findings.add(
      {Check::kMonitorIsolated,
       severity,
       {},
       {},
       "all members fell silent at once: this monitor may be cut off",
       "no member answers and none refuses: either our network swallows everything, or all members "
       "hang or lost their hosts together; nothing is known of the cluster meanwhile",
       *monitor.silent_since});
}

bool counts_against_health(const model::Verdict& verdict) {
  switch (verdict.check) {
    case Check::kNotAuthorised:
    case Check::kMisAddressed:
    case Check::kLoadBalancer:
    case Check::kDuplicateEndpoint:
    case Check::kEndpointUnusable:
    case Check::kAdvertisedUnreachable:
    case Check::kMetricsUnavailable:
    case Check::kVersionSkew:
    case Check::kMonitorStalled:
    case Check::kMonitorIsolated:
    case Check::kCertificateExpiry:
      return false;
    default:
      return verdict.severity != Severity::kInfo;
  }
}

}  // namespace etcdmon::collect
