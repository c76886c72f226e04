// api/exposition.hpp: the Prometheus text format, written.
#pragma once

#include <string>
#include <string_view>

#include "base/metrics.hpp"

namespace etcdmon::api {

/// Appends `name="value"` with the value escaped, after a comma unless `labels` is empty.
void append_label(std::string& labels, std::string_view name, std::string_view value);

/// Families one after the other; HELP and TYPE come with the first sample, so that a family without
/// samples leaves no trace.
class ExpositionWriter {
 public:
  explicit ExpositionWriter(std::string& out) : out_(out) {}

  void family(std::string_view name, std::string_view help, metrics::Kind kind);
  /// `labels` is what append_label made. NaN is left out: unknown is no number.
  void sample(std::string_view labels, double value);
  void sample(std::string_view labels, std::uint64_t value);
  void histogram(const std::string& labels, const metrics::Histogram::Snapshot& snapshot);

 private:
  void head();
  void begin(std::string_view suffix, std::string_view labels);

  std::string& out_;
  std::string_view name_;
  std::string_view help_;
  metrics::Kind kind_ = metrics::Kind::kGauge;
  bool headed_ = false;
};

/// Every self-metric of the registry.
void append_registry(std::string& out, const metrics::Registry& registry);

}  // namespace etcdmon::api
