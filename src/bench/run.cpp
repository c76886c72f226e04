#include "bench/run.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "bench/load/rate_search.hpp"
#include "bench/load/team.hpp"

namespace etcdmon::bench {

namespace {

// For each member, to show that it lives, when nobody wants to wait.
constexpr std::chrono::milliseconds kLastWord{250};

/// One run from beginning to end; each function is one of its phases.
class Run {
 public:
  Run(const RunSpec& spec, const RunHooks& hooks)
      : spec_(spec), hooks_(hooks), type_(*find_workload(spec.workload)) {
    result_.workload = spec.workload;
  }

  Result<RunResult> operator()() {
    if (auto ready = get_ready(); !ready) return std::move(ready).error();
    if (!stopped()) {
      if (auto prepared = prepare(); !prepared) {
        clean_up();
        return std::move(prepared).error();
      }
    }
    settle();
    measure();
    gather();
    clean_up();
    result_.samples = std::move(samples_);
    return std::move(result_);
  }

 private:
  bool stopped() const { return hooks_.stop != nullptr && *hooks_.stop; }

  void tell(Progress progress) const {
    if (hooks_.on_progress) hooks_.on_progress(progress);
  }

  Result<void> get_ready() {
    tell({.phase = Progress::Phase::kConnecting});
    ETCDMON_TRY(control_, Control::make(spec_));
    if (auto in = control_->login(); !in) return std::move(in).error();
    ETCDMON_TRY(members_, control_->members());
    ETCDMON_TRY(auto targets, targets_of_load());
    for (const auto& target : targets) result_.endpoints.push_back(target.url());
    ETCDMON_TRY(team_,
                Team::make(spec_, type_, std::move(targets), &control_->tokens(), hooks_.stop));
    return team_->connect();
  }

  Result<std::vector<net::Endpoint>> targets_of_load() {
    if (spec_.target == Target::kAll) return spec_.endpoints;
    std::vector<net::Endpoint> found;
    for (const auto& member : members_) {
      const bool leads = member.id == member.leader;
      if (leads == (spec_.target == Target::kLeader)) found.push_back(member.endpoint);
    }
    if (!found.empty()) return found;
    return Error{
        ErrorCode::kFailedPrecondition,
        fmt::format("none of the {} endpoints that answer is {}: name all members", members_.size(),
                    spec_.target == Target::kLeader ? "the leader" : "a follower")};
  }

  Result<void> prepare() {
    if (type_.puts_needed == nullptr) return {};
    const auto keys = type_.puts_needed(spec_);
    RunResult filled;
    team_->run(
        {.make = type_.fill, .ops = keys},
        [&](const Team::Moment& moment) {
          tell_moment(Progress::Phase::kPreparing, moment,
                      static_cast<double>(moment.ended) / static_cast<double>(keys));
          if (team_->no_space()) team_->halt();
        },
        filled);
    result_.keys_prepared = filled.succeeded;
    wrote_ = true;
    if (filled.failed == 0 || stopped()) return {};
    const auto& [code, error] = *filled.errors.begin();
    return Error{code, fmt::format("preparing keys: {} of {} puts failed: {}", filled.failed, keys,
                                   error.example)};
  }

  // etcd 3.4 copies its whole read buffer for every read until two commits without a write passed.
  void settle() {
    const bool affected = std::ranges::any_of(
        members_, [](const auto& member) { return member.version.starts_with("3.4."); });
    if (!wrote_ || !affected || stopped()) return;
    if (!spec_.settle) {
      result_.notes.push_back(
          "not settled after preparing keys: on etcd 3.4 reads cost the server twice as much until "
          "two commits without a write have passed");
      return;
    }
    tell({.phase = Progress::Phase::kSettling});
    const auto settled = control_->settle();
    result_.notes.push_back(
        settled ? "waited 0.9 s after preparing keys, until etcd 3.4 forgot the burst of writes: "
                  "reads cost it twice as much before"
                : "could not settle after preparing keys: " + settled.error().message);
  }

  void measure() {
    result_.began = SystemClock().now().wall;
    if (stopped()) {
      result_.end = RunResult::End::kStopped;
      return;
    }
    wrote_ = wrote_ || type_.entry.writes;
    if (spec_.search) {
      search();
    } else {
      const TeamPass pass{.make = type_.make,
                          .ops = spec_.ops,
                          .warm_up = spec_.warm_up,
                          .duration = spec_.duration,
                          .rate = spec_.load.rate,
                          .ramp_to = spec_.load.ramp_to,
                          .listen = type_.listeners != nullptr};
      team_->run(pass, [this](const Team::Moment& moment) { watch(moment); }, result_);
    }
    if (stopped()) result_.end = RunResult::End::kStopped;
    if (!result_.why_aborted.empty()) result_.end = RunResult::End::kAborted;
    if (team_->deserted()) {
      result_.end = RunResult::End::kAborted;
      result_.why_aborted = "no endpoint answered any more";
    }
  }

  // The best step's measurement is the run's.
  void search() {
    RateSearch rates(*spec_.search);
    while (const auto rate = rates.next()) {
      RunResult step;
      step.workload = result_.workload;
      step.began = result_.began;
      step.endpoints = result_.endpoints;
      team_->run(
          {.make = type_.make,
           .warm_up = spec_.warm_up,
           .duration = spec_.search->step,
           .rate = *rate,
           .listen = type_.listeners != nullptr},
          [this](const Team::Moment& moment) { watch(moment); }, step);
      if (stopped() || !result_.why_aborted.empty() || team_->deserted()) break;
      const auto judged = judge_step(step, *rate);
      rates.tell(judged.held);
      const bool shown = judged.held || !rates.best();
      result_.steps.push_back(judged);
      if (shown) keep_measurement(std::move(step));
    }
    result_.best_rate = rates.best();
  }

  Step judge_step(const RunResult& measured, double rate) const {
    constexpr double kServed = 0.95;
    Step step{.offered = rate,
              .achieved = measured.throughput(),
              .failed = measured.failed + measured.client.dropped,
              .p50 = measured.latency.quantile(0.5).value_or(0),
              .p99 = measured.latency.quantile(0.99).value_or(0)};
    const auto line =
        static_cast<std::uint64_t>(std::chrono::nanoseconds(spec_.search->p99).count());
    const auto client = limit_of_client(measured.client);
    if (!client.empty()) {
      step.why_not = client;
    } else if (step.failed > 0) {
      step.why_not = fmt::format("{} operations failed", step.failed);
    } else if (step.p99 >= line) {
      step.why_not = fmt::format("P99 {:.1f} ms", static_cast<double>(step.p99) / 1e6);
    } else if (step.achieved < kServed * rate) {
      step.why_not = fmt::format("{:.0f} operations a second were served", step.achieved);
    }
    step.held = step.why_not.empty();
    return step;
  }

  void keep_measurement(RunResult measured) {
    measured.steps = std::move(result_.steps);
    measured.notes = std::move(result_.notes);
    measured.keys_prepared = result_.keys_prepared;
    result_ = std::move(measured);
  }

  void watch(const Team::Moment& moment) {
    const bool warming = moment.elapsed < spec_.warm_up;
    const auto measured = moment.elapsed - spec_.warm_up;
    double done = 0;
    if (warming) {
      done = share(moment.elapsed, spec_.warm_up);
    } else {
      const auto last = moment.totals.last();
      if (spec_.ops > 0)
        done = static_cast<double>(last.succeeded + last.failed) / static_cast<double>(spec_.ops);
      if (spec_.duration.count() > 0) done = std::max(done, share(measured, spec_.duration));
    }
    tell_moment(warming ? Progress::Phase::kWarmUp : Progress::Phase::kMeasuring, moment, done);
    keep_abort_lines(moment);
    if (spec_.workload == "scale") take_sample(moment);
    if (control_->tokens().wanted()) (void)control_->login();
  }

  // At the whole second after each of the steps, and at the end.
  void take_sample(const Team::Moment& moment) {
    const auto seconds = moment.totals.last().seconds;
    const auto next = spec_.ops * (sampled_steps_ + 1) / spec_.shape.steps;
    if (!moment.over && (moment.ended < next || seconds == sampled_second_)) return;
    sampled_second_ = seconds;
    sampled_steps_ = moment.ended * spec_.shape.steps / spec_.ops;
    sample(moment.totals, moment.elapsed - spec_.warm_up);
  }

  void sample(Totals& totals, Duration at) {
    const auto latency = totals.sample();
    ServerSample sample{
        .at = at, .keys = latency.succeeded, .p50 = latency.p50, .p99 = latency.p99};
    if (const auto members = control_->members()) {
      for (const auto& member : *members) {
        sample.db_size = std::max(sample.db_size, member.db_size);
        sample.db_size_in_use = std::max(sample.db_size_in_use, member.db_size_in_use);
      }
    }
    sample.resident = control_->resident_memory();
    samples_.push_back(sample);
  }

  static double share(Duration part, Duration whole) {
    return whole.count() == 0
               ? 0
               : static_cast<double>(part.count()) / static_cast<double>(whole.count());
  }

  void keep_abort_lines(const Team::Moment& moment) {
    const auto last = moment.totals.last();
    if (spec_.abort.p99 && last.seconds > seconds_seen_) {
      const auto line = std::chrono::nanoseconds(*spec_.abort.p99).count();
      seconds_beyond_ = last.p99 > static_cast<std::uint64_t>(line) ? seconds_beyond_ + 1 : 0;
      if (seconds_beyond_ >= 3)
        abort(fmt::format("P99 was above {} for three seconds", format_duration(*spec_.abort.p99)));
    }
    seconds_seen_ = last.seconds;
    if (spec_.abort.no_space && team_->no_space()) abort("the database is full (NOSPACE)");
    const auto term = team_->raft_term();
    if (term_ == 0) term_ = term;
    if (spec_.abort.leader_change && term != term_) abort("the leader changed");
  }

  void abort(std::string why) {
    if (result_.why_aborted.empty()) result_.why_aborted = std::move(why);
    team_->halt();
  }

  void tell_moment(Progress::Phase phase, const Team::Moment& moment, double done) const {
    const auto last = moment.totals.last();
    tell({.phase = phase,
          .done = std::min(done, 1.0),
          .elapsed = moment.elapsed,
          .succeeded = last.succeeded,
          .failed = last.failed,
          .rate = last.rate,
          .p99 = last.p99,
          .offered = last.offered,
          .raft_term = team_->raft_term()});
  }

  void gather() {
    for (const auto& facts : team_->facts()) {
      result_.revision_after = std::max(result_.revision_after, facts.revision);
      result_.client.reconnects += facts.reconnects;
      result_.client.bytes_sent += facts.bytes_sent;
      result_.client.bytes_received += facts.bytes_received;
      result_.client.stream_limited += facts.transport.stream_limited;
      result_.client.window_limited += facts.transport.window_limited;
      for (const auto& change : facts.leader_changes) {
        const auto same = [&](const LeaderChange& c) { return c.term_after == change.term_after; };
        if (std::ranges::none_of(result_.leader_changes, same))
          result_.leader_changes.push_back(change);
      }
      for (const auto& trouble : facts.troubles) result_.notes.push_back(trouble);
    }
    std::ranges::sort(result_.leader_changes, {}, &LeaderChange::at);
    judge_client();
  }

  // Above it, what is measured is how fast this program asks.
  static std::string limit_of_client(const ClientFacts& client) {
    constexpr double kBusy = 0.9;
    constexpr std::uint64_t kLate = 5'000'000;
    if (client.busy > kBusy) {
      return fmt::format(
          "the client's loop was busy {:.0f} % of the time: with more threads or from another "
          "machine the cluster may do more",
          client.busy * 100);
    }
    if (client.lateness_p99 > kLate) {
      return fmt::format(
          "the client sent its operations up to {:.1f} ms late although it was free (P99): this "
          "machine is too busy to keep the times",
          static_cast<double>(client.lateness_p99) / 1e6);
    }
    return {};
  }

  void judge_client() {
    auto& client = result_.client;
    client.limited = limit_of_client(client);
    if (client.stream_limited > 0) {
      result_.notes.push_back(
          fmt::format("{} calls waited until the member allowed another stream "
                      "(--max-concurrent-streams): more connections may do more",
                      client.stream_limited));
    }
    if (client.window_limited > result_.total() / 20) {
      result_.notes.push_back(
          fmt::format("{} requests waited for the member's flow control: more connections may do "
                      "more",
                      client.window_limited));
    }
    if (client.dropped > 0) {
      result_.notes.push_back(fmt::format(
          "{} operations were due and never sent: they waited longer than {} for a free client",
          client.dropped, format_duration(spec_.load.patience)));
    }
  }

  void clean_up() {
    if (!spec_.clean_up || !(wrote_ || has_leases())) return;
    // Who interrupts a run whose members all hang does not wait for each of them.
    if (stopped() && !control_->answers(kLastWord)) {
      result_.notes.push_back("nothing was cleaned up: no member answers");
      return;
    }
    tell({.phase = Progress::Phase::kCleaning});
    revoke_leases();
    if (!wrote_) return;
    auto removed = control_->remove_keys(hooks_.hurry);
    if (removed) {
      result_.keys_removed = *removed;
    } else {
      result_.notes.push_back(fmt::format("the keys under {} could not be deleted: {}",
                                          spec_.prefix, removed.error().message));
    }
  }

  bool has_leases() const {
    return team_ && std::ranges::any_of(team_->leases(), &LeaseRange::count);
  }

  void revoke_leases() {
    if (!has_leases()) return;
    const auto leases = team_->leases();
    RunResult revoked;
    team_->run(
        {.make = [&leases](const RunSpec&,
                           Share share) { return make_revoke(leases[share.worker]); }},
        [this](const Team::Moment&) {
          if (hooks_.hurry != nullptr && *hooks_.hurry) team_->halt();
        },
        revoked);
    if (revoked.failed > 0) {
      result_.notes.push_back(
          fmt::format("{} leases could not be revoked: they end by themselves", revoked.failed));
    }
  }

  const RunSpec& spec_;
  const RunHooks& hooks_;
  const WorkloadType& type_;
  std::unique_ptr<Control> control_;
  std::vector<Control::MemberFacts> members_;
  std::unique_ptr<Team> team_;
  RunResult result_;
  bool wrote_ = false;
  std::size_t seconds_seen_ = 0;
  int seconds_beyond_ = 0;
  std::uint64_t term_ = 0;
  std::vector<ServerSample> samples_;
  std::uint64_t sampled_steps_ = 0;
  std::size_t sampled_second_ = 0;
};

}  // namespace

Result<RunResult> run(const RunSpec& spec, const RunHooks& hooks) {
  if (const auto found = complaints(spec); !found.empty()) {
    return Error{ErrorCode::kInvalidArgument, fmt::format("{}", fmt::join(found, "; "))};
  }
  return Run(spec, hooks)();
}

}  // namespace etcdmon::bench
