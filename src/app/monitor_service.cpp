#include "etcdmon/monitor_service.hpp"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>

#include "app/cluster_context.hpp"
#include "app/cluster_options.hpp"

namespace etcdmon {

namespace {

using std::chrono::system_clock;

system_clock::time_point to_system(WallTime time) {
  return system_clock::time_point(
      std::chrono::duration_cast<system_clock::duration>(time.time_since_epoch()));
}

class FunctionSink final : public log::Sink {
 public:
  explicit FunctionSink(LogFunction write) : write_(std::move(write)) {}
  void write(log::Level level, std::string_view message, const std::vector<log::Field>& bound,
             std::initializer_list<log::Field> fields) override {
    const auto time = to_rfc3339(SystemClock{}.now().wall);
    write_(static_cast<LogLevel>(level),
           log::format_line(log::Format::kConsole, time, level, message, bound, fields));
  }
  bool enabled(log::Level /*level*/) const override { return true; }
  void set_level(log::Level /*level*/) override {}
  void flush() override {}

 private:
  LogFunction write_;
};

app::Settings to_settings(const MonitorConfig& config) {
  app::Settings settings;
  auto& cluster = settings.clusters.emplace_back();
  cluster.name = config.name;
  cluster.endpoints = config.endpoints;
  cluster.dial_timeout = config.dial_timeout;
  cluster.tls.ca_file = config.ca_file;
  cluster.tls.cert_file = config.cert_file;
  cluster.tls.key_file = config.key_file;
  cluster.tls.server_name = config.server_name;
  cluster.tls.insecure_skip_verify = config.insecure_skip_tls_verify;
  cluster.user = config.user;
  cluster.password = Secret(config.password);
  cluster.metrics_url = config.metrics_url;
  settings.monitoring.pulse_interval = config.pulse_interval;
  settings.monitoring.health_check_interval = config.health_check_interval;
  settings.monitoring.metrics_interval = config.metrics_interval;
  settings.monitoring.election_timeout = config.election_timeout;
  return settings;
}

}  // namespace

// The loop's thread owns all but `view_`, which is handed over under the mutex.
class MonitorService::Impl {
 public:
  Impl(MonitorConfig config, LogFunction log)
      : config_(std::move(config)),
        logger_(log ? Logger(std::make_shared<FunctionSink>(std::move(log))) : Logger{}) {}

  bool start() {
    if (thread_.joinable() || stopped_) return false;
    if (config_.endpoints.empty()) {
      error_ = "no endpoints given";
      return false;
    }
    std::vector<std::string> warnings;
    const auto settings = to_settings(config_);
    auto options = app::cluster_options(settings, settings.clusters.front(), warnings);
    if (!options) {
      error_ = options.error().message;
      return false;
    }
    for (const auto& warning : warnings) logger_.warn(warning);
    cluster_ = std::make_unique<app::ClusterContext>(loop_.get_executor(), resolver_, schedule_,
                                                     std::move(*options), logger_);
    thread_ = std::thread([this] { run(); });
    return true;
  }

  void stop() {
    if (!thread_.joinable()) return;
    stopped_ = true;
    asio::post(loop_, [this] { stopper_.spawn("stop", stop_all()); });
    thread_.join();
  }

  bool wait_for_verdict(std::chrono::milliseconds timeout) {
    std::unique_lock lock(mutex_);
    return decided_.wait_for(lock, timeout,
                             [this] { return view_ && view_->assessment.healthy.has_value(); });
  }

  model::ClusterViewPtr view() {
    const std::lock_guard lock(mutex_);
    return view_;
  }
  const std::string& error() const { return error_; }

 private:
  void run() {
    const auto guard = asio::make_work_guard(loop_);
    scope_.spawn("schedule", schedule_.run());
    app::ClusterContext::Listener listener;
    listener.on_view = [this](const model::ClusterViewPtr& view) {
      const std::lock_guard lock(mutex_);
      view_ = view;
      decided_.notify_all();
    };
    cluster_->start(std::move(listener));
    loop_.run();
    // What stop_all() left to be delivered, its own end among it.
    loop_.restart();
    loop_.poll();
  }

  Task<> stop_all() {
    co_await cluster_->stop();
    co_await scope_.close();
    loop_.stop();
  }

  const MonitorConfig config_;
  const Logger logger_;
  std::string error_;
  std::atomic<bool> stopped_ = false;
  std::thread thread_;

  Loop loop_{1};
  net::Resolver resolver_{loop_.get_executor()};
  collect::Schedule schedule_{loop_.get_executor()};
  async::TaskScope scope_{loop_.get_executor(), logger_};
  async::TaskScope stopper_{loop_.get_executor(), logger_};
  std::unique_ptr<app::ClusterContext> cluster_;

  std::mutex mutex_;
  std::condition_variable decided_;
  model::ClusterViewPtr view_;
};

MonitorService::MonitorService(MonitorConfig config, LogFunction log)
    : impl_(std::make_unique<Impl>(std::move(config), std::move(log))) {}
MonitorService::~MonitorService() {
  impl_->stop();
}

bool MonitorService::start() {
  return impl_->start();
}
const std::string& MonitorService::error() const {
  return impl_->error();
}
bool MonitorService::wait_for_verdict(std::chrono::milliseconds timeout) const {
  return impl_->wait_for_verdict(timeout);
}
void MonitorService::stop() {
  impl_->stop();
}

ClusterStatus MonitorService::cluster_status() const {
  ClusterStatus status;
  const auto view = impl_->view();
  if (!view) return status;
  const auto& assessment = view->assessment;
  status.healthy = assessment.healthy;
  if (assessment.leader.leader) status.leader_id = assessment.leader.leader->value;
  status.leader_name = assessment.leader.name;
  status.member_count = assessment.quorum.voters + assessment.quorum.learners;
  status.quorum_size = assessment.quorum.quorum_size;
  status.failures_tolerated = assessment.quorum.failures_tolerated;
  status.has_quorum = assessment.quorum.has_quorum;
  status.has_leader = assessment.leader.leader.has_value();
  status.leader_changes = assessment.leader.changes;
  status.network_partition = assessment.partition.kind != model::PartitionKind::kNone;
  status.split_brain = assessment.leader.split_brain;
  for (const auto& verdict : assessment.verdicts) {
    status.findings.push_back({std::string(model::name_of(verdict.check)),
                               std::string(model::name_of(verdict.severity)), verdict.subject,
                               verdict.summary, verdict.detail});
  }
  status.last_check = to_system(assessment.at.wall);
  return status;
}

CurrentMetrics MonitorService::current_metrics() const {
  CurrentMetrics metrics;
  const auto view = impl_->view();
  if (!view) return metrics;
  const auto& from = view->metrics;
  metrics.timestamp = to_system(from.at);
  metrics.request_rate = from.request_rate;
  metrics.error_ratio = from.error_ratio;
  metrics.read_latency_p50 = from.read_latency_p50_ms;
  metrics.read_latency_p95 = from.read_latency_p95_ms;
  metrics.read_latency_p99 = from.read_latency_p99_ms;
  metrics.write_latency_p50 = from.write_latency_p50_ms;
  metrics.write_latency_p95 = from.write_latency_p95_ms;
  metrics.write_latency_p99 = from.write_latency_p99_ms;
  metrics.db_size = from.db_size;
  metrics.db_size_in_use = from.db_size_in_use;
  return metrics;
}

}  // namespace etcdmon
