#include "app/benchmark/fitness.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "base/units.hpp"

namespace etcdmon::app {

namespace {

// Beyond this share of its quota a database is too near to NOSPACE, which stops all writes.
constexpr double kNearQuota = 0.8;
// What a version of a key costs besides key and value: its revision, its place in two trees.
constexpr double kPerVersion = 200;

std::string sentence(const model::Verdict& verdict) {
  return fmt::format("{}: {}", model::name_of(verdict.check), verdict.summary);
}

void judge_health(const model::ClusterView& view, Fitness& fitness) {
  const auto& assessment = view.assessment;
  const auto& quorum = assessment.quorum;
  // The members that answer tell it at once; that no leader comes back is judged only after a
  // while.
  const bool too_few = quorum.available < std::max(1, quorum.quorum_size);
  if (quorum.has_quorum == false || too_few) {
    std::string why = "nobody answers";
    if (!assessment.verdicts.empty()) why = sentence(assessment.verdicts.front());
    for (const auto& endpoint : view.observation.endpoints) {
      if (assessment.verdicts.empty() && endpoint.last_error)
        why = fmt::format("{}: {}", endpoint.url, endpoint.last_error->message);
    }
    fitness.objections.push_back({fmt::format("the cluster has no quorum: {}", why), false});
    return;
  }
  if (!assessment.healthy) {
    fitness.objections.push_back({"could not find out whether the cluster is healthy", true});
  } else if (!*assessment.healthy) {
    for (const auto& verdict : assessment.verdicts) {
      if (verdict.severity != model::Severity::kInfo)
        fitness.objections.push_back({sentence(verdict), true});
    }
    if (fitness.objections.empty())
      fitness.objections.push_back({"the cluster is not healthy", true});
  }
}

// Bytes that the run adds to the database, as far as that is known before it.
double growth(const bench::RunSpec& spec) {
  const auto& all = bench::workloads();
  const auto workload = std::ranges::find(all, spec.workload, &bench::WorkloadEntry::name);
  const bool writes = workload != all.end() && workload->writes;
  const double versions = writes ? static_cast<double>(std::max(spec.ops, spec.keys.space))
                                 : static_cast<double>(spec.keys.space);
  const double value = spec.values.kind == bench::Sizes::Kind::kUniform
                           ? (spec.values.min + spec.values.max) / 2.0
                           : spec.values.min;
  const double key = static_cast<double>(spec.prefix.size() + spec.keys.size);
  return versions * (key + value + kPerVersion);
}

void judge_space(const model::ClusterView& view, const bench::RunSpec& spec, Fitness& fitness) {
  const auto size = view.metrics.db_size;
  const auto quota = view.metrics.db_quota;
  if (!size || !quota || *quota == 0) {
    fitness.doubts.emplace_back("the quota is not known: /metrics of the members was not read");
    return;
  }
  const auto used = static_cast<double>(*size);
  const auto most = kNearQuota * static_cast<double>(*quota);
  if (used > most) {
    fitness.objections.push_back({fmt::format("the database has {} of its quota of {}",
                                              human_bytes(*size), human_bytes(*quota)),
                                  true});
  } else if (used + growth(spec) > most) {
    fitness.objections.push_back(
        {fmt::format("the run writes about {}, and the database already has {} of its quota of {}: "
                     "ask for less, or smaller values",
                     human_bytes(static_cast<std::uint64_t>(growth(spec))), human_bytes(*size),
                     human_bytes(*quota)),
         true});
  }
}

void judge_traffic(const model::ClusterView& view, const bench::SafetyOptions& safety,
                   Fitness& fitness) {
  if (safety.test_cluster) return;
  if (!view.metrics.request_rate) {
    fitness.doubts.emplace_back(
        "the cluster's own traffic is not known: /metrics of the members was not read");
  } else if (*view.metrics.request_rate > safety.busy_above) {
    fitness.objections.push_back(
        {fmt::format("the cluster serves {:.0f} requests a second of its own (--busy-above={:g})",
                     *view.metrics.request_rate, safety.busy_above),
         true});
  }
}

}  // namespace

Fitness judge_fitness(const model::ClusterView& view, const bench::Options& options,
                      const bench::RunSpec& spec) {
  Fitness fitness;
  judge_health(view, fitness);
  const bool hopeless =
      std::ranges::any_of(fitness.objections, [](const Objection& o) { return !o.forceable; });
  if (hopeless) return fitness;
  judge_space(view, spec, fitness);
  judge_traffic(view, options.safety, fitness);
  return fitness;
}

bench::report::Place place_of(const model::ClusterView& view) {
  bench::report::Place place;
  place.cluster = view.cluster;
  const auto& seen = view.observation;
  if (seen.membership.cluster_id) place.cluster_id = to_hex(*seen.membership.cluster_id);
  place.members = seen.membership.members.size();
  for (const auto& member : seen.members) {
    if (member.status &&
        std::ranges::find(place.versions, member.status->version) == place.versions.end())
      place.versions.push_back(member.status->version);
  }
  std::ranges::sort(place.versions);
  return place;
}

}  // namespace etcdmon::app
