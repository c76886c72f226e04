// Functions of values and of whole vectors.
#include "alert/expr/functions.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <map>
#include <vector>

#include <fmt/format.h>
#include <re2/re2.h>

#include "alert/expr/evaluate.hpp"
#include "series/windows.hpp"

namespace etcdmon::alert::expr {

namespace {

using Parameters = std::span<const double>;
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kThousand = 1e3;

// --- of one value ---

double sign_of(double value, Parameters) {
  return value > 0 ? 1 : value < 0 ? -1 : value;
}

// Halves go up, also below 0.
double rounded(double value, Parameters parameters) {
  const double to = parameters.empty() ? 1 : parameters[0];
  const double inverse = 1 / to;
  return std::floor(value * inverse + 0.5) / inverse;
}

double clamped(double value, Parameters parameters) {
  return std::max(parameters[0], std::min(parameters[1], value));
}
double clamped_below(double value, Parameters parameters) {
  return std::max(parameters[0], value);
}
double clamped_above(double value, Parameters parameters) {
  return std::min(parameters[0], value);
}

template <double (*F)(double)>
double plain(double value, Parameters) {
  return F(value);
}

Function of(std::string_view name, Function::OfValue function, std::string_view arguments = "v") {
  return {.name = name, .arguments = arguments, .of_value = function};
}

// --- of moments ---

struct Date {
  std::chrono::year_month_day day;
  std::chrono::hh_mm_ss<std::chrono::seconds> time;
  std::chrono::weekday weekday;
};

Date date_of(double unix_seconds) {
  // Beyond these a date means nothing, and a cast would not be defined.
  constexpr double kMost = 1e11;
  const auto seconds = std::chrono::seconds(static_cast<std::int64_t>(
      std::isnan(unix_seconds) ? 0 : std::clamp(unix_seconds, -kMost, kMost)));
  const std::chrono::sys_seconds at(seconds);
  const auto day = std::chrono::floor<std::chrono::days>(at);
  return {day, std::chrono::hh_mm_ss(at - day), std::chrono::weekday(day)};
}

using OfDate = double (*)(const Date& date);

template <OfDate F>
Value of_date(Evaluator& evaluator, const Node& call) {
  Value out;
  if (call.children.empty()) {
    out.vector.push_back(
        {std::make_shared<const Labels>(), {}, static_cast<double>(evaluator.now()) / kThousand});
  } else {
    out.vector = evaluator.vector(*call.children[0]);
  }
  for (auto& element : out.vector) {
    element.value = F(date_of(element.value));
    element.name = {};
  }
  return out;
}

double minute_of(const Date& date) {
  return static_cast<double>(date.time.minutes().count());
}
double hour_of(const Date& date) {
  return static_cast<double>(date.time.hours().count());
}
double weekday_of(const Date& date) {
  return date.weekday.c_encoding();
}
double day_of(const Date& date) {
  return static_cast<unsigned>(date.day.day());
}
double month_of(const Date& date) {
  return static_cast<unsigned>(date.day.month());
}
double year_of(const Date& date) {
  return static_cast<int>(date.day.year());
}

Value time_now(Evaluator& evaluator, const Node&) {
  return {
      .is_scalar = true, .scalar = static_cast<double>(evaluator.now()) / kThousand, .vector = {}};
}

// --- of whole vectors ---

Value scalar_of(Evaluator& evaluator, const Node& call) {
  const auto vector = evaluator.vector(*call.children[0]);
  return {.is_scalar = true, .scalar = vector.size() == 1 ? vector[0].value : kNaN, .vector = {}};
}

Value vector_of(Evaluator& evaluator, const Node& call) {
  return {.vector = {{std::make_shared<const Labels>(), {}, evaluator.scalar(*call.children[0])}}};
}

Value sorted(Evaluator& evaluator, const Node& call, bool falling) {
  Value out{.vector = evaluator.vector(*call.children[0])};
  std::ranges::stable_sort(out.vector, [falling](const Element& a, const Element& b) {
    if (std::isnan(a.value) || std::isnan(b.value)) return !std::isnan(a.value);
    return falling ? a.value > b.value : a.value < b.value;
  });
  return out;
}
Value sort_up(Evaluator& evaluator, const Node& call) {
  return sorted(evaluator, call, false);
}
Value sort_down(Evaluator& evaluator, const Node& call) {
  return sorted(evaluator, call, true);
}

// The labels that a selector's equalities say for sure.
Value nothing_is_there(const Node& looked_at) {
  Labels labels;
  std::map<std::string, int> said;
  if (looked_at.kind == Node::Kind::kSelector) {
    for (const auto& matcher : looked_at.selector.matchers) ++said[matcher.name()];
    for (const auto& matcher : looked_at.selector.matchers) {
      if (matcher.op() == LabelMatcher::Op::kEqual && said[matcher.name()] == 1)
        labels[matcher.name()] = matcher.value();
    }
  }
  return {.vector = {{std::make_shared<const Labels>(std::move(labels)), {}, 1}}};
}

Value absent(Evaluator& evaluator, const Node& call) {
  const auto& argument = *call.children[0];
  return evaluator.vector(argument).empty() ? nothing_is_there(argument) : Value{};
}

Value absent_over_time(Evaluator& evaluator, const Node& call) {
  const auto& argument = *call.children[0];
  bool any = false;
  evaluator.windows(argument,
                    [&](const LabelsPtr&, std::string_view, const Window&) { any = true; });
  return any ? Value{} : nothing_is_there(argument);
}

struct Bucket {
  double bound;
  double count;
};

double quantile_of_buckets(double phi, std::vector<Bucket>& buckets) {
  if (std::isnan(phi)) return kNaN;
  if (phi < 0) return -kInfinity;
  if (phi > 1) return kInfinity;
  std::ranges::sort(buckets, {}, &Bucket::bound);
  if (buckets.empty() || !std::isinf(buckets.back().bound)) return kNaN;
  std::vector<double> bounds;
  std::vector<double> counts;
  double below = 0;
  for (const auto& bucket : buckets) {
    // Pages are not read in one instant: a count may be below that of a smaller bucket.
    const double count = std::max(below, bucket.count);
    if (!bounds.empty() && bounds.back() == bucket.bound) {
      counts.back() += count - below;
    } else {
      bounds.push_back(bucket.bound);
      counts.push_back(count - below);
    }
    below = count;
  }
  return series::histogram_quantile(phi, bounds, counts).value_or(kNaN);
}

std::optional<double> bound_of(const Labels& labels) {
  const auto le = labels.find("le");
  if (le == labels.end()) return std::nullopt;
  if (le->second == "+Inf") return kInfinity;
  double bound = 0;
  const char* const end = le->second.data() + le->second.size();
  const auto read = std::from_chars(le->second.data(), end, bound);
  if (read.ec != std::errc{} || read.ptr != end) return std::nullopt;
  return bound;
}

Value histogram_quantile(Evaluator& evaluator, const Node& call) {
  struct Histogram {
    LabelsPtr labels;
    std::vector<Bucket> buckets;
  };
  const double phi = evaluator.scalar(*call.children[0]);
  const std::vector<std::string> le{"le"};
  std::vector<Histogram> histograms;
  std::map<std::string, std::size_t> places;
  for (const auto& element : evaluator.vector(*call.children[1])) {
    const auto bound = bound_of(*element.labels);
    if (!bound) continue;
    auto key = detail::signature(*element.labels, false, le);
    const auto [place, fresh] = places.emplace(std::move(key), histograms.size());
    if (fresh) histograms.push_back({detail::without_labels(element.labels, le), {}});
    histograms[place->second].buckets.push_back({*bound, element.value});
  }
  Value out;
  for (auto& histogram : histograms)
    out.vector.push_back({histogram.labels, {}, quantile_of_buckets(phi, histogram.buckets)});
  return out;
}

Value timestamp(Evaluator& evaluator, const Node& call) {
  // Of the value itself where a metric is asked; of now where it was computed.
  Value out;
  const auto& argument = *call.children[0];
  if (argument.kind != Node::Kind::kSelector) {
    out.vector = evaluator.vector(argument);
    for (auto& element : out.vector)
      element = {element.labels, {}, static_cast<double>(evaluator.now()) / kThousand};
    return out;
  }
  evaluator.newest(argument, [&](const LabelsPtr& labels, Point newest) {
    out.vector.push_back({labels, {}, static_cast<double>(newest.at) / kThousand});
  });
  return out;
}

void set_label(Element& element, const std::string& name, std::string value) {
  auto labels = *element.labels;
  if (value.empty())
    labels.erase(name);
  else
    labels[name] = std::move(value);
  element.labels = std::make_shared<const Labels>(std::move(labels));
}

std::string value_of(const Labels& labels, const std::string& name) {
  const auto found = labels.find(name);
  return found == labels.end() ? std::string() : found->second;
}

// Go writes $1 and ${1}, RE2 \1.
std::string rewrite_of(const std::string& replacement) {
  std::string out;
  for (std::size_t i = 0; i < replacement.size(); ++i) {
    const char c = replacement[i];
    const bool braced = c == '$' && replacement.size() > i + 3 && replacement[i + 1] == '{' &&
                        replacement[i + 3] == '}';
    const auto digit = i + (braced ? 2 : 1);
    if (c == '$' && digit < replacement.size() && replacement[digit] >= '0' &&
        replacement[digit] <= '9') {
      out += '\\';
      out += replacement[digit];
      i = digit + (braced ? 1 : 0);
    } else {
      out += c == '\\' ? "\\\\" : std::string(1, c);
    }
  }
  return out;
}

// label_replace(v, to, replacement, from, pattern)
Value label_replace(Evaluator& evaluator, const Node& call) {
  Value out{.vector = evaluator.vector(*call.children[0])};
  const auto& to = call.children[1]->text;
  const auto& from = call.children[3]->text;
  const re2::RE2 pattern("^(?:" + call.children[4]->text + ")$", re2::RE2::Quiet);
  const auto rewrite = rewrite_of(call.children[2]->text);
  std::string error;
  if (!pattern.ok() || !pattern.CheckRewriteString(rewrite, &error)) {
    evaluator.fail(fmt::format("label_replace: {}", pattern.ok() ? error : pattern.error()));
    return {};
  }
  for (auto& element : out.vector) {
    std::string made;
    if (re2::RE2::Extract(value_of(*element.labels, from), pattern, rewrite, &made))
      set_label(element, to, std::move(made));
  }
  return out;
}

// label_join(v, to, separator, from…)
Value label_join(Evaluator& evaluator, const Node& call) {
  Value out{.vector = evaluator.vector(*call.children[0])};
  for (auto& element : out.vector) {
    std::string made;
    for (std::size_t i = 3; i < call.children.size(); ++i) {
      if (i > 3) made += call.children[2]->text;
      made += value_of(*element.labels, call.children[i]->text);
    }
    set_label(element, call.children[1]->text, std::move(made));
  }
  return out;
}

Function whole(std::string_view name, std::string_view arguments, Function::Special function,
               Type returns = Type::kVector) {
  return {.name = name, .arguments = arguments, .returns = returns, .special = function};
}

}  // namespace

std::span<const Function> detail::value_functions() {
  static const std::array kRows = {
      of("abs", &plain<std::fabs>),
      of("ceil", &plain<std::ceil>),
      of("floor", &plain<std::floor>),
      of("sqrt", &plain<std::sqrt>),
      of("exp", &plain<std::exp>),
      of("ln", &plain<std::log>),
      of("log2", &plain<std::log2>),
      of("log10", &plain<std::log10>),
      of("sgn", &sign_of),
      of("round", &rounded, "v?s"),
      of("clamp", &clamped, "vss"),
      of("clamp_min", &clamped_below, "vs"),
      of("clamp_max", &clamped_above, "vs"),
  };
  return kRows;
}

std::span<const Function> detail::special_functions() {
  static const std::array kRows = {
      whole("absent", "v", &absent),
      whole("absent_over_time", "r", &absent_over_time),
      whole("histogram_quantile", "sv", &histogram_quantile),
      whole("label_replace", "vtttt", &label_replace),
      whole("label_join", "vttt*", &label_join),
      whole("scalar", "v", &scalar_of, Type::kScalar),
      whole("vector", "s", &vector_of),
      whole("sort", "v", &sort_up),
      whole("sort_desc", "v", &sort_down),
      whole("time", "", &time_now, Type::kScalar),
      whole("timestamp", "v", &timestamp),
      whole("minute", "?v", &of_date<minute_of>),
      whole("hour", "?v", &of_date<hour_of>),
      whole("day_of_week", "?v", &of_date<weekday_of>),
      whole("day_of_month", "?v", &of_date<day_of>),
      whole("month", "?v", &of_date<month_of>),
      whole("year", "?v", &of_date<year_of>),
  };
  return kRows;
}

std::span<const Function> functions() {
  static const auto kAll = [] {
    std::vector<Function> all;
    for (const auto rows :
         {detail::range_functions(), detail::value_functions(), detail::special_functions()})
      all.insert(all.end(), rows.begin(), rows.end());
    return all;
  }();
  return kAll;
}

const Function* find_function(std::string_view name) {
  const auto all = functions();
  const auto found = std::ranges::find(all, name, &Function::name);
  return found == all.end() ? nullptr : &*found;
}

}  // namespace etcdmon::alert::expr
