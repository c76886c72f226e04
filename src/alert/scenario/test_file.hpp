// alert/scenario/test_file.hpp: promtool's unit tests of rules: series that are written down, and
// which alerts they bring when.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "alert/rule_file.hpp"
#include "alert/scenario/memory_source.hpp"
#include "base/result.hpp"
#include "config/issue.hpp"

namespace etcdmon::alert::scenario {

struct ExpectedAlert {
  Labels labels;
  std::map<std::string, std::string> annotations;
};

struct AlertCase {
  expr::Millis at = 0;
  std::string alert;
  std::vector<ExpectedAlert> expected;
};

struct ExpectedSample {
  std::string metric;
  Labels labels;
  double value = 0;
};

struct ExpressionCase {
  expr::Millis at = 0;
  std::string expression;
  std::vector<ExpectedSample> expected;
};

struct InputSeries {
  std::string series;
  std::string values;
};

struct Test {
  std::string name;  ///< "test 2", or as it calls itself
  expr::Millis interval = 0;
  std::vector<InputSeries> input;
  std::vector<AlertCase> alerts;
  std::vector<ExpressionCase> expressions;
};

struct TestFile {
  std::vector<std::string> rule_files;  ///< as written: relative to the file's folder
  expr::Millis evaluation_interval = 0;
  std::vector<Test> tests;
  std::vector<config::Issue> issues;  ///< not empty: the file is not to be used
};

TestFile parse_test_file(std::string_view text, const std::string& source);

}  // namespace etcdmon::alert::scenario
