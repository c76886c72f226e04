// bench/load/team.hpp: a run's workers, each on its thread.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "bench/load/control.hpp"
#include "bench/load/crew.hpp"
#include "bench/load/worker.hpp"
#include "bench/run.hpp"

namespace etcdmon::bench {

/// What all workers do together.
struct TeamPass {
  std::function<std::unique_ptr<Workload>(const RunSpec& spec, Share share)> make;
  std::uint64_t ops = 0;
  Duration warm_up{0};
  Duration duration{0};
  double rate = 0;
  double ramp_to = 0;
  bool listen = false;  ///< listeners take part
};

/// Threads: one; the workers' own rest between its functions.
class Team {
 public:
  static Result<std::unique_ptr<Team>> make(const RunSpec& spec, const WorkloadType& type,
                                            std::vector<net::Endpoint> endpoints, Tokens* tokens,
                                            const std::atomic<bool>* stop);
  ~Team();

  Result<void> connect();

  /// Told some ten times a second while a pass runs, and once when it is over.
  struct Moment {
    Totals& totals;
    std::uint64_t ended = 0;  ///< operations, those of the warm-up too
    Duration elapsed{0};
    bool over = false;
  };
  using Watch = std::function<void(const Moment&)>;
  /// Leaves everything it counted in `result`.
  void run(const TeamPass& pass, const Watch& watch, RunResult& result);
  /// Ends the running pass; for the watch.
  void halt();

  std::uint64_t raft_term() const;
  bool no_space() const;
  bool deserted() const;
  std::vector<Worker::Facts> facts() const;
  /// Of the last pass, by worker.
  const std::vector<LeaseRange>& leases() const { return leases_; }

 private:
  explicit Team(const RunSpec& spec);
  Pass part_of(const TeamPass& pass, Share share, Workload& workload, Totals& totals) const;

  const RunSpec& spec_;
  std::uint32_t run_;
  Crew crew_;
  std::vector<std::unique_ptr<Worker>> workers_;
  std::vector<LeaseRange> leases_;
};

}  // namespace etcdmon::bench
