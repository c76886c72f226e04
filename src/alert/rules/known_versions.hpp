// alert/rules/known_versions.hpp: releases of etcd with faults that a later one of the same branch
// has fixed.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "alert/rule.hpp"

namespace etcdmon::alert {

struct Release {
  int major = 0;
  int minor = 0;
  int patch = 0;
  auto operator<=>(const Release&) const = default;
};
/// "3.5.16", "3.6.0-rc.1": what stands behind the patch level does not count.
std::optional<Release> parse_release(std::string_view version);

struct KnownFault {
  enum class Kind : std::uint8_t { kSecurity, kCorruption, kCorrectness, kCrash, kMembership };
  static constexpr int kNever = 1'000;  ///< no release of that branch has the fix
  static constexpr int kNot = 0;        ///< the branch never had the fault

  std::string_view text;
  Kind kind;
  std::array<int, 4> fixed;  ///< patch level with the fix, of 3.4, 3.5, 3.6, 3.7
  bool grave = false;        ///< loses or mixes up data in ordinary use
};
/// Those that `release` has, the gravest first.
std::vector<const KnownFault*> faults_of(const Release& release);
/// The patch level of its branch that has none of them; nullopt: there is none.
std::optional<int> safe_patch(const Release& release);

/// One finding for each version that is in use and has known faults.
void known_bad_version(const RuleInput& input, std::vector<Finding>& findings);

}  // namespace etcdmon::alert
