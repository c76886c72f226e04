// app/cli/ctl/du/usage.hpp: which prefixes hold the keys and bytes of a cluster.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "app/cli/ctl/print/output.hpp"

namespace etcdmon::wire {
class KeyValue;
}  // namespace etcdmon::wire

namespace etcdmon::app::cli::ctl {

struct PrefixUsage {
  std::string prefix{};
  std::int64_t keys = 0;
  std::int64_t bytes = 0;    ///< of keys and values that exist now
  std::int64_t largest = 0;  ///< of one key with its value
  std::int64_t writes = 0;   ///< of the keys that exist now, since each was created
};

/// Adds keys up by the path they stand in. Memory for so many prefixes as there are, up to a bound.
class Usage {
 public:
  /// `depth`: how many parts of a path below `prefix` are told apart.
  Usage(std::string prefix, std::size_t depth) : prefix_(std::move(prefix)), depth_(depth) {}

  void add(const wire::KeyValue& kv);

  /// The largest first; `top` of them, 0: all.
  std::vector<PrefixUsage> rows(std::size_t top) const;
  const PrefixUsage& total() const { return total_; }

  /// "/registry/pods/" for "/registry/pods/default/web" two deep.
  std::string_view group_of(std::string_view key) const;

 private:
  static constexpr std::size_t kMostPrefixes = 100'000;

  std::string prefix_;
  std::size_t depth_;
  std::map<std::string, PrefixUsage, std::less<>> groups_;
  PrefixUsage total_{};
};

/// As a table, or as JSON.
std::string to_text(const Usage& usage, std::size_t top, Format format);

}  // namespace etcdmon::app::cli::ctl
