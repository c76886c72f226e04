// alert/expr/ast.hpp: an expression as a tree.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "alert/expr/lexer.hpp"
#include "alert/label_matcher.hpp"

namespace etcdmon::alert::expr {

struct Function;

enum class Type : std::uint8_t { kScalar, kVector, kRange, kString };
std::string_view name_of(Type type);

enum class Op : std::uint8_t {
  kAdd,
  kSubtract,
  kMultiply,
  kDivide,
  kModulo,
  kPower,
  kEqual,
  kNotEqual,
  kGreater,
  kLess,
  kGreaterEqual,
  kLessEqual,
  kAnd,
  kOr,
  kUnless,
};
std::string_view name_of(Op op);
constexpr bool is_comparison(Op op) {
  return op >= Op::kEqual && op <= Op::kLessEqual;
}
constexpr bool is_set_operator(Op op) {
  return op >= Op::kAnd;
}

/// A metric by its name, and conditions on the labels. The name is always known, so that what an
/// expression needs of a page is known too.
struct Selector {
  std::string metric;
  std::vector<LabelMatcher> matchers;
  Millis range = 0;  ///< 0: the newest value
  Millis offset = 0;
};

/// Which elements of two vectors belong together.
struct Matching {
  enum class Many : std::uint8_t { kNone, kLeft, kRight };
  bool on = false;  ///< by `labels` alone; else by all but them
  std::vector<std::string> labels;
  Many many = Many::kNone;           ///< group_left, group_right
  std::vector<std::string> include;  ///< taken over from the one side
};

enum class Aggregation : std::uint8_t {
  kSum,
  kAverage,
  kMin,
  kMax,
  kCount,
  kGroup,
  kStddev,
  kStdvar,
  kQuantile,
  kTop,
  kBottom,
};

struct Grouping {
  bool without = false;
  std::vector<std::string> labels;
};

struct Node {
  enum class Kind : std::uint8_t {
    kNumber,
    kString,
    kSelector,
    kNegate,
    kBinary,     ///< two children
    kCall,       ///< children are the arguments
    kAggregate,  ///< the vector, then the parameter where there is one
    kSubquery,   ///< one child, looked at again and again
  };

  Kind kind = Kind::kNumber;
  Type type = Type::kScalar;
  std::size_t at = 0;  ///< in the text
  std::vector<std::unique_ptr<Node>> children;

  double number = 0;
  std::string text;   ///< of a string
  Selector selector;  ///< of a subquery: range and offset
  Millis step = 0;    ///< of a subquery; 0: the default
  Op op = Op::kAdd;
  bool returns_bool = false;
  Matching matching;
  const Function* function = nullptr;
  Aggregation aggregation = Aggregation::kSum;
  Grouping grouping;
};
using NodePtr = std::unique_ptr<Node>;

}  // namespace etcdmon::alert::expr
