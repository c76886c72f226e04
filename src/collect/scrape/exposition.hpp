// collect/scrape/exposition.hpp: one-pass reader of the Prometheus text format 0.0.4 and
// OpenMetrics.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace etcdmon::collect {

/// The text between a sample's braces, checked by the reader; taken apart when asked.
class Labels {
 public:
  Labels() = default;
  explicit Labels(std::string_view raw) : raw_(raw) {}

  bool empty() const { return raw_.empty(); }
  std::string_view raw() const { return raw_; }

  /// The value as it stands in the text: escapes are still there (see unescape()).
  std::optional<std::string_view> find(std::string_view name) const;

  /// Calls f(name, value as it stands in the text) for each label, in order.
  template <class F>
  void for_each(const F& f) const {
    std::size_t at = 0;
    std::string_view name;
    std::string_view value;
    while (next(at, name, value)) f(name, value);
  }

  /// The pair that starts at or after `at`, which moves behind it; false at the end.
  bool next(std::size_t& at, std::string_view& name, std::string_view& value) const;

 private:
  std::string_view raw_;
};

/// Undoes \\, \" and \n. Other backslashes stay as they are, as in Prometheus.
std::string unescape(std::string_view value);

/// One line with a value. Views into the page.
struct Sample {
  std::string_view name;
  Labels labels;
  double value = 0;
  std::optional<double> timestamp;  ///< as written: milliseconds in 0.0.4, seconds in OpenMetrics
  std::string_view head;            ///< the line up to where its value starts
};

/// Walks over a page, sample by sample; allocates nothing.
///
/// Understands escapes, timestamps, exemplars, CRLF, a missing last newline, comments, blank lines
/// and
/// `# EOF` (what follows it is malformed). Malformed lines are skipped and counted.
/// Lifetime: the page outlives the reader and its samples.
class ExpositionReader {
 public:
  explicit ExpositionReader(std::string_view page) : at_(page.data()), end_(at_ + page.size()) {}

  /// False at the end of the page.
  bool next(Sample& out);

  std::uint64_t malformed() const { return malformed_; }
  bool saw_eof() const { return saw_eof_; }

 private:
  const char* at_;
  const char* end_;
  std::uint64_t malformed_ = 0;
  bool saw_eof_ = false;
};

/// Calls visit(sample) for each; returns how many lines were malformed.
template <class Visitor>
std::uint64_t parse_exposition(std::string_view page, const Visitor& visit) {
  ExpositionReader reader(page);
  Sample sample;
  while (reader.next(sample)) visit(static_cast<const Sample&>(sample));
  return reader.malformed();
}

}  // namespace etcdmon::collect
