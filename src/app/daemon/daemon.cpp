#include "app/daemon/daemon.hpp"

#include <algorithm>
#include <cstdio>
#include <unistd.h>
#include <utility>

#include <fmt/format.h>

#include "api/benchmarks.hpp"
#include "api/dead_letters.hpp"
#include "api/metrics_history.hpp"
#include "api/rest_api.hpp"
#include "api/rules.hpp"
#include "api/view_source.hpp"
#include "app/cluster_options.hpp"
#include "app/daemon/benchmark_runs.hpp"
#include "app/version.hpp"
#include "async/when_all.hpp"
#include "collect/scrape/page_reader.hpp"
#include "config/describe.hpp"
#include "net/http_server.hpp"

namespace etcdmon::app {

using std::chrono::steady_clock;

namespace {

// Also after the file was replaced by a newer one.
constexpr const char* kThisProgram = "/proc/self/exe";

}  // namespace

// What the API reads: the newest view of every cluster.
class Daemon::Views final : public api::ViewSource, public api::RuleSource {
 public:
  explicit Views(const Daemon& daemon) : daemon_(daemon), started_(SystemClock{}.now()) {
    for (const auto& cluster : daemon.clusters_) names_.push_back(cluster->name());
  }

  const std::vector<std::string>& clusters() const override { return names_; }
  model::ClusterViewPtr view(std::string_view cluster) const override {
    for (const auto& context : daemon_.clusters_) {
      if (context->name() == cluster)
        return context->view()->version == 0 ? nullptr : context->view();
    }
    return nullptr;
  }
  std::vector<alert::RuleStatus> rules(std::string_view cluster) const override {
    for (const auto& context : daemon_.clusters_) {
      if (context->name() == cluster) return context->rules();
    }
    return {};
  }
  api::MonitorFacts monitor() const override {
    return {.version = std::string(version()),
            .build = std::string(compiler()),
            .started_at = started_.wall,
            .uptime = steady_clock::now() - started_.steady};
  }

 private:
  const Daemon& daemon_;
  Now started_;
  std::vector<std::string> names_;
};

Daemon::Daemon(Loop& loop, Settings settings, const Logger& logger)
    : loop_(loop),
      settings_(std::move(settings)),
      logger_(logger),
      lifecycle_(logger),
      scope_(loop.get_executor(), logger),
      resolver_(loop.get_executor()),
      schedule_(loop.get_executor()),
      line_pool_(std::make_shared<collect::LinePool>()) {}

Daemon::~Daemon() = default;

std::unique_ptr<notify::Console> Daemon::make_console() const {
  if (!settings_.alerts.console.enabled) return nullptr;
  return std::make_unique<notify::Console>(
      notify::Console::Options{.out = stdout,
                               .colours = ::isatty(STDOUT_FILENO) == 1,
                               .structured = settings_.logging.format == log::Format::kJson},
      logger_);
}

Result<void> Daemon::start() {
  lifecycle_.started("tasks", [this] { return scope_.close(); });
  console_ = make_console();
  if (auto delivery = start_delivery(); !delivery) return delivery;
  if (auto history = start_history(); !history) return history;
  auto clusters = start_clusters();
  if (!clusters) return clusters;
  return start_api();
}

Result<void> Daemon::start_delivery() {
  auto delivery = Delivery::open(loop_.get_executor(), settings_, logger_);
  if (!delivery) return std::move(delivery).error();
  delivery_ = *std::move(delivery);
  lifecycle_.started("delivery", [this] {
    return delivery_->stop(steady_clock::now() + std::chrono::milliseconds(700));
  });
  return {};
}

Result<void> Daemon::start_history() {
  auto history = HistoryFeed::open(settings_, loop_.get_executor(), logger_);
  if (!history) return std::move(history).error();
  history_ = *std::move(history);
  if (!history_) return {};
  history_->start(registry_);
  lifecycle_.started("history", [this] {
    return history_->stop(steady_clock::now() + std::chrono::milliseconds(700));
  });
  return {};
}

Result<void> Daemon::start_clusters() {
  for (const auto& cluster : settings_.clusters) {
    std::vector<std::string> warnings;
    auto options = cluster_options(settings_, cluster, warnings);
    if (!options) return std::move(options).error();
    for (const auto& warning : warnings) logger_.warn(warning);
    options->collect.line_pool = line_pool_;
    auto remembered = delivery_->remembered(cluster.name, SystemClock{}.now());
    if (!remembered) return std::move(remembered).error();
    clusters_.push_back(std::make_unique<ClusterContext>(loop_.get_executor(), resolver_, schedule_,
                                                         std::move(*options), logger_));
    if (!remembered->empty()) clusters_.back()->remember(*std::move(remembered));
  }
  if (auto started = delivery_->start(registry_); !started) return started;
  scope_.spawn("schedule", schedule_.run());
  for (const auto& cluster : clusters_) cluster->start(listener(cluster->name()));
  lifecycle_.started("clusters", [this] { return stop_clusters(); });
  delivery_->start_heartbeat([this] { return pulses(); }, registry_);
  return {};
}

std::vector<notify::Pulse> Daemon::pulses() {
  std::vector<model::ClusterViewPtr> views;
  for (const auto& cluster : clusters_) views.push_back(cluster->view());
  std::vector<std::string> names;
  for (const auto& cluster : clusters_) names.push_back(cluster->name());
  const auto& monitoring = settings_.monitoring;
  const bool pulsing = monitoring.pulse_interval > Milliseconds(0);
  return watch_proof_.look(names, views,
                           pulsing ? monitoring.pulse_interval : monitoring.health_check_interval,
                           steady_clock::now());
}

ClusterContext::Listener Daemon::listener(const std::string& cluster) {
  ClusterContext::Listener listener;
  listener.on_alert = [this](const model::AlertEvent& event) {
    if (console_) console_->tell(event);
  };
  listener.on_alerts = [this, cluster](const std::vector<model::AlertEvent>& events,
                                       const alert::EngineState& state) {
    delivery_->step(cluster, events, state);
  };
  listener.on_event = [this](const model::Event& event) {
    if (console_) console_->tell(event);
  };
  if (history_) {
    listener.on_view = [this](const model::ClusterViewPtr& view) { history_->take(*view); };
  }
  return listener;
}

Result<void> Daemon::start_api() {
  views_ = std::make_unique<Views>(*this);
  api_ = std::make_unique<api::RestApi>(
      *views_, api::RestApiOptions{.registry = &registry_,
                                   .http_counts = [this] { return server_->counts(); }});
  alerting_ = std::make_unique<api::Alerting>(*delivery_, clock_);
  alerting_->add_to(api_->router());
  rules_ = std::make_unique<api::Rules>(*views_, *views_);
  rules_->add_to(api_->router());
  dead_letters_ = std::make_unique<api::DeadLetters>(*delivery_);
  dead_letters_->add_to(api_->router());
  metrics_history_ =
      std::make_unique<api::MetricsHistory>(history_ ? &history_->log() : nullptr, *views_, clock_);
  metrics_history_->add_to(api_->router());
  benchmark_runs_ = std::make_unique<BenchmarkRuns>(
      loop_.get_executor(), [this]() -> const Settings& { return settings_; }, kThisProgram,
      logger_);
  lifecycle_.started("benchmark", [this] { return benchmark_runs_->stop(); });
  benchmarks_ = std::make_unique<api::Benchmarks>(*benchmark_runs_, *views_);
  benchmarks_->add_to(api_->router());
  net::HttpServerOptions options;
  options.host = settings_.api.host;
  options.port = settings_.api.port;
  const auto& limits = settings_.api.limits;
  options.max_header = limits.max_header.value;
  options.max_body = limits.max_body.value;
  options.max_bodies = limits.max_bodies.value;
  options.max_connections = limits.max_connections;
  options.header_timeout = limits.header_timeout;
  options.request_timeout = limits.request_timeout;
  options.idle_timeout = limits.idle_timeout;
  options.write_timeout = limits.write_timeout;
  auto server = net::HttpServer::listen(
      loop_.get_executor(), options,
      [this](const net::Request& request) { return api_->handle(request); }, logger_);
  if (!server) return std::move(server).error();
  server_ = std::move(*server);
  server_->start();
  lifecycle_.started("API", [this] {
    return server_->stop(steady_clock::now() + std::chrono::milliseconds(500));
  });
  return {};
}

std::string Daemon::api_address() const {
  return server_ ? server_->address() : std::string();
}

Task<> Daemon::stop_clusters() {
  std::vector<Task<>> stops;
  for (const auto& cluster : clusters_) stops.push_back(cluster->stop());
  co_await async::when_all(std::move(stops));
}

Task<bool> Daemon::stop(std::chrono::milliseconds bound_per_step) {
  return lifecycle_.stop(bound_per_step);
}

Task<Result<std::vector<std::string>>> Daemon::reload(Settings settings) {
  std::vector<std::string> done;
  std::string fixed;
  std::vector<bool> rewatch(settings_.clusters.size(), false);
  for (const auto& [path, before, after, live] : config::diff(settings_, settings)) {
    if (!live) fixed += fmt::format("{}{}", fixed.empty() ? "" : ", ", path);
    done.push_back(fmt::format("{}: {} -> {}", path, before, after));
    const bool only_rules =
        path.find(".thresholds") != std::string::npos || path.find(".rules") != std::string::npos;
    if (path.starts_with("monitoring.") && !only_rules) rewatch.assign(rewatch.size(), true);
    for (std::size_t i = 0; i < rewatch.size() && !only_rules; ++i) {
      if (path.starts_with(fmt::format("clusters[{}]", settings_.clusters[i].name)))
        rewatch[i] = true;
    }
  }
  if (settings_.alerts.file_rules != settings.alerts.file_rules) {
    done.push_back(fmt::format("alerts.rule_files: {} rules -> {} rules",
                               settings_.alerts.file_rules.size(),
                               settings.alerts.file_rules.size()));
  }
  if (!fixed.empty()) {
    co_return Error{ErrorCode::kFailedPrecondition,
                    fmt::format("{} cannot change while running: restart the monitor", fixed)};
  }
  std::vector<ClusterOptions> options;
  std::vector<std::string> warnings;
  for (const auto& cluster : settings.clusters) {
    auto made = cluster_options(settings, cluster, warnings);
    if (!made) co_return std::move(made).error();
    made->collect.line_pool = line_pool_;
    options.push_back(std::move(*made));
  }
  for (const auto& warning : warnings) logger_.warn(warning);

  settings_ = std::move(settings);
  if (const auto& sink = logger_.sink()) sink->set_level(settings_.logging.level);
  console_ = make_console();
  for (std::size_t i = 0; i < clusters_.size(); ++i) {
    clusters_[i]->set_rules(options[i].thresholds, options[i].rules);
    if (!rewatch[i]) continue;
    co_await clusters_[i]->stop();
    auto memory = clusters_[i]->take_memory();
    clusters_[i] = std::make_unique<ClusterContext>(loop_.get_executor(), resolver_, schedule_,
                                                    std::move(options[i]), logger_);
    clusters_[i]->resume(std::move(memory));
    clusters_[i]->start(listener(clusters_[i]->name()));
  }
  co_return done;
}

}  // namespace etcdmon::app
