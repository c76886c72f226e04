// api/auth/roles.hpp: who may do what, on which clusters.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"

namespace etcdmon::api::auth {

/// None includes another one.
enum class Action : std::uint8_t {
  kRead,     ///< see
  kAlert,    ///< acknowledge, silence
  kOperate,  ///< start a benchmark, run an action
  kAdmin,    ///< users, tokens, configuration
};
/// "operate".
std::string_view name_of(Action action);
std::optional<Action> action_of(std::string_view name);

/// What proved who somebody is.
enum class Proof : std::uint8_t { kJwt, kPassword, kApiToken };
/// "api_token".
std::string_view name_of(Proof how);

/// Somebody who proved who he is. That alone allows nothing.
struct Identity {
  std::string subject;
  std::vector<std::string> roles;  ///< names; unknown ones give nothing
  Proof how = Proof::kJwt;
  std::optional<WallTime> expires;  ///< when the proof ends; none: it does not

  bool operator==(const Identity&) const = default;
};

/// Actions on the clusters whose name a pattern matches: "prod-*". `*` stands for any letters, also
/// none; everything else for itself.
struct Grant {
  std::vector<std::string> clusters;
  std::set<Action> actions;
};

struct Role {
  std::string name;
  std::vector<Grant> grants;
};

/// The roles there are: viewer (read), operator (read, alert, operate) and admin (everything), each
/// on all clusters, and those that are made up. What no role of an identity grants is denied.
///
/// Threads: immutable, may be shared.
class Roles {
 public:
  /// The three built-in ones.
  Roles();
  /// Errors: kInvalidArgument: a name that is built in, empty or there twice, or a grant of
  /// nothing.
  static Result<Roles> with(std::vector<Role> custom);

  /// `cluster` empty: what belongs to none, as users do; only a grant on "*" covers it.
  bool allow(const Identity& who, Action action, std::string_view cluster) const;
  bool knows(std::string_view role) const;

 private:
  std::map<std::string, std::vector<Grant>, std::less<>> roles_;
};

/// The pattern matches the whole name.
bool matches_cluster(std::string_view pattern, std::string_view cluster);

/// Which roles an issuer's tokens give.
struct RoleMapping {
  /// Where the groups are: the name of a claim, or a path into objects: "realm_access.roles".
  std::string claim = "groups";
  /// What stands there, to roles. Values that are not named give none: an issuer's group "admin" is
  /// not our admin by its name.
  std::map<std::string, std::vector<std::string>> roles{};
};

/// Without duplicates, in the order of the claim. `claims` is a JSON object. A claim is a list of
/// texts, or one text; in `scope` and `scp` a text is a list with spaces. Anything else gives none.
std::vector<std::string> roles_of(std::string_view claims, const RoleMapping& mapping);

}  // namespace etcdmon::api::auth
