// collect/scrape/wanted_series.hpp: the lines of a member's pages that users' rules ask for, kept
// as they are.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "collect/scrape/page_reader.hpp"
#include "model/metric.hpp"
#include "series/labelled_series.hpp"

namespace etcdmon::collect {

/// What the rules of one cluster ask for.
struct Wanted {
  /// "up" is 1 or 0 as the scrape went; etcdmon_member_* are the monitor's own values.
  MetricNames metrics;
  Duration retention{0};  ///< of the longest window
  /// Shared by the members of a cluster.
  std::shared_ptr<LinePool> pool;

  static std::shared_ptr<const Wanted> of(MetricNames metrics, Duration retention);
};
using WantedPtr = std::shared_ptr<const Wanted>;

/// Beside MemberMetrics, which knows what etcd's metrics mean: here a line is a name, labels and a
/// value. A row a scrape; one that failed has no value but `up`, so that everything else has ended
/// at once.
///
/// Threads: one owner.
class WantedSeries {
 public:
  static constexpr std::size_t kMostSeries = 4'096;

  WantedSeries();

  /// null: nothing more is kept.
  void want(WantedPtr wanted);
  bool wants_any() const { return wanted_ != nullptr; }
  void set_own_labels(series::LabelledSeries::Labels labels);

  /// A scrape that ended at `at`; `page` is empty where it failed.
  void on_scrape(std::string_view page, Now at, const model::MetricValues& own);

  /// Shared, so that who remembers places in it can tell whether it is still the same.
  const std::shared_ptr<const series::LabelledSeries>& series() const { return shown_; }
  /// Series of the last page that there was no room for.
  std::size_t left_out() const { return left_out_; }
  std::size_t memory_bytes() const;

 private:
  struct Own {
    model::Metric metric;
    series::SeriesId column;
  };
  struct Known {
    series::SeriesId column;
    SteadyTime seen;  ///< when a page was last learned that has it
  };

  void learn(SteadyTime now);
  void add_own_columns();

  WantedPtr wanted_;
  std::unique_ptr<PageReader> reader_;
  std::shared_ptr<series::LabelledSeries> series_;
  std::shared_ptr<const series::LabelledSeries> shown_;
  std::map<std::string, Known, std::less<>> known_;  ///< by how a line begins
  std::vector<series::SeriesId> slots_;              ///< column of each slot
  std::vector<Own> own_;
  std::optional<series::SeriesId> up_;
  std::vector<double> row_;
  std::size_t left_out_ = 0;
};

}  // namespace etcdmon::collect
