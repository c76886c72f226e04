// config/describe.hpp: declared options to look at: dump, reference, JSON Schema, difference.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "config/node.hpp"
#include "config/schema.hpp"

namespace etcdmon::config {

enum class Secrets : std::uint8_t { kHidden, kShown };

/// All options with their values; a secret that is set is shown as "<secret>", one that is not as
/// "". With kShown it is in clear: for another process of ours, never for people.
Node dump(const Schema& schema, const void* options, Secrets secrets = Secrets::kHidden);
template <class T>
Node dump(const T& options, Secrets secrets = Secrets::kHidden) {
  return dump(schema_of<T>(), &options, secrets);
}

/// One option that differs.
struct Difference {
  std::string
      path;  ///< "clusters[prod].dial_timeout"; an entry is named by its identity where it has one
  std::string before;  ///< as text, redacted; empty for a whole entry that is new
  std::string after;
  bool live = false;  ///< a reload applies it; else it needs a restart

  bool operator==(const Difference&) const = default;
};

/// In the schema's order; entries that came or went are one difference each.
std::vector<Difference> diff(const Schema& schema, const void* before, const void* after);
template <class T>
std::vector<Difference> diff(const T& before, const T& after) {
  return diff(schema_of<T>(), &before, &after);
}

/// A reference in Markdown: one table for each section.
std::string markdown(const Schema& schema);

/// JSON Schema (2020-12), for editors. No newline at the end.
std::string json_schema(const Schema& schema, std::string_view title);

/// Paths of all options, entries of a list as "clusters[].name". For tests that nothing was
/// forgotten.
std::vector<std::string> paths_of(const Schema& schema);

}  // namespace etcdmon::config
