#include "bench/load/team.hpp"

#include <algorithm>
#include <utility>

namespace etcdmon::bench {

// Seconds of the wall's clock tell runs apart: a lease that an earlier one left behind has another
// number.
Team::Team(const RunSpec& spec)
    : spec_(spec),
      run_(static_cast<std::uint32_t>(
          std::chrono::floor<std::chrono::seconds>(SystemClock().now().wall)
              .time_since_epoch()
              .count())),
      crew_(spec.load.threads) {}

Result<std::unique_ptr<Team>> Team::make(const RunSpec& spec, const WorkloadType& type,
                                         std::vector<net::Endpoint> endpoints, Tokens* tokens,
                                         const std::atomic<bool>* stop) {
  std::unique_ptr<Team> team(new Team(spec));
  for (std::uint32_t i = 0; i < spec.load.threads; ++i) {
    WorkerOptions options{.spec = &spec,
                          .endpoints = endpoints,
                          .share = {i, spec.load.threads},
                          .listeners = type.listeners == nullptr ? 0 : type.listeners(spec),
                          .tokens = spec.user.empty() ? nullptr : tokens,
                          .stop = stop};
    ETCDMON_TRY(auto worker, Worker::make(std::move(options)));
    team->workers_.push_back(std::move(worker));
  }
  return team;
}

Team::~Team() {
  // Some may not have been made.
  crew_.run([this](std::size_t i) {
    if (i < workers_.size()) workers_[i]->close();
  });
}

Result<void> Team::connect() {
  std::vector<Result<void>> results(workers_.size());
  crew_.run([&](std::size_t i) { results[i] = workers_[i]->connect(); });
  for (auto& result : results) {
    if (!result) return std::move(result).error();
  }
  return {};
}

Pass Team::part_of(const TeamPass& pass, Share share, Workload& workload, Totals& totals) const {
  Pass part;
  part.workload = &workload;
  part.totals = &totals;
  if (pass.ops > 0) {
    part.ops =
        pass.ops * (share.worker + 1) / share.workers - pass.ops * share.worker / share.workers;
  }
  part.warm_up = pass.warm_up;
  part.duration = pass.duration;
  part.patience = spec_.load.patience;
  part.listen = pass.listen;
  if (pass.rate <= 0) return part;
  const auto workers = static_cast<double>(share.workers);
  part.pace = PacerOptions{.rate = pass.rate / workers,
                           .ramp_to = pass.ramp_to / workers,
                           .ramp = pass.duration,
                           .ramp_from = pass.warm_up,
                           .arrivals = spec_.load.arrivals,
                           .seed = spec_.seed * 47 + share.worker,
                           .phase = share.worker / workers};
  return part;
}

void Team::run(const TeamPass& pass, const Watch& watch, RunResult& result) {
  const auto count = static_cast<std::uint32_t>(workers_.size());
  std::vector<std::unique_ptr<Workload>> workloads;
  for (std::uint32_t i = 0; i < count; ++i) workloads.push_back(pass.make(spec_, {i, count, run_}));
  Totals totals(workloads.front()->operations(), count);
  std::vector<PassFacts> facts(count);
  const auto began = std::chrono::steady_clock::now();
  const auto tell = [&](bool over) {
    std::uint64_t ended = 0;
    for (const auto& worker : workers_) ended += worker->ended();
    watch(Moment{totals, ended, std::chrono::steady_clock::now() - began, over});
  };
  crew_.run(
      [&](std::size_t i) {
        const Share share{static_cast<std::uint32_t>(i), count, run_};
        facts[i] = workers_[i]->run(part_of(pass, share, *workloads[i], totals));
      },
      [&] { tell(false); });
  tell(true);
  leases_.clear();
  for (const auto& workload : workloads) leases_.push_back(workload->leases());
  totals.give(result);
  for (const auto& part : facts) {
    result.measured = std::max(result.measured, part.measured);
    result.client.busy = std::max(result.client.busy, part.busy);
    result.client.cpu_seconds += part.cpu_seconds;
  }
}

void Team::halt() {
  for (auto& worker : workers_) worker->halt();
}

std::uint64_t Team::raft_term() const {
  std::uint64_t term = 0;
  for (const auto& worker : workers_) term = std::max(term, worker->raft_term());
  return term;
}

bool Team::no_space() const {
  return std::ranges::any_of(workers_, [](const auto& worker) { return worker->no_space(); });
}

bool Team::deserted() const {
  return std::ranges::all_of(workers_, [](const auto& worker) { return worker->deserted(); });
}

std::vector<Worker::Facts> Team::facts() const {
  std::vector<Worker::Facts> all;
  for (const auto& worker : workers_) all.push_back(worker->facts());
  return all;
}

}  // namespace etcdmon::bench
