// app/cli/ctl/line/flag.hpp: the flags of a ctl command, what the command line and ETCDCTL_* gave
// them.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.hpp"

namespace etcdmon::app::cli::ctl {

struct Flag {
  enum class Type : std::uint8_t { kSwitch, kNumber, kCount, kText, kDuration, kList };

  std::string_view name;  ///< without dashes
  Type type = Type::kText;
  std::string_view standard{};  ///< what it is where nobody sets it, as it would be written
  std::string_view doc{};
  char shorthand = 0;  ///< 'w' for -w; 0: none
};

/// The flags of one invocation with their values. Asking for a flag that the command does not have
/// is a bug of the caller.
class FlagValues {
 public:
  FlagValues() = default;
  explicit FlagValues(std::vector<Flag> flags) : flags_(std::move(flags)) {}

  std::span<const Flag> flags() const { return flags_; }
  const Flag* find(std::string_view name) const;
  const Flag* find(char shorthand) const;

  /// Checks the value; the message says what is wrong with it and not which flag it was. A list
  /// grows by each call.
  Result<void> set(const Flag& flag, std::string value);
  /// Somebody gave it a value, be it the standard one.
  bool is_set(std::string_view name) const { return values_.contains(std::string(name)); }

  bool on(std::string_view name) const;
  std::int64_t number(std::string_view name) const;
  std::string text(std::string_view name) const;
  std::chrono::nanoseconds duration(std::string_view name) const;
  std::vector<std::string> list(std::string_view name) const;

 private:
  std::vector<Flag> flags_;
  std::map<std::string, std::string, std::less<>> values_;
};

/// What is no flag.
struct Arguments {
  std::vector<std::string> words{};
  std::optional<std::size_t> dashes{};  ///< how many stood before "--"
  bool wants_help = false;              ///< -h or --help: nothing else counts
};

/// Takes flags out of `words`, wherever they stand; "--" ends them. Errors are etcdctl's: "unknown
/// flag: --bogus".
Result<Arguments> parse_flags(FlagValues& values, std::span<const std::string> words);

/// Reads ETCDCTL_* for `names`, where the command line gave nothing: ETCDCTL_WRITE_OUT is
/// --write-out. Returns what the user should know: variables that are not heard, and why.
using Environment = std::span<const std::pair<std::string, std::string>>;
Result<std::vector<std::string>> read_environment(FlagValues& values, std::span<const Flag> names,
                                                  Environment environment);

}  // namespace etcdmon::app::cli::ctl
