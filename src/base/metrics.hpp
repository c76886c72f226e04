// base/metrics.hpp: what the monitor counts about itself: counters, gauges and histograms by name.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace etcdmon::metrics {

/// Sorted by name once registered.
using Labels = std::vector<std::pair<std::string, std::string>>;

/// Threads: add() and value() from any thread.
class Counter {
 public:
  void add(std::uint64_t n = 1) noexcept { value_.fetch_add(n, std::memory_order_relaxed); }
  std::uint64_t value() const noexcept { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

/// Threads: any thread.
class Gauge {
 public:
  void set(double value) noexcept { value_.store(value, std::memory_order_relaxed); }
  void add(double n) noexcept { value_.fetch_add(n, std::memory_order_relaxed); }
  double value() const noexcept { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<double> value_{0};
};

/// Counts by upper bound, as the exposition format shows them. A visit that runs beside observe()
/// may see a value in `count` and not yet in a bucket; it never sees less than before.
/// Threads: any thread.
class Histogram {
 public:
  explicit Histogram(std::vector<double> bounds);  ///< increasing, without +Inf
  void observe(double value) noexcept;

  struct Snapshot {
    std::span<const double> bounds;
    std::vector<std::uint64_t> cumulative;  ///< one per bound; +Inf is `count`
    std::uint64_t count = 0;
    double sum = 0;
  };
  Snapshot snapshot() const;  ///< valid while the histogram lives

 private:
  std::vector<double> bounds_;
  std::unique_ptr<std::atomic<std::uint64_t>[]> buckets_;  ///< one more than bounds: +Inf
  std::atomic<double> sum_{0};
};

/// 1 ms to about 16 s by factors of two: for times of requests and probes, in seconds.
std::vector<double> duration_bounds();

enum class Kind : std::uint8_t { kCounter, kGauge, kHistogram };
std::string_view name_of(Kind kind);  ///< "counter", as in # TYPE

struct Family {
  std::string_view name;  ///< "etcdmon_scrapes_total"
  std::string_view help;
  Kind kind = Kind::kCounter;
};
using Value = std::variant<std::uint64_t, double, Histogram::Snapshot>;

/// Every self-metric of one process (or one library instance).
///
/// Asking again for the same name and labels returns the same object; another kind under a used
/// name is a bug and asserts. References stay good until remove() or the registry's end. Threads:
/// one owner (the loop) for everything here; the metrics themselves count from any thread.
class Registry {
 public:
  Registry();
  ~Registry();
  Registry(const Registry&) = delete;
  Registry& operator=(const Registry&) = delete;

  Counter& counter(std::string_view name, std::string_view help, Labels labels = {});
  Gauge& gauge(std::string_view name, std::string_view help, Labels labels = {});
  Histogram& histogram(std::string_view name, std::string_view help, std::vector<double> bounds,
                       Labels labels = {});

  /// A gauge that is asked when somebody looks.
  void gauge(std::string_view name, std::string_view help, Labels labels,
             std::function<double()> ask);

  /// Drops every series that carries this label: a member or cluster is gone.
  void remove(std::string_view label, std::string_view value);

  using Visitor = std::function<void(const Family&, const Labels&, const Value&)>;
  /// All series: families by name, the series of one family together, by labels.
  void for_each(const Visitor& visit) const;

 private:
  using Series = std::variant<std::unique_ptr<Counter>, std::unique_ptr<Gauge>,
                              std::unique_ptr<Histogram>, std::function<double()>>;
  struct Entry {
    std::string help;
    Kind kind = Kind::kCounter;
    std::map<Labels, Series> series;
  };
  Series& slot(std::string_view name, std::string_view help, Kind kind, Labels labels, bool& fresh);

  std::map<std::string, Entry, std::less<>> families_;
};

}  // namespace etcdmon::metrics
