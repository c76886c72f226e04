#include "alert/expr/parser.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <optional>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "alert/expr/functions.hpp"
#include "config/suggest.hpp"

namespace etcdmon::alert::expr {

namespace {

using Kind = Token::Kind;
using Fault = std::optional<Error>;

constexpr std::size_t kLongestText = 16'384;
constexpr int kDeepest = 64;
constexpr int kMostOperators = 500;

struct Infix {
  std::string_view text;
  Op op;
  int strength;
};
constexpr int kPowerStrength = 6;
constexpr std::array kInfixes = std::to_array<Infix>({
    {"or", Op::kOr, 1},
    {"and", Op::kAnd, 2},
    {"unless", Op::kUnless, 2},
    {"==", Op::kEqual, 3},
    {"!=", Op::kNotEqual, 3},
    {">=", Op::kGreaterEqual, 3},
    {"<=", Op::kLessEqual, 3},
    {">", Op::kGreater, 3},
    {"<", Op::kLess, 3},
    {"+", Op::kAdd, 4},
    {"-", Op::kSubtract, 4},
    {"*", Op::kMultiply, 5},
    {"/", Op::kDivide, 5},
    {"%", Op::kModulo, 5},
    {"^", Op::kPower, kPowerStrength},
});

struct Aggregator {
  std::string_view text;
  Aggregation aggregation;
  bool takes_parameter = false;
};
constexpr std::array kAggregators = std::to_array<Aggregator>({
    {"sum", Aggregation::kSum},
    {"avg", Aggregation::kAverage},
    {"min", Aggregation::kMin},
    {"max", Aggregation::kMax},
    {"count", Aggregation::kCount},
    {"group", Aggregation::kGroup},
    {"stddev", Aggregation::kStddev},
    {"stdvar", Aggregation::kStdvar},
    {"quantile", Aggregation::kQuantile, true},
    {"topk", Aggregation::kTop, true},
    {"bottomk", Aggregation::kBottom, true},
});

bool has_subquery(const Node& node) {
  return node.kind == Node::Kind::kSubquery ||
         std::ranges::any_of(node.children,
                             [](const NodePtr& child) { return has_subquery(*child); });
}

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  });
  return out;
}

// Each step returns null or a fault where the text is wrong; the first error stands.
class Parser {
 public:
  Parser(std::string_view text, std::vector<Token> tokens)
      : text_(text), tokens_(std::move(tokens)) {}

  Result<NodePtr> run() {
    auto root = expression(0);
    if (root && now().kind != Kind::kEnd)
      fail(now().at, fmt::format("\"{}\" is one too many", now().text));
    if (error_) return *std::move(error_);
    return root;
  }

 private:
  const Token& now() const { return tokens_[next_]; }
  const Token& peek() const { return tokens_[std::min(next_ + 1, tokens_.size() - 1)]; }
  void step() {
    if (next_ + 1 < tokens_.size()) ++next_;
  }
  bool take(std::string_view sign) {
    if (!now().is(sign)) return false;
    step();
    return true;
  }
  bool is_word(std::string_view word) const {
    return now().kind == Kind::kWord && lower(now().text) == word;
  }
  bool take_word(std::string_view word) {
    if (!is_word(word)) return false;
    step();
    return true;
  }
  NodePtr fail(std::size_t at, std::string_view message) {
    if (!error_) error_ = wrong_at(text_, at, message);
    return nullptr;
  }
  bool expect(std::string_view sign, std::string_view where) {
    if (take(sign)) return true;
    const auto found = now().kind == Kind::kEnd ? "the end" : fmt::format("\"{}\"", now().text);
    fail(now().at, fmt::format("expected \"{}\" {}, found {}", sign, where, found));
    return false;
  }
  static NodePtr make(Node::Kind kind, Type type, std::size_t at) {
    auto node = std::make_unique<Node>();
    node->kind = kind;
    node->type = type;
    node->at = at;
    return node;
  }

  const Infix* infix() const {
    const auto word = now().kind == Kind::kWord ? lower(now().text) : std::string(now().text);
    if (now().kind != Kind::kWord && now().kind != Kind::kSign) return nullptr;
    const auto* const found = std::ranges::find(kInfixes, word, &Infix::text);
    return found == kInfixes.end() ? nullptr : found;
  }

  NodePtr expression(int weakest) {
    if (++depth_ > kDeepest) return fail(now().at, "too deep: split the rule in two");
    auto left = unary();
    while (left) {
      const auto* const sign = infix();
      if (sign == nullptr || sign->strength < weakest) break;
      auto node = make(Node::Kind::kBinary, Type::kVector, now().at);
      node->op = sign->op;
      if (++operators_ > kMostOperators) return fail(now().at, "too long: split the rule in two");
      step();
      if (!modifiers(*node)) return nullptr;
      const bool from_right = sign->op == Op::kPower;
      auto right = expression(sign->strength + (from_right ? 0 : 1));
      if (!right) return nullptr;
      node->children.push_back(std::move(left));
      node->children.push_back(std::move(right));
      left = checked_binary(std::move(node));
    }
    --depth_;
    return left;
  }

  NodePtr unary() {
    const auto at = now().at;
    const bool minus = now().is("-");
    if (!minus && !now().is("+")) return primary();
    step();
    auto inner = expression(kPowerStrength);
    if (!inner) return nullptr;
    if (inner->type != Type::kScalar && inner->type != Type::kVector)
      return fail(at, fmt::format("a sign stands before a number or a vector, not before {}",
                                  name_of(inner->type)));
    if (!minus) return inner;
    auto node = make(Node::Kind::kNegate, inner->type, at);
    node->children.push_back(std::move(inner));
    return node;
  }

  bool modifiers(Node& node) {
    if (is_word("bool")) {
      if (!is_comparison(node.op)) return fail(now().at, "bool belongs to a comparison") != nullptr;
      step();
      node.returns_bool = true;
    }
    if (is_word("on") || is_word("ignoring")) {
      node.matching.on = is_word("on");
      step();
      if (!label_list(node.matching.labels)) return false;
    }
    if (!is_word("group_left") && !is_word("group_right")) return true;
    if (is_set_operator(node.op))
      return fail(now().at, fmt::format("{} takes no group_left or group_right",
                                        name_of(node.op))) != nullptr;
    node.matching.many = is_word("group_left") ? Matching::Many::kLeft : Matching::Many::kRight;
    step();
    return !now().is("(") || label_list(node.matching.include);
  }

  NodePtr checked_binary(NodePtr node) {
    const auto& left = *node->children[0];
    const auto& right = *node->children[1];
    for (const auto* side : {&left, &right}) {
      if (side->type != Type::kScalar && side->type != Type::kVector)
        return fail(side->at, fmt::format("{} stands between numbers and vectors, not {}; use a "
                                          "function such as rate() around a range",
                                          name_of(node->op), name_of(side->type)));
    }
    const bool scalars = left.type == Type::kScalar && right.type == Type::kScalar;
    const bool vectors = left.type == Type::kVector && right.type == Type::kVector;
    if (is_set_operator(node->op) && !vectors)
      return fail(node->at, fmt::format("{} needs a vector on both sides; vector(…) makes one of "
                                        "a number",
                                        name_of(node->op)));
    if (scalars && is_comparison(node->op) && !node->returns_bool)
      return fail(node->at, fmt::format("between two numbers write {} bool", name_of(node->op)));
    const auto& matching = node->matching;
    if (!vectors && (matching.on || !matching.labels.empty()))
      return fail(node->at, "on and ignoring need a vector on both sides");
    if (scalars) node->type = Type::kScalar;
    return node;
  }

  // A value with what may follow it: a range, an offset.
  NodePtr primary() {
    auto node = atom();
    while (node) {
      if (now().is("[")) {
        node = range(std::move(node));
      } else if (is_word("offset")) {
        node = offset(std::move(node));
      } else if (now().is("@")) {
        return fail(now().at, "@ is not known here: a rule looks at now");
      } else {
        break;
      }
    }
    return node;
  }

  NodePtr atom() {
    const Token token = now();
    switch (token.kind) {
      case Kind::kNumber:
      case Kind::kString: {
        step();
        const bool number = token.kind == Kind::kNumber;
        auto node = make(number ? Node::Kind::kNumber : Node::Kind::kString,
                         number ? Type::kScalar : Type::kString, token.at);
        node->number = token.number;
        node->text = token.value;
        return node;
      }
      case Kind::kDuration:
        return fail(token.at, "a duration stands in brackets or after offset; write seconds here");
      case Kind::kWord:
        return word();
      case Kind::kSign:
        break;
      case Kind::kEnd:
        return fail(token.at, "the expression ends too early");
    }
    if (token.is("{")) return fail(token.at, "name the metric: metric{label=\"value\"}");
    if (!take("(")) return fail(token.at, fmt::format("\"{}\" means nothing here", token.text));
    auto inner = expression(0);
    if (!inner || !expect(")", "to close the parenthesis")) return nullptr;
    return inner;
  }

  NodePtr word() {
    const Token token = now();
    const auto name = lower(token.text);
    if (name == "inf" || name == "nan") {
      step();
      auto node = make(Node::Kind::kNumber, Type::kScalar, token.at);
      node->number = name == "inf" ? std::numeric_limits<double>::infinity()
                                   : std::numeric_limits<double>::quiet_NaN();
      return node;
    }
    const auto* const aggregator = std::ranges::find(kAggregators, name, &Aggregator::text);
    const bool grouped =
        peek().is("(") || (peek().kind == Kind::kWord &&
                           (lower(peek().text) == "by" || lower(peek().text) == "without"));
    if (aggregator != kAggregators.end() && grouped) return aggregate(*aggregator);
    if (peek().is("(")) return call();
    return selector();
  }

  NodePtr selector() {
    auto node = make(Node::Kind::kSelector, Type::kVector, now().at);
    node->selector.metric = now().text;
    step();
    if (!take("{")) return node;
    while (!take("}")) {
      if (!matcher(node->selector)) return nullptr;
      if (now().is("}")) continue;
      if (!expect(",", "between two labels, or \"}\"")) return nullptr;
    }
    return node;
  }

  bool matcher(Selector& selector) {
    const Token label = now();
    if (label.kind != Kind::kWord || label.text.find(':') != std::string_view::npos)
      return fail(label.at, "expected a label: {label=\"value\"}") != nullptr;
    if (label.text == "__name__")
      return fail(label.at,
                  "name the metric in front of the braces; one rule looks at metrics "
                  "that it names") != nullptr;
    step();
    static constexpr std::array kWays{
        std::pair<std::string_view, LabelMatcher::Op>{"=", LabelMatcher::Op::kEqual},
        std::pair<std::string_view, LabelMatcher::Op>{"!=", LabelMatcher::Op::kNotEqual},
        std::pair<std::string_view, LabelMatcher::Op>{"=~", LabelMatcher::Op::kMatches},
        std::pair<std::string_view, LabelMatcher::Op>{"!~", LabelMatcher::Op::kMatchesNot}};
    const auto* const way =
        std::ranges::find_if(kWays, [this](const auto& entry) { return now().is(entry.first); });
    if (way == kWays.end()) return fail(now().at, "after a label comes =, !=, =~ or !~") != nullptr;
    step();
    if (now().kind != Kind::kString)
      return fail(now().at, "a label's value stands in quotes") != nullptr;
    auto made = LabelMatcher::make(std::string(label.text), way->second, now().value);
    if (!made) return fail(now().at, made.error().message) != nullptr;
    step();
    selector.matchers.push_back(*std::move(made));
    return true;
  }

  NodePtr range(NodePtr inner) {
    const auto at = now().at;
    step();
    Millis length = 0;
    if (!duration(length, "a range such as [5m]")) return nullptr;
    if (length <= 0) return fail(at, "the range is empty");
    if (length > kLongestRange) return fail(at, "values are kept for a day: a range is at most 1d");
    if (take(":")) return subquery(std::move(inner), length, at);
    if (!expect("]", "to close the range")) return nullptr;
    if (inner->kind != Node::Kind::kSelector || inner->type != Type::kVector)
      return fail(at,
                  "a range stands after a metric; after an expression write [5m:1m], with a "
                  "step");
    if (inner->selector.offset != 0) return fail(at, "the range stands before offset");
    inner->selector.range = length;
    inner->type = Type::kRange;
    return inner;
  }

  NodePtr subquery(NodePtr inner, Millis length, std::size_t at) {
    Millis every = 0;
    if (!now().is("]") && !duration(every, "a step such as [5m:1m]")) return nullptr;
    if (!expect("]", "to close the range")) return nullptr;
    if (inner->type != Type::kVector) return fail(at, "a range with a step stands after a vector");
    if (has_subquery(*inner))
      return fail(at, "a range with a step cannot stand within another: too many looks");
    if (length / (every == 0 ? kDefaultStep : every) > kMostSubquerySteps)
      return fail(at, fmt::format("more than {} steps: take a longer step", kMostSubquerySteps));
    auto node = make(Node::Kind::kSubquery, Type::kRange, at);
    node->selector.range = length;
    node->step = every;
    node->children.push_back(std::move(inner));
    return node;
  }

  NodePtr offset(NodePtr inner) {
    const auto at = now().at;
    step();
    const bool back = take("-");
    Millis length = 0;
    if (!duration(length, "a duration, as in offset 5m")) return nullptr;
    if (back) return fail(at, "a rule cannot look ahead: the offset is not negative");
    if (length > kLongestRange) return fail(at, "values are kept for a day: offset is at most 1d");
    if (inner->kind != Node::Kind::kSelector && inner->kind != Node::Kind::kSubquery)
      return fail(at, "offset stands after a metric or a range");
    if (inner->selector.offset != 0) return fail(at, "offset is there twice");
    inner->selector.offset = length;
    return inner;
  }

  bool duration(Millis& out, std::string_view expected) {
    if (now().kind != Kind::kDuration)
      return fail(now().at, fmt::format("expected {}", expected)) != nullptr;
    out = now().duration;
    step();
    return true;
  }

  bool label_list(std::vector<std::string>& out) {
    if (!expect("(", "before the labels")) return false;
    while (!take(")")) {
      if (now().kind != Kind::kWord)
        return fail(now().at, "expected the name of a label") != nullptr;
      out.emplace_back(now().text);
      step();
      if (!now().is(")") && !expect(",", "between two labels")) return false;
    }
    return true;
  }

  bool grouping(Grouping& out) {
    if (!is_word("by") && !is_word("without")) return true;
    out.without = is_word("without");
    step();
    return label_list(out.labels);
  }

  NodePtr aggregate(const Aggregator& aggregator) {
    auto node = make(Node::Kind::kAggregate, Type::kVector, now().at);
    node->aggregation = aggregator.aggregation;
    step();
    const bool first = !now().is("(");
    if (first && !grouping(node->grouping)) return nullptr;
    if (!arguments(*node)) return nullptr;
    if (!first && !grouping(node->grouping)) return nullptr;
    const std::size_t wanted = aggregator.takes_parameter ? 2 : 1;
    if (node->children.size() != wanted)
      return fail(node->at, aggregator.takes_parameter
                                ? fmt::format("write {}(number, vector)", aggregator.text)
                                : fmt::format("{} takes one vector", aggregator.text));
    if (aggregator.takes_parameter) std::swap(node->children[0], node->children[1]);
    if (node->children[0]->type != Type::kVector)
      return fail(node->children[0]->at, fmt::format("{} takes a vector, not {}", aggregator.text,
                                                     name_of(node->children[0]->type)));
    if (wanted == 2 && node->children[1]->type != Type::kScalar)
      return fail(node->children[1]->at,
                  fmt::format("the first argument of {} is a number", aggregator.text));
    return node;
  }

  bool arguments(Node& node) {
    if (!expect("(", "before the arguments")) return false;
    while (!take(")")) {
      auto argument = expression(0);
      if (!argument) return false;
      node.children.push_back(std::move(argument));
      if (!now().is(")") && !expect(",", "between two arguments, or \")\"")) return false;
    }
    return true;
  }

  NodePtr call() {
    auto node = make(Node::Kind::kCall, Type::kVector, now().at);
    const auto name = now().text;
    node->function = find_function(name);
    if (node->function == nullptr) {
      std::vector<std::string> names;
      for (const auto& function : functions()) names.emplace_back(function.name);
      for (const auto& aggregator : kAggregators) names.emplace_back(aggregator.text);
      const auto near = config::closest(std::string(name), names);
      return fail(node->at, fmt::format("there is no function {}(){}", name,
                                        near.empty() ? "; docs/rules.md has them all"
                                                     : fmt::format("; did you mean {}()?", near)));
    }
    step();
    if (!arguments(*node)) return nullptr;
    node->type = node->function->returns;
    return check_arguments(std::move(node));
  }

  NodePtr check_arguments(NodePtr node) {
    const auto& function = *node->function;
    static constexpr std::string_view kLetters = "svrt";
    static constexpr std::array kTypes{Type::kScalar, Type::kVector, Type::kRange, Type::kString};
    std::size_t given = 0;
    std::size_t needed = 0;
    bool optional = false;
    char last = 0;
    for (const char letter : function.arguments) {
      if (letter == '?') {
        optional = true;
        continue;
      }
      if (!optional) ++needed;
      do {
        last = letter == '*' ? last : letter;
        if (given == node->children.size()) break;
        const auto type = kTypes.at(kLetters.find(last));
        const auto& child = *node->children[given];
        if (child.type != type)
          return fail(child.at, fmt::format("argument {} of {}() is {}, not {}{}", given + 1,
                                            function.name, name_of(type), name_of(child.type),
                                            type == Type::kRange ? "; write metric[5m]" : ""));
        ++given;
      } while (letter == '*' && given < node->children.size());
      if (letter == '*') --needed;
    }
    if (given < node->children.size())
      return fail(node->children[given]->at,
                  fmt::format("{}() takes {} arguments at most", function.name, given));
    if (given < needed)
      return fail(node->at, fmt::format("{}() takes {} arguments", function.name, needed));
    return node;
  }

  std::string_view text_;
  std::vector<Token> tokens_;
  std::size_t next_ = 0;
  int depth_ = 0;
  int operators_ = 0;
  std::optional<Error> error_;
};

}  // namespace

std::string_view name_of(Type type) {
  static constexpr std::array<std::string_view, 4> kNames{"a number", "a vector", "a range",
                                                          "a text"};
  return kNames.at(static_cast<std::size_t>(type));
}

std::string_view name_of(Op op) {
  const auto* const found = std::ranges::find(kInfixes, op, &Infix::op);
  return found->text;
}

Result<NodePtr> parse(std::string_view text) {
  if (text.size() > kLongestText)
    return Error{ErrorCode::kInvalidArgument,
                 fmt::format("the expression has more than {} characters", kLongestText)};
  ETCDMON_TRY(auto tokens, split(text));
  return Parser(text, std::move(tokens)).run();
}

}  // namespace etcdmon::alert::expr
