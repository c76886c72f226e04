#include "alert/scenario/test_file.hpp"

#include <charconv>
#include <utility>

#include <fmt/format.h>

#include "alert/expr/parser.hpp"
#include "alert/node_reader.hpp"

namespace etcdmon::alert::scenario {

namespace {

using config::Node;
using expr::Millis;

constexpr Millis kDefaultInterval = 60'000;

class Reader : private NodeReader {
 public:
  explicit Reader(std::string source) : NodeReader(std::move(source)) {}

  TestFile run(std::string_view text) {
    const auto root = document(text);
    if (is_section(
            root, "",
            {"rule_files", "evaluation_interval", "group_eval_order", "tests", "fuzzy_compare"})) {
      for (const auto* file : entries(root.find("rule_files"), "rule_files"))
        file_.rule_files.push_back(text_of(file, "rule_files"));
      file_.evaluation_interval = or_default(
          span_of(root.find("evaluation_interval"), "evaluation_interval"), kDefaultInterval);
      for (const auto* test : entries(root.find("tests"), "tests")) take(*test);
    }
    file_.issues = std::move(issues());
    return std::move(file_);
  }

 private:
  static Millis or_default(std::chrono::milliseconds span, Millis otherwise) {
    return span.count() > 0 ? Millis{span.count()} : otherwise;
  }

  void take(const Node& node) {
    const auto path = fmt::format("tests[{}]", file_.tests.size());
    if (!is_section(node, path,
                    {"name", "interval", "input_series", "alert_rule_test", "promql_expr_test",
                     "external_labels", "external_url"}))
      return;
    Test test;
    test.name = text_of(node.find("name"), path + ".name");
    if (test.name.empty()) test.name = fmt::format("test {}", file_.tests.size() + 1);
    test.interval =
        or_default(span_of(node.find("interval"), path + ".interval"), file_.evaluation_interval);
    take_input(node.find("input_series"), path + ".input_series", test);
    for (const auto* entry : entries(node.find("alert_rule_test"), path + ".alert_rule_test"))
      take_alerts(*entry, path + ".alert_rule_test", test);
    for (const auto* entry : entries(node.find("promql_expr_test"), path + ".promql_expr_test"))
      take_expression(*entry, path + ".promql_expr_test", test);
    file_.tests.push_back(std::move(test));
  }

  void take_input(const Node* list, const std::string& path, Test& test) {
    for (const auto* entry : entries(list, path)) {
      if (!is_section(*entry, path, {"series", "values"})) continue;
      InputSeries input{text_of(entry->find("series"), path + ".series"),
                        text_of(entry->find("values"), path + ".values")};
      if (auto name = parse_series_name(input.series); !name)
        refuse(entry->line, path + ".series", name.error().message);
      if (auto steps = parse_steps(input.values); !steps)
        refuse(entry->line, path + ".values", steps.error().message);
      test.input.push_back(std::move(input));
    }
  }

  void take_alerts(const Node& node, const std::string& path, Test& test) {
    if (!is_section(node, path, {"eval_time", "alertname", "exp_alerts"})) return;
    AlertCase made{.at = span_of(node.find("eval_time"), path + ".eval_time").count(),
                   .alert = text_of(node.find("alertname"), path + ".alertname"),
                   .expected = {}};
    if (made.alert.empty()) refuse(node.line, path + ".alertname", "is needed");
    for (const auto* entry : entries(node.find("exp_alerts"), path + ".exp_alerts")) {
      if (!is_section(*entry, path + ".exp_alerts", {"exp_labels", "exp_annotations"})) continue;
      made.expected.push_back({texts_of(entry->find("exp_labels"), path + ".exp_labels"),
                               texts_of(entry->find("exp_annotations"), path)});
      made.expected.back().labels["alertname"] = made.alert;
    }
    test.alerts.push_back(std::move(made));
  }

  void take_expression(const Node& node, const std::string& path, Test& test) {
    if (!is_section(node, path, {"expr", "eval_time", "exp_samples"})) return;
    ExpressionCase made{.at = span_of(node.find("eval_time"), path + ".eval_time").count(),
                        .expression = text_of(node.find("expr"), path + ".expr"),
                        .expected = {}};
    if (auto parsed = expr::parse(made.expression); !parsed)
      refuse(node.line, path + ".expr", parsed.error().message);
    for (const auto* entry : entries(node.find("exp_samples"), path + ".exp_samples")) {
      if (!is_section(*entry, path + ".exp_samples", {"labels", "value"})) continue;
      auto name = parse_series_name(text_of(entry->find("labels"), path + ".labels"));
      const auto value = text_of(entry->find("value"), path + ".value");
      const auto steps = parse_steps(value);
      if (!name) {
        refuse(entry->line, path + ".labels", name.error().message);
      } else if (!steps || steps->size() != 1) {
        refuse(entry->line, path + ".value", fmt::format("\"{}\" is no number", value));
      } else {
        made.expected.push_back(
            {std::move(name->metric), std::move(name->labels), steps->front().value});
      }
    }
    test.expressions.push_back(std::move(made));
  }

  TestFile file_;
};

}  // namespace

TestFile parse_test_file(std::string_view text, const std::string& source) {
  return Reader(source).run(text);
}

}  // namespace etcdmon::alert::scenario
