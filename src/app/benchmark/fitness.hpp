// app/benchmark/fitness.hpp: whether a cluster may be put under load.
#pragma once

#include <string>
#include <vector>

#include "bench/options.hpp"
#include "bench/report/record.hpp"
#include "model/cluster_view.hpp"

namespace etcdmon::app {

/// A reason not to load a cluster.
struct Objection {
  std::string text;
  bool forceable = true;  ///< --force overrides it
};

struct Fitness {
  std::vector<Objection> objections;
  std::vector<std::string> doubts;  ///< what could not be found out
};

/// Judges the cluster as it is looked at before a run: unhealthy, near its quota (as it is, or
/// after what the run writes), or busy with traffic of its own.
Fitness judge_fitness(const model::ClusterView& view, const bench::Options& options,
                      const bench::RunSpec& spec);

/// What the reports say about the cluster.
bench::report::Place place_of(const model::ClusterView& view);

}  // namespace etcdmon::app
