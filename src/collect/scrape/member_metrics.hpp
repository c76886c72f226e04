// collect/scrape/member_metrics.hpp: one member's measured state: its pages, its host's, and our
// probes.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "collect/scrape/derive.hpp"
#include "collect/scrape/digest.hpp"
#include "collect/scrape/node_metrics.hpp"
#include "collect/scrape/page_reader.hpp"
#include "collect/scrape/probe_window.hpp"
#include "collect/scrape/size_trend.hpp"
#include "model/cluster_view.hpp"
#include "model/member.hpp"
#include "series/member_series.hpp"

namespace etcdmon::collect {

enum class ProbeKind : std::uint8_t { kLinearizableRead, kSerializableRead, kStatus, kWrite };
inline constexpr std::size_t kProbeKinds = 4;

struct MemberMetricsOptions {
  std::shared_ptr<LinePool> pool;  ///< one for all members of a process; nullptr: one for itself
  Duration page_stale_after = std::chrono::seconds(35);    ///< then its values are null
  Duration status_stale_after = std::chrono::seconds(35);  ///< likewise
  std::string data_dir = "/var/lib/etcd";  ///< whose file system is the member's disk
  series::MemberSeries::Options series;
};

/// Threads: one owner (the loop).
class MemberMetrics {
 public:
  explicit MemberMetrics(MemberMetricsOptions options = {});

  /// The body of a good answer of `/metrics`, complete at `at` after `took`. False when no line
  /// of it is one of etcd's.
  bool on_page(std::string_view body, SteadyTime at, WallTime wall, Duration took);
  /// A scrape that brought no page.
  void on_failure() { ++failures_; }
  /// A page of node_exporter on the member's host.
  void on_node_page(std::string_view body, SteadyTime at);
  /// A probe that was answered well. Failed ones have no latency.
  void on_probe(ProbeKind kind, Duration took, SteadyTime ended);

  /// What is known at `now`. Rates and quantiles of the pages are computed once a page, not here.
  model::MemberView view(Now now, const std::optional<model::StatusSample>& status) const;

  /// Of the last good page.
  const std::optional<model::MetricsFacts>& facts() const { return facts_; }
  /// The last hour of everything kept; digest() says which column is what.
  const series::MemberSeries& series() const { return series_; }
  const Digest& digest() const { return digest_; }
  std::uint64_t malformed() const { return malformed_; }
  std::size_t memory_bytes() const;

 private:
  bool is_restart(std::span<const double> row, WallTime wall) const;
  bool is_page_fresh(SteadyTime now) const;
  void add_probes(SteadyTime now, model::MemberView& view) const;

  MemberMetricsOptions options_;
  PageReader reader_;
  Digest digest_;
  series::MemberSeries series_;
  NodeMetrics node_;
  SizeTrend size_trend_;
  std::array<ProbeWindow, kProbeKinds> probes_;

  std::optional<model::MetricsFacts> facts_;
  PageView page_;
  std::optional<SteadyTime> page_at_;
  WallTime page_wall_;
  std::uint64_t scrapes_ = 0;
  std::uint64_t failures_ = 0;
  std::uint64_t malformed_ = 0;
};

}  // namespace etcdmon::collect
