#include "alert/scenario/run.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "alert/expr/evaluate.hpp"
#include "alert/expr/parser.hpp"

namespace etcdmon::alert::scenario {

namespace {

using expr::Millis;

// One alert of one rule over time.
struct Active {
  Labels labels;
  std::map<std::string, std::string> annotations;
  Millis since = 0;
  bool firing = false;
  std::optional<Millis> gone_since;
};

class Course {
 public:
  explicit Course(const UserRule& rule) : rule_(rule) {}

  void step(const expr::Source& source, Millis at) {
    const auto seen = look(rule_, source, at);
    fault_ = seen.fault;
    std::set<std::string> found;
    for (const auto& element : seen.found) {
      const auto key = expr::detail::signature(*element.labels, false, {});
      found.insert(key);
      const auto [place, fresh] = active_.try_emplace(key);
      auto& active = place->second;
      if (fresh) active.since = at;
      active.gone_since.reset();
      active.labels = rule_.labels(element);
      active.annotations = rule_.annotations(element);
    }
    for (auto entry = active_.begin(); entry != active_.end();) {
      auto& active = entry->second;
      const bool is_there = found.contains(entry->first);
      if (is_there) active.firing = active.firing || at - active.since >= rule_.text().wait.count();
      if (!is_there && !active.gone_since) active.gone_since = at;
      const bool over =
          !is_there && (!active.firing || at - *active.gone_since >= rule_.text().keep.count());
      entry = over ? active_.erase(entry) : std::next(entry);
    }
  }

  const UserRule& rule() const { return rule_; }
  const std::string& fault() const { return fault_; }
  template <class F>
  void for_each_firing(const F& f) const {
    for (const auto& [key, active] : active_) {
      if (active.firing) f(active);
    }
  }

 private:
  const UserRule& rule_;
  std::map<std::string, Active> active_;
  std::string fault_;
};

std::string text_of_alert(const Labels& labels,
                          const std::map<std::string, std::string>& annotations) {
  auto shown = labels;
  shown.erase("alertname");
  auto text = text_of({}, shown);
  for (const auto& [name, value] : annotations) text += fmt::format("\n    {}: {}", name, value);
  return text;
}

// What differs between two alerts of the same labels.
void compare_annotations(const ExpectedAlert& expected, const Active& active,
                         std::vector<std::string>& lines) {
  std::set<std::string> names;
  for (const auto& [name, value] : expected.annotations) names.insert(name);
  for (const auto& [name, value] : active.annotations) names.insert(name);
  auto shown = expected.labels;
  shown.erase("alertname");
  for (const auto& name : names) {
    const auto wanted = expected.annotations.find(name);
    const auto is = active.annotations.find(name);
    const auto quoted = [](auto found, const auto& map) {
      return found == map.end() ? std::string("not there") : fmt::format("\"{}\"", found->second);
    };
    const auto a = quoted(wanted, expected.annotations);
    const auto b = quoted(is, active.annotations);
    if (a != b)
      lines.push_back(
          fmt::format("annotation {} of {}: expected {}, is {}", name, text_of({}, shown), a, b));
  }
}

std::vector<std::string> compare(const AlertCase& wanted, const std::vector<Course>& courses) {
  std::vector<std::string> lines;
  std::vector<const ExpectedAlert*> missing;
  for (const auto& expected : wanted.expected) missing.push_back(&expected);
  bool known = false;
  for (const auto& course : courses) {
    if (course.rule().text().alert != wanted.alert) continue;
    known = true;
    if (!course.fault().empty())
      lines.push_back(fmt::format("cannot be evaluated: {}", course.fault()));
    course.for_each_firing([&](const Active& active) {
      // One that is right in all before one that has the labels only.
      auto match = std::ranges::find_if(missing, [&](const ExpectedAlert* expected) {
        return expected->labels == active.labels && expected->annotations == active.annotations;
      });
      if (match == missing.end()) {
        match = std::ranges::find_if(missing, [&](const ExpectedAlert* expected) {
          return expected->labels == active.labels;
        });
      }
      if (match == missing.end()) {
        lines.push_back("not expected: " + text_of_alert(active.labels, active.annotations));
        return;
      }
      compare_annotations(**match, active, lines);
      missing.erase(match);
    });
  }
  if (!known && !wanted.expected.empty()) lines.emplace_back("there is no rule of this name");
  for (const auto* expected : missing)
    lines.push_back("missing: " + text_of_alert(expected->labels, expected->annotations));
  return lines;
}

bool is_same(double a, double b) {
  constexpr double kRounding = 1e-13;
  if (std::isnan(a) || std::isnan(b)) return std::isnan(a) && std::isnan(b);
  return a == b || std::abs(a - b) <= kRounding * std::max(std::abs(a), std::abs(b));
}

std::vector<std::string> compare(const ExpressionCase& wanted, const expr::Source& source) {
  const auto root = expr::parse(wanted.expression);
  if (!root) return {root.error().message};
  auto value = expr::Evaluator(source, wanted.at).evaluate(**root);
  if (!value) return {fmt::format("cannot be evaluated: {}", value.error().message)};
  if (value->is_scalar)
    value->vector.push_back({std::make_shared<const Labels>(), {}, value->scalar});
  std::vector<std::string> lines;
  auto missing = wanted.expected;
  for (const auto& element : value->vector) {
    const auto match = std::ranges::find_if(missing, [&](const ExpectedSample& expected) {
      return expected.metric == element.name && expected.labels == *element.labels &&
             is_same(expected.value, element.value);
    });
    if (match == missing.end())
      lines.push_back(fmt::format("not expected: {} {}", text_of(element.name, *element.labels),
                                  go_number(element.value)));
    else
      missing.erase(match);
  }
  for (const auto& expected : missing)
    lines.push_back(fmt::format("missing: {} {}", text_of(expected.metric, expected.labels),
                                go_number(expected.value)));
  return lines;
}

}  // namespace

std::vector<Difference> run(const Test& test, Millis evaluation_interval,
                            const std::vector<UserRulePtr>& rules) {
  std::vector<Difference> differences;
  MemorySource source(test.interval);
  for (const auto& input : test.input) {
    if (auto added = source.add(input.series, input.values); !added)
      return {{test.name, 0, input.series, {added.error().message}}};
  }
  std::vector<Course> courses;
  courses.reserve(rules.size());
  for (const auto& rule : rules) courses.emplace_back(*rule);

  // A case looks at the last evaluation at or before its time.
  auto cases = test.alerts;
  std::ranges::stable_sort(cases, {}, &AlertCase::at);
  auto next = cases.begin();
  for (Millis at = 0; next != cases.end(); at += evaluation_interval) {
    for (auto& course : courses) course.step(source, at);
    for (; next != cases.end() && next->at < at + evaluation_interval; ++next) {
      if (auto lines = compare(*next, courses); !lines.empty())
        differences.push_back({test.name, next->at, next->alert, std::move(lines)});
    }
  }
  for (const auto& wanted : test.expressions) {
    if (auto lines = compare(wanted, source); !lines.empty())
      differences.push_back({test.name, wanted.at, wanted.expression, std::move(lines)});
  }
  return differences;
}

}  // namespace etcdmon::alert::scenario
