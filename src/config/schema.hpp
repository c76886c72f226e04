// config/schema.hpp: the options of a module, declared once.
//
//   struct ScrapeOptions {
//     Duration interval = 10s;
//     Bytes max_body = 16_MiB;
//
//     static const config::Schema& schema();
//     std::vector<config::Complaint> check() const;  // optional: rules across fields
//   };
//
//   const config::Schema& ScrapeOptions::schema() {
//     using T = ScrapeOptions;
//     static const auto kSchema = config::Schema::of<T>(
//         "Scrapes",
//         {config::field("interval", &T::interval, "Time between two scrapes of a member.")
//              .min(1s).max(1h).applies_live().flag_named("metrics-interval"),
//          config::field("max_body", &T::max_body, "Larger answers are refused.").min(64_KiB)});
//     return kSchema;
//   }
//
// Defaults stand in the struct. From the schema come reading (loader.hpp), flags and their help
// (flags.hpp), and the dump, the docs, the JSON schema and the list of what needs a restart
// (describe.hpp).
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/result.hpp"
#include "config/codec.hpp"
#include "config/field.hpp"
#include "config/node.hpp"

namespace etcdmon::config {

/// A rule across fields that does not hold. `key` is the field to blame; empty: the section.
struct Complaint {
  std::string key;
  std::string message;
};

/// For option structs that should not know config/: specialise with `static const Schema&
/// schema();`.
template <class T>
struct SchemaOf;

class Schema {
 public:
  /// `title` heads the struct's flags in the help.
  template <class T>
  static Schema of(std::string title, std::vector<Field> fields) {
    Schema schema;
    schema.title_ = std::move(title);
    schema.fields_ = std::move(fields);
    schema.make_ = [] { return std::make_shared<T>(); };
    if constexpr (requires(const T& options) { options.check(); }) {
      schema.check_ = [](const void* options) { return static_cast<const T*>(options)->check(); };
    }
    return schema;
  }

  const std::string& title() const { return title_; }
  const std::vector<Field>& fields() const { return fields_; }
  /// An object of the described type, holding the defaults.
  std::shared_ptr<void> make_default() const { return make_(); }
  std::vector<Complaint> check(const void* options) const {
    return check_ ? check_(options) : std::vector<Complaint>{};
  }

 private:
  std::string title_;
  std::vector<Field> fields_;
  std::function<std::shared_ptr<void>()> make_;
  std::function<std::vector<Complaint>(const void*)> check_;
};

template <class T>
const Schema& schema_of() {
  if constexpr (requires { SchemaOf<T>::schema(); }) {
    return SchemaOf<T>::schema();
  } else {
    return T::schema();
  }
}

}  // namespace etcdmon::config
