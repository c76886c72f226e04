// alert/scenario/series_notation.hpp: "0+10x5 _ stale": series as promtool's unit tests write them.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "alert/label_matcher.hpp"
#include "base/result.hpp"

namespace etcdmon::alert::scenario {

/// One value, or that there is none, at the next step.
struct Step {
  enum class What : std::uint8_t { kValue, kNothing, kEnded };
  What what = What::kNothing;
  double value = 0;
};

/// `0+10x5` is 0, 10, … 50; `7x3` four times 7; `_` nothing, `_x3` three times; `stale`: the series
/// has ended. Errors: kInvalidArgument, naming the word that is wrong.
Result<std::vector<Step>> parse_steps(std::string_view text);

struct SeriesName {
  std::string metric;
  Labels labels;
};
/// `metric{label="value", …}`. Errors: kInvalidArgument.
Result<SeriesName> parse_series_name(std::string_view text);
/// The same with labels only: `{label="value"}`.
std::string text_of(std::string_view metric, const Labels& labels);

}  // namespace etcdmon::alert::scenario
