// alert/scenario/run.hpp: runs a test of rules and says what came out differently.
#pragma once

#include <string>
#include <vector>

#include "alert/scenario/test_file.hpp"

namespace etcdmon::alert::scenario {

/// One case that came out differently.
struct Difference {
  std::string test;
  expr::Millis at = 0;
  std::string about;               ///< the alert, or the expression
  std::vector<std::string> lines;  ///< what was expected and is not there, and the other way round
};

/// Rules are evaluated from 0 on at each `evaluation_interval`, as promtool does it: an alert that
/// is expected is one that fires, with all its labels and annotations.
std::vector<Difference> run(const Test& test, expr::Millis evaluation_interval,
                            const std::vector<UserRulePtr>& rules);

}  // namespace etcdmon::alert::scenario
