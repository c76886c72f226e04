#include "app/benchmark/session.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <thread>
#include <unistd.h>
#include <utility>

#include <fmt/format.h>

#include "app/benchmark/fitness.hpp"
#include "app/benchmark/member_calls.hpp"
#include "app/benchmark/run_on.hpp"
#include "app/cluster_options.hpp"
#include "app/version.hpp"
#include "base/units.hpp"

namespace etcdmon::app {

namespace {

using namespace std::chrono_literals;
using std::chrono::steady_clock;

// A rate needs two looks at /metrics.
constexpr Milliseconds kLookEvery{400};
constexpr Milliseconds kLookPatience{5'000};
// For each member, to show that it lives, when nobody wants to wait.
constexpr Milliseconds kLastWord{250};
// Beyond this share of the quota the next burst may raise NOSPACE, which stops everybody's writes.
constexpr double kNearlyFull = 0.95;

std::string host_name() {
  std::array<char, 256> name{};
  if (::gethostname(name.data(), name.size() - 1) != 0) return {};
  return name.data();
}

struct Looked {
  ClusterOptions options;
  model::ClusterViewPtr view;
};

bool seen_enough(const model::ClusterView& view) {
  if (!view.assessment.healthy || !view.observation.last_health_check) return false;
  return std::ranges::all_of(view.members, [](const model::MemberView& member) {
    return member.scrapes >= 2 || member.scrape_failures > 0;
  });
}

// A look as `check` takes it, and long enough for the rates.
Task<model::ClusterViewPtr> look(ClusterContext& cluster, const std::atomic<bool>& stop) {
  const auto deadline = steady_clock::now() + kLookPatience;
  cluster.start({});
  while (!stop && steady_clock::now() < deadline && !seen_enough(*cluster.view()))
    co_await async::sleep_for(50ms);
  auto view = cluster.view();
  co_await cluster.stop();
  co_return view;
}

Result<Looked> look_at(const Settings& settings, const ClusterSettings& cluster,
                       const std::atomic<bool>& stop, BenchmarkNews& news) {
  ETCDMON_TRY(auto options, cluster_options(settings, cluster, news.warnings));
  options.collect.pulse_interval = kLookEvery;
  options.collect.metrics_interval = kLookEvery;
  options.collect.hash_check_interval = Milliseconds(0);
  options.collect.write_probe = false;
  // Left to the end of the process: what it asked may still be under way.
  auto& loop = *new Loop(1);
  auto& resolver = *new net::Resolver(loop.get_executor());
  auto& schedule = *new collect::Schedule(loop.get_executor());
  auto& scope = *new async::TaskScope(loop.get_executor(), Logger{});
  auto& context = *new ClusterContext(loop.get_executor(), resolver, schedule, options, Logger{});
  scope.spawn("schedule", schedule.run());
  auto view = run_on(loop, look(context, stop));
  if (stop) return Error{ErrorCode::kCancelled, "interrupted before anything was run"};
  return Looked{std::move(options), std::move(view)};
}

// Leaders and followers can only be told apart among all members.
Result<std::vector<net::Endpoint>> endpoints_of(const BenchmarkPlan& plan,
                                                const model::ClusterView& view) {
  if (plan.spec.target == bench::Target::kAll && !plan.cluster.endpoints.empty())
    return benchmark_endpoints(plan.cluster);
  auto found = plan.cluster;
  found.endpoints.clear();
  for (const auto& member : view.observation.members) {
    if (!member.endpoint.empty()) found.endpoints.push_back(member.endpoint);
  }
  return benchmark_endpoints(found);
}

Result<void> admit(const Fitness& fitness, bool force, BenchmarkNews& news) {
  news.warnings.insert(news.warnings.end(), fitness.doubts.begin(), fitness.doubts.end());
  for (const auto& objection : fitness.objections) {
    if (!objection.forceable) return Error{ErrorCode::kFailedPrecondition, objection.text};
    (force ? news.warnings : news.objections).push_back(objection.text);
  }
  if (news.objections.empty()) return {};
  return Error{ErrorCode::kFailedPrecondition,
               "the cluster is not fit for load, so nothing was run; --force runs it all the same"};
}

// Asks one endpoint after the other until one is there: members may have died in the run.
template <class Ask>
auto ask_any(const Looked& looked, const std::vector<net::Endpoint>& endpoints, Ask ask)
    -> decltype(ask(std::declval<MemberCalls&>())) {
  decltype(ask(std::declval<MemberCalls&>())) answer =
      Error{ErrorCode::kUnavailable, "no endpoint is known"};
  for (const auto& endpoint : endpoints) {
    MemberCalls member(looked.options, endpoint);
    answer = ask(member);
    if (answer || !is_retryable(answer.error().code)) break;
  }
  return answer;
}

// Looks at the size of the database once a second while the load runs.
class SpaceGuard {
 public:
  SpaceGuard(const Looked& looked, const net::Endpoint& endpoint, std::atomic<bool>& stop)
      : member_(looked.options, endpoint), quota_(looked.view->metrics.db_quota), stop_(stop) {}

  void look() {
    const auto now = steady_clock::now();
    if (!quota_ || *quota_ == 0 || now < next_ || !reason_.empty()) return;
    next_ = now + 1s;
    const auto size = member_.db_size(250ms);
    if (!size || static_cast<double>(*size) < kNearlyFull * static_cast<double>(*quota_)) return;
    reason_ = fmt::format("the database has {} of its quota of {}", human_bytes(*size),
                          human_bytes(*quota_));
    stop_.store(true);
  }
  /// Why it stopped the run; empty: it did not.
  const std::string& reason() const { return reason_; }

 private:
  MemberCalls member_;
  std::optional<std::uint64_t> quota_;
  std::atomic<bool>& stop_;
  SteadyTime next_;
  std::string reason_;
};

Result<bench::RunResult> guarded_run(const Looked& looked, const bench::RunSpec& spec,
                                     const BenchmarkHooks& hooks) {
  SpaceGuard guard(looked, spec.endpoints.front(), hooks.stop);
  const bench::RunHooks run_hooks{.on_progress =
                                      [&](const bench::Progress& progress) {
                                        guard.look();
                                        if (hooks.on_progress) hooks.on_progress(progress);
                                      },
                                  .stop = &hooks.stop,
                                  .hurry = &hooks.hurry};
  auto result = bench::run(spec, run_hooks);
  if (result && !guard.reason().empty()) {
    result->end = bench::RunResult::End::kAborted;
    result->why_aborted = guard.reason();
  }
  return result;
}

void compact(const Looked& looked, const bench::RunSpec& spec, bench::RunResult& result,
             BenchmarkNews& news) {
  const auto revision = result.revision_after;
  if (revision <= 0) return;
  const auto compacted = ask_any(
      looked, spec.endpoints, [revision](MemberCalls& member) { return member.compact(revision); });
  if (compacted) {
    result.notes.push_back(fmt::format("compacted to revision {}", revision));
  } else {
    news.warnings.push_back(fmt::format("not compacted: {}", compacted.error().message));
  }
}

// Who interrupts a run whose members all hang does not wait for each of them.
bool anybody_answers(const Looked& looked, const std::vector<net::Endpoint>& endpoints) {
  return ask_any(looked, endpoints, [](MemberCalls& member) { return member.db_size(kLastWord); })
      .has_value();
}

// Deletes what the run itself could not, and the claim, which is none of the run's keys.
void tidy_up(const Looked& looked, const bench::RunSpec& spec, bench::RunResult& result,
             BenchmarkNews& news) {
  const auto removed = ask_any(looked, spec.endpoints,
                               [&spec](MemberCalls& member) { return member.remove(spec.prefix); });
  if (removed) {
    const auto all = result.keys_removed.value_or(0) + static_cast<std::uint64_t>(*removed);
    result.keys_removed = all > 0 ? all - 1 : 0;
    return;
  }
  result.keys_removed.reset();
  news.warnings.push_back(
      fmt::format("the keys under {0} were not all deleted: {1}; delete them with: etcdctl del "
                  "--prefix {0}",
                  spec.prefix, removed.error().message));
}

std::string owner() {
  return fmt::format("etcd-monitor {} on {}, process {}, since {}", version(), host_name(),
                     ::getpid(), to_rfc3339(SystemClock{}.now().wall));
}

}  // namespace

Result<std::vector<net::Endpoint>> benchmark_endpoints(const ClusterSettings& cluster) {
  std::vector<net::Endpoint> endpoints;
  for (const auto& url : cluster.endpoints) {
    ETCDMON_TRY(auto endpoint, net::parse_endpoint(url));
    if (!endpoint.scheme_given) {
      endpoint.tls = wants_tls(cluster.tls);
      endpoint.scheme_given = true;
    }
    endpoints.push_back(std::move(endpoint));
  }
  return endpoints;
}

Result<bench::report::Record> run_benchmark(const Settings& settings, BenchmarkPlan plan,
                                            const BenchmarkHooks& hooks, BenchmarkNews& news) {
  ETCDMON_TRY(const auto looked, look_at(settings, plan.cluster, hooks.stop, news));
  const auto& safety = plan.options.safety;
  const auto fitness = judge_fitness(*looked.view, plan.options, plan.spec);
  if (auto admitted = admit(fitness, safety.force, news); !admitted)
    return std::move(admitted).error();

  auto& spec = plan.spec;
  ETCDMON_TRY(spec.endpoints, endpoints_of(plan, *looked.view));
  spec.user = plan.cluster.user;
  spec.password = plan.cluster.password;
  spec.dial_timeout = plan.cluster.dial_timeout;
  if (std::ranges::any_of(spec.endpoints, &net::Endpoint::tls)) spec.tls = plan.cluster.tls;

  auto claimed = ask_any(looked, spec.endpoints, [&](MemberCalls& member) {
    return member.claim(spec.prefix, owner(), safety.clear_prefix);
  });
  if (!claimed) return std::move(claimed).error();
  auto result = guarded_run(looked, spec, hooks);
  const auto failure = result ? std::nullopt : std::optional(result.error());
  bench::report::Record record;
  if (result) record.result = *std::move(result);
  const bool left = hooks.stop && spec.clean_up && !anybody_answers(looked, spec.endpoints);
  if (left) {
    record.result.keys_removed.reset();
    news.warnings.push_back(
        fmt::format("no member answers, so the keys under {0} were left; delete them with: etcdctl "
                    "del --prefix {0}",
                    spec.prefix));
  }
  if (spec.clean_up && !hooks.hurry && !left) tidy_up(looked, spec, record.result, news);
  if (failure) return *failure;
  if (safety.compact && !hooks.hurry && !left) compact(looked, spec, record.result, news);

  record.settings = bench::settings_of(plan.options);
  record.open_loop = spec.load.rate > 0 || spec.search.has_value();
  record.place = place_of(*looked.view);
  record.place.tool = fmt::format("etcd-monitor {}", version());
  record.place.host = host_name();
  record.place.cores = std::thread::hardware_concurrency();
  return record;
}

}  // namespace etcdmon::app
