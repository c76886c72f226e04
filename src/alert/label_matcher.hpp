// alert/label_matcher.hpp: "severity=critical": one condition on an alert's labels, as Alertmanager
// and Prometheus write it.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace re2 {
class RE2;
}

namespace etcdmon::alert {

using Labels = std::map<std::string, std::string>;

/// A label that is not there counts as empty. Patterns are RE2's and match the whole value, so one
/// costs time in proportion to the value and cannot be made to hang.
///
/// Threads: immutable, may be shared.
class LabelMatcher {
 public:
  enum class Op : std::uint8_t { kEqual, kNotEqual, kMatches, kMatchesNot };

  /// `severity="critical"`, `alertname=~Member.*`, `cluster!=test`, `subject!~"infra[12]"`. The
  /// quotes may be left out. `rule` stands for `alertname`.
  /// Errors: kInvalidArgument, saying what is expected where.
  static Result<LabelMatcher> parse(std::string_view text);
  /// Errors: kInvalidArgument: no label name, or no pattern.
  static Result<LabelMatcher> make(std::string name, Op op, std::string value);

  bool matches(const Labels& labels) const;

  const std::string& name() const { return name_; }
  Op op() const { return op_; }
  const std::string& value() const { return value_; }
  /// As parse() reads it: `severity="critical"`.
  std::string text() const;

 private:
  LabelMatcher() = default;

  std::string name_;
  Op op_ = Op::kEqual;
  std::string value_;
  std::shared_ptr<const re2::RE2> pattern_;
};

/// True where all of them match; none matches everything.
bool all_match(const std::vector<LabelMatcher>& matchers, const Labels& labels);
/// Errors: the first one that is wrong.
Result<std::vector<LabelMatcher>> parse_matchers(const std::vector<std::string>& texts);

}  // namespace etcdmon::alert
