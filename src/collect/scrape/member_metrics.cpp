#include "collect/scrape/member_metrics.hpp"

#include <cmath>

namespace etcdmon::collect {

namespace {

using enum model::Metric;
using model::MetricValues;

// In the order of ProbeKind.
constexpr std::array<ProbeMetrics, kProbeKinds> kProbes = {{
    {"linearizable_read", kProbeReadP50, kProbeReadP95, kProbeReadP99},
    {"serializable_read", kProbeSerializableP50, kProbeSerializableP95, kProbeSerializableP99},
    {"status", kProbeStatusP50, kProbeStatusP95, kProbeStatusP99},
    {"write", kProbeWriteP50, kProbeWriteP95, kProbeWriteP99},
}};

std::shared_ptr<LinePool> or_own(std::shared_ptr<LinePool> pool) {
  return pool ? std::move(pool) : std::make_shared<LinePool>();
}

void overlay(const MetricValues& known, MetricValues& onto) {
  for (std::size_t i = 0; i < model::kMetricCount; ++i) {
    const auto metric = static_cast<model::Metric>(i);
    if (const auto value = known.get(metric)) onto.set(metric, *value);
  }
}

double unix_seconds(WallTime wall) {
  return std::chrono::duration<double>(wall.time_since_epoch()).count();
}

}  // namespace

MemberMetrics::MemberMetrics(MemberMetricsOptions options)
    : options_(std::move(options)),
      reader_(or_own(options_.pool)),
      series_(options_.series),
      node_(options_.data_dir) {}

// The start time comes from the host's wall clock: stepping or slewing moves it without a restart.
// So something else has to agree: CPU time that fell, or a start after the page before.
bool MemberMetrics::is_restart(std::span<const double> row, WallTime wall) const {
  constexpr double kJitter = 0.5;
  constexpr double kClockSkew = 5;
  const auto start = digest_.column(Family::kStartTime);
  if (!start || !page_at_) return false;
  const double before = series_.last(*start);
  const double now = row[*start];
  if (!(std::abs(now - before) > kJitter)) return false;
  const auto cpu = digest_.column(Family::kCpuSeconds);
  if (cpu && row[*cpu] < series_.last(*cpu)) return true;
  return now > before && now + kClockSkew > unix_seconds(page_wall_) &&
         unix_seconds(page_wall_) < unix_seconds(wall);
}

bool MemberMetrics::on_page(std::string_view body, SteadyTime at, WallTime wall, Duration took) {
  const auto outcome = reader_.read(body);
  malformed_ += outcome.malformed;
  if (outcome.relearned && reader_.slots() != 0) digest_.bind(reader_, series_, at);
  if (reader_.slots() == 0) return false;
  std::vector<double> row;
  digest_.fill(outcome.values, row);
  if (is_restart(row, wall)) {
    series_.note_restart();
    reader_.forget();
  }
  if (!series_.append(at, wall, row)) return true;
  ++scrapes_;
  page_at_ = at;
  page_wall_ = wall;
  facts_ = digest_.facts(at, row);
  page_ = derive_page(digest_, series_, at);
  if (const auto size = page_.values.get(kDbSize)) size_trend_.add(at, *size);
  if (const auto later = size_trend_.after(kTrendWindow)) page_.values.set(kDbSizeIn4h, *later);
  page_.values.set(kScrapeDuration, std::chrono::duration<double>(took).count());
  page_.values.set(kScrapeBytes, static_cast<double>(body.size()));
  return true;
}

void MemberMetrics::on_node_page(std::string_view body, SteadyTime at) {
  malformed_ += node_.on_page(body, at);
}

void MemberMetrics::on_probe(ProbeKind kind, Duration took, SteadyTime ended) {
  probes_.at(static_cast<std::size_t>(kind)).add(took, ended);
}

bool MemberMetrics::is_page_fresh(SteadyTime now) const {
  return page_at_ && now - *page_at_ <= options_.page_stale_after;
}

void MemberMetrics::add_probes(SteadyTime now, model::MemberView& view) const {
  for (std::size_t i = 0; i < kProbeKinds; ++i) apply_probe(kProbes[i], probes_[i], now, view);
  const auto& reads = probes_[static_cast<std::size_t>(ProbeKind::kLinearizableRead)];
  const auto median = reads.short_median(now);
  if (median) view.read_probe_median_1m_ms = *median * 1e3;
}

model::MemberView MemberMetrics::view(Now now,
                                      const std::optional<model::StatusSample>& status) const {
  model::MemberView view;
  view.scrapes = scrapes_;
  view.scrape_failures = failures_;
  view.malformed_lines = malformed_;

  const bool status_fresh = status && now.steady - status->received <= options_.status_stale_after;
  if (is_page_fresh(now.steady)) {
    view.latencies = page_.latencies;
    view.read_latency_source = page_.read_source;
    view.write_latency_source = page_.write_source;
    view.client_connections_source = page_.connections_source;
    view.values = page_.values;
  }
  if (status_fresh) {
    apply_status(*status, view.values);
    if (is_page_fresh(now.steady) && *page_at_ > status->received)
      overlay(page_.values, view.values);
  }
  const auto node_at = node_.last_at();
  if (node_at && now.steady - *node_at <= options_.page_stale_after) apply_node(node_, view.values);
  add_probes(now.steady, view);
  return view;
}

std::size_t MemberMetrics::memory_bytes() const {
  std::size_t bytes = sizeof(MemberMetrics) - sizeof(PageReader) - sizeof(Digest) -
                      sizeof(series::MemberSeries) + reader_.memory_bytes() +
                      digest_.memory_bytes() + series_.memory_bytes() + size_trend_.memory_bytes();
  for (const auto& probe : probes_) bytes += probe.memory_bytes() - sizeof(ProbeWindow);
  bytes += page_.latencies.capacity() * sizeof(model::LatencySummary);
  if (facts_) bytes += facts_->peers.capacity() * sizeof(model::MetricsFacts::Peer);
  return bytes;
}

}  // namespace etcdmon::collect
