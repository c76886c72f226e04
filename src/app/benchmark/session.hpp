// app/benchmark/session.hpp: one benchmark from the first look at the cluster to the last key.
#pragma once

#include <atomic>
#include <functional>
#include <string>
#include <vector>

#include "app/settings.hpp"
#include "base/result.hpp"
#include "bench/options.hpp"
#include "bench/report/record.hpp"
#include "bench/run.hpp"

namespace etcdmon::app {

struct BenchmarkPlan {
  ClusterSettings cluster;
  bench::Options options;
  bench::RunSpec spec;  ///< endpoints and login are filled in here
};

struct BenchmarkHooks {
  std::function<void(const bench::Progress&)> on_progress;
  std::atomic<bool>& stop;   ///< ends the run; also set from here when the database fills up
  std::atomic<bool>& hurry;  ///< leaves without cleaning up
};

/// What happened besides the result.
struct BenchmarkNews {
  std::vector<std::string> objections;  ///< why nothing was run, though --force would
  std::vector<std::string> warnings;
};

/// Looks at the cluster, refuses what is not fit, claims the prefix, runs, cleans up. Blocks. The
/// record has no targets and no preset verdict yet.
/// Errors: kFailedPrecondition where the cluster or the prefix is not fit, with what to do; those
///         of bench::run.
Result<bench::report::Record> run_benchmark(const Settings& settings, BenchmarkPlan plan,
                                            const BenchmarkHooks& hooks, BenchmarkNews& news);

/// The endpoints as the run and its checks need them; those without a scheme get the cluster's.
/// Errors: kInvalidArgument.
Result<std::vector<net::Endpoint>> benchmark_endpoints(const ClusterSettings& cluster);

}  // namespace etcdmon::app
