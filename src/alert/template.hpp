// alert/template.hpp: "{{ $labels.member }} is at {{ $value | humanize }}": texts of users' rules.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "alert/label_matcher.hpp"
#include "base/result.hpp"

namespace etcdmon::alert {

/// What rule files commonly use of Go's templates: $labels and $value (also .Labels and .Value),
/// pipes, and printf, humanize, humanize1024, humanizeDuration, humanizePercentage,
/// humanizeTimestamp, toUpper, toLower, title, reReplaceAll. Conditions, loops and queries are
/// refused when the rule is read, not when it fires.
///
/// Threads: immutable, may be shared.
class Template {
 public:
  /// Errors: kInvalidArgument, saying what is not known here.
  static Result<Template> parse(std::string_view text);

  std::string render(const Labels& labels, double value) const;

 private:
  struct Part;
  std::vector<std::shared_ptr<const Part>> parts_;
};

/// A number as Go prints it by itself: 0.5, 1e+21, +Inf.
std::string go_number(double value);

}  // namespace etcdmon::alert
