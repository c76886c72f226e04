// config/flags.hpp: the command line, Go style, and which options it and the environment reach.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/issue.hpp"
#include "config/schema.hpp"

namespace etcdmon::config {

constexpr std::string_view kEnvironmentPrefix = "ETCD_MONITOR_";

/// One flag, from a schema or a command's own.
struct FlagSpec {
  std::string name;   ///< without dashes
  std::string value;  ///< what its value is, for the help: "duration"; empty: a switch
  std::string doc;
  std::string default_value;  ///< as it would be written; empty: not worth telling
  std::string environment;    ///< variable with its prefix; empty: none
  std::string group;          ///< heading in the help
};

/// An option that a flag or a variable can set.
struct Binding {
  std::vector<const Field*> chain;  ///< from the root; the last one is the option
  FlagSpec flag;                    ///< name empty: environment only
  bool reads_file = false;          ///< the value names the file that holds a secret

  const Field& field() const { return *chain.back(); }
};

/// Every flag and variable of the schema, in its order. Lifetime: within the schema's.
std::vector<Binding> bindings_of(const Schema& schema);
std::vector<FlagSpec> flags_of(const Schema& schema);

struct FlagValue {
  std::string name;
  std::string value;  ///< of a switch: "true" or "false"
};

/// A command line taken apart.
struct ParsedFlags {
  std::vector<FlagValue> values;       ///< in the order given; may repeat
  std::vector<std::string> arguments;  ///< what is no flag, and all after "--"
  std::vector<Issue> issues;

  /// The last value given, or nullptr.
  const std::string* last(std::string_view name) const;
  /// A switch that is on.
  bool is_on(std::string_view name) const;
};

/// `--flag=value`, `--flag value`, one dash or two; `--switch`, `--switch=false`. Flags may follow
/// arguments.
ParsedFlags parse_flags(std::span<const FlagSpec> known, std::span<const std::string> arguments);

/// The flags under their groups, with defaults and variables, at most `width` columns.
std::string flag_help(std::span<const FlagSpec> flags, std::size_t width = 100);

}  // namespace etcdmon::config
