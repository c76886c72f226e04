// config/field.hpp: one declared option, without its C++ type, and field() which makes it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/result.hpp"
#include "config/codec.hpp"
#include "config/node.hpp"

namespace etcdmon::config {

class Schema;
template <class T>
struct SchemaOf;
template <class T>
const Schema& schema_of();

/// A struct that declares its own options.
template <class T>
concept Described = requires { T::schema(); } || requires { SchemaOf<T>::schema(); };

/// One option of a struct. `owner` is always a pointer to such a struct.
struct Field {
  enum class Shape : std::uint8_t {
    kValue,     ///< a value
    kValues,    ///< a list of values
    kSection,   ///< a struct
    kSections,  ///< a list of structs
  };

  std::string name;  ///< its key
  std::string doc;   ///< sentences
  Shape shape = Shape::kValue;
  TypeDoc type;           ///< of the value, or of each one in a list
  bool optional = false;  ///< null, the default, means "not set"
  bool secret = false;    ///< never shown; `<name>_file` names a file that holds it
  bool live = false;      ///< a reload applies a change; else it needs a restart
  std::string least;      ///< bounds as text, for the docs; empty: none
  std::string most;
  bool zero_is_off = false;  ///< 0 is allowed below `least`

  std::string flag;       ///< without dashes; empty: none. Also gives the environment variable
  std::string flag_unit;  ///< the flag and the variable take a bare number of this unit: "ms"
  std::string env;        ///< environment variable without its prefix, where there is no flag
  std::string
      one_as;  ///< kSections: a key under which a single section may stand instead of the list
  std::string identity;        ///< kSections: the key whose value names an entry
  std::string other_identity;  ///< … of entries that do not have it

  /// kValue: stores; kValues: appends. Nothing is stored on an error.
  std::function<Result<void>(void* owner, const Node& value)> take;
  /// kValue, kValues: what is stored, secrets in clear.
  std::function<Node(const void* owner)> show;
  /// kSection, kSections: the struct, or the one at `index`.
  std::function<void*(void* owner, std::size_t index)> section;
  std::function<std::size_t(const void* owner)> count;  ///< kSections
  std::function<void(void* owner)> append;              ///< kSections: one more, with defaults
  std::function<void(void* owner)> clear;               ///< kValues, kSections
  const Schema& (*nested)() = nullptr;                  ///< kSection, kSections
};

/// What is wrong with a value, for the one who wrote it.
using Fault = std::optional<std::string>;

namespace detail {

template <class M>
struct Element {
  using type = M;
  static constexpr bool kList = false;
  static constexpr bool kOptional = false;
};
template <class T>
struct Element<std::vector<T>> : Element<T> {
  static constexpr bool kList = true;
};
template <class T>
struct Element<std::optional<T>> : Element<T> {
  static constexpr bool kOptional = true;
};

}  // namespace detail

/// A Field under construction, which still knows the type of its value. A schema takes it as a
/// Field.
template <class Owner, class M>
class FieldOf {
 public:
  using Value = typename detail::Element<M>::type;

  FieldOf(std::string key, M Owner::* member, std::string text) {
    field_.name = std::move(key);
    field_.doc = std::move(text);
    constexpr bool kList = detail::Element<M>::kList;
    if constexpr (Described<Value>) {
      field_.shape = kList ? Field::Shape::kSections : Field::Shape::kSection;
      field_.nested = &schema_of<Value>;
      bind_section(member);
    } else {
      field_.shape = kList ? Field::Shape::kValues : Field::Shape::kValue;
      field_.type = Codec<Value>::type();
      field_.optional = detail::Element<M>::kOptional;
      field_.secret = std::is_same_v<Value, Secret>;
      bind_value(member);
    }
    if constexpr (kList) {
      field_.clear = [member](void* owner) { (static_cast<Owner*>(owner)->*member).clear(); };
    }
  }

  operator Field() const { return field_; }  // NOLINT(google-explicit-constructor)

  /// A reload applies a change of it.
  FieldOf& applies_live() { return field_.live = true, *this; }
  /// `--<flag>` and ETCD_MONITOR_<FLAG>; with a unit, both take a bare number of it.
  FieldOf& flag_named(std::string text, std::string unit = {}) {
    field_.flag = std::move(text);
    field_.flag_unit = std::move(unit);
    return *this;
  }
  /// ETCD_MONITOR_<text>, without a flag.
  FieldOf& env_named(std::string text) { return field_.env = std::move(text), *this; }

  FieldOf& min(Value bound) {
    field_.least = Codec<Value>::show(bound).text;
    return rule([bound, text = field_.least](const Value& value) -> Fault {
      if (!(value < bound)) return std::nullopt;
      return fmt::format("must be at least {}, not {}", text, Codec<Value>::show(value).text);
    });
  }
  /// 0 turns it off; any other value is at least `bound`.
  FieldOf& off_or_min(Value bound) {
    field_.least = Codec<Value>::show(bound).text;
    field_.zero_is_off = true;
    return rule([bound, text = field_.least](const Value& value) -> Fault {
      if (value == Value{} || !(value < bound)) return std::nullopt;
      return fmt::format("must be 0 (off) or at least {}, not {}", text,
                         Codec<Value>::show(value).text);
    });
  }
  FieldOf& max(Value bound) {
    field_.most = Codec<Value>::show(bound).text;
    return rule([bound, text = field_.most](const Value& value) -> Fault {
      if (!(bound < value)) return std::nullopt;
      return fmt::format("must be at most {}, not {}", text, Codec<Value>::show(value).text);
    });
  }
  /// One more condition on each value. For a Secret, the answer must not carry it.
  FieldOf& rule(std::function<Fault(const Value&)> holds) {
    rules_->push_back(std::move(holds));
    return *this;
  }

  /// For a list of sections: `key` may hold a single one instead.
  FieldOf& or_one_as(std::string key) { return field_.one_as = std::move(key), *this; }
  /// For a list of sections: `key` tells entries apart; `other` those that have no `key`.
  FieldOf& identified_by(std::string key, std::string other = {}) {
    field_.identity = std::move(key);
    field_.other_identity = std::move(other);
    return *this;
  }

 private:
  using Rules = std::vector<std::function<Fault(const Value&)>>;

  void bind_section(M Owner::* member) {
    if constexpr (detail::Element<M>::kList) {
      field_.section = [member](void* owner, std::size_t index) -> void* {
        return &(static_cast<Owner*>(owner)->*member)[index];
      };
      field_.count = [member](const void* owner) {
        return (static_cast<const Owner*>(owner)->*member).size();
      };
      field_.append = [member](void* owner) {
        (static_cast<Owner*>(owner)->*member).emplace_back();
      };
    } else {
      field_.section = [member](void* owner, std::size_t) -> void* {
        return &(static_cast<Owner*>(owner)->*member);
      };
    }
  }

  void bind_value(M Owner::* member) {
    field_.take = [member, rules = rules_](void* owner, const Node& node) -> Result<void> {
      M& stored = static_cast<Owner*>(owner)->*member;
      if constexpr (detail::Element<M>::kOptional) {
        if (node.kind == Node::Kind::kNull) {
          stored.reset();
          return {};
        }
      }
      auto value = Codec<Value>::parse(node);
      if (!value) return std::move(value).error();
      for (const auto& holds : *rules) {
        if (auto fault = holds(*value)) return detail::bad_value(*std::move(fault));
      }
      if constexpr (detail::Element<M>::kList) {
        stored.push_back(*std::move(value));
      } else {
        stored = *std::move(value);
      }
      return {};
    };
    field_.show = [member](const void* owner) {
      const M& stored = static_cast<const Owner*>(owner)->*member;
      if constexpr (detail::Element<M>::kList) {
        Node list = Node::list();
        for (const auto& value : stored) list.add(Codec<Value>::show(value));
        return list;
      } else if constexpr (detail::Element<M>::kOptional) {
        return stored ? Codec<Value>::show(*stored) : Node::null();
      } else {
        return Codec<Value>::show(stored);
      }
    };
  }

  Field field_;
  // Shared with `take`, which exists before the rules are added.
  std::shared_ptr<Rules> rules_ = std::make_shared<Rules>();
};

/// `doc` is one or more sentences: what the option means, its unit, and what is special about its
/// values.
template <class Owner, class M>
FieldOf<Owner, M> field(std::string name, M Owner::* member, std::string doc) {
  return FieldOf<Owner, M>(std::move(name), member, std::move(doc));
}

}  // namespace etcdmon::config
