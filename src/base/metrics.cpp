#include "base/metrics.hpp"

#include <algorithm>

#include "base/assert.hpp"

namespace etcdmon::metrics {

namespace {

bool is_metric_name(std::string_view name) {
  const auto good = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == ':';
  };
  return !name.empty() && !(name[0] >= '0' && name[0] <= '9') && std::ranges::all_of(name, good);
}

}  // namespace

std::string_view name_of(Kind kind) {
  switch (kind) {
    case Kind::kCounter:
      return "counter";
    case Kind::kGauge:
      return "gauge";
    case Kind::kHistogram:
      return "histogram";
  }
  return "untyped";
}

Histogram::Histogram(std::vector<double> bounds)
    : bounds_(std::move(bounds)), buckets_(new std::atomic<std::uint64_t>[bounds_.size() + 1]) {
  ETCDMON_ASSERT(std::ranges::is_sorted(bounds_));
  for (std::size_t i = 0; i <= bounds_.size(); ++i) buckets_[i].store(0, std::memory_order_relaxed);
}

void Histogram::observe(double value) noexcept {
  const auto bucket = std::ranges::lower_bound(bounds_, value) - bounds_.begin();
  buckets_[static_cast<std::size_t>(bucket)].fetch_add(1, std::memory_order_relaxed);
  sum_.fetch_add(value, std::memory_order_relaxed);
}

Histogram::Snapshot Histogram::snapshot() const {
  Snapshot out{.bounds = bounds_, .cumulative = {}, .count = 0, .sum = 0};
  out.cumulative.reserve(bounds_.size());
  for (std::size_t i = 0; i < bounds_.size(); ++i) {
    out.count += buckets_[i].load(std::memory_order_relaxed);
    out.cumulative.push_back(out.count);
  }
  out.count += buckets_[bounds_.size()].load(std::memory_order_relaxed);
  out.sum = sum_.load(std::memory_order_relaxed);
  return out;
}

std::vector<double> duration_bounds() {
  std::vector<double> bounds;
  for (double bound = 0.001; bound < 20; bound *= 2) bounds.push_back(bound);
  return bounds;
}

Registry::Registry() = default;
Registry::~Registry() = default;

Registry::Series& Registry::slot(std::string_view name, std::string_view help, Kind kind,
                                 Labels labels, bool& fresh) {
  ETCDMON_ASSERT(is_metric_name(name));
  auto family = families_.find(name);
  if (family == families_.end()) {
    family = families_.emplace(std::string(name), Entry{std::string(help), kind, {}}).first;
  }
  ETCDMON_ASSERT(family->second.kind == kind);
  std::ranges::sort(labels);
  const auto [at, inserted] = family->second.series.try_emplace(std::move(labels));
  fresh = inserted;
  return at->second;
}

Counter& Registry::counter(std::string_view name, std::string_view help, Labels labels) {
  bool fresh = false;
  auto& series = slot(name, help, Kind::kCounter, std::move(labels), fresh);
  if (fresh) series = std::make_unique<Counter>();
  return *std::get<std::unique_ptr<Counter>>(series);
}

Gauge& Registry::gauge(std::string_view name, std::string_view help, Labels labels) {
  bool fresh = false;
  auto& series = slot(name, help, Kind::kGauge, std::move(labels), fresh);
  if (fresh) series = std::make_unique<Gauge>();
  ETCDMON_ASSERT(std::holds_alternative<std::unique_ptr<Gauge>>(series));
  return *std::get<std::unique_ptr<Gauge>>(series);
}

void Registry::gauge(std::string_view name, std::string_view help, Labels labels,
                     std::function<double()> ask) {
  bool fresh = false;
  slot(name, help, Kind::kGauge, std::move(labels), fresh) = std::move(ask);
}

Histogram& Registry::histogram(std::string_view name, std::string_view help,
                               std::vector<double> bounds, Labels labels) {
  bool fresh = false;
  auto& series = slot(name, help, Kind::kHistogram, std::move(labels), fresh);
  if (fresh) series = std::make_unique<Histogram>(std::move(bounds));
  return *std::get<std::unique_ptr<Histogram>>(series);
}

void Registry::remove(std::string_view label, std::string_view value) {
  const auto carries = [&](const auto& series) {
    return std::ranges::any_of(series.first, [&](const auto& pair) {
      return pair.first == label && pair.second == value;
    });
  };
  for (auto& [name, family] : families_) std::erase_if(family.series, carries);
}

void Registry::for_each(const Visitor& visit) const {
  for (const auto& [name, entry] : families_) {
    const Family family{.name = name, .help = entry.help, .kind = entry.kind};
    for (const auto& [labels, series] : entry.series) {
      if (const auto* counter = std::get_if<std::unique_ptr<Counter>>(&series)) {
        visit(family, labels, (*counter)->value());
      } else if (const auto* gauge = std::get_if<std::unique_ptr<Gauge>>(&series)) {
        visit(family, labels, (*gauge)->value());
      } else if (const auto* histogram = std::get_if<std::unique_ptr<Histogram>>(&series)) {
        visit(family, labels, (*histogram)->snapshot());
      } else {
        visit(family, labels, std::get<std::function<double()>>(series)());
      }
    }
  }
}

}  // namespace etcdmon::metrics
