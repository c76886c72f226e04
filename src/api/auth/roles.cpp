#include "api/auth/roles.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "api/auth/detail/strict_json.hpp"

namespace etcdmon::api::auth {

namespace {

using nlohmann::json;

struct ActionName {
  Action action;
  std::string_view name;
};

constexpr std::array kActions{
    ActionName{Action::kRead, "read"},
    ActionName{Action::kAlert, "alert"},
    ActionName{Action::kOperate, "operate"},
    ActionName{Action::kAdmin, "admin"},
};

Error refuse_role(std::string message) {
  return Error{ErrorCode::kInvalidArgument, std::move(message)};
}

bool grants_something(const Grant& grant) {
  return !grant.clusters.empty() && !grant.actions.empty() &&
         std::ranges::none_of(grant.clusters, &std::string::empty);
}

bool covers(const Grant& grant, Action action, std::string_view cluster) {
  if (!grant.actions.contains(action)) return false;
  return std::ranges::any_of(grant.clusters, [cluster](const std::string& pattern) {
    return cluster.empty() ? pattern == "*" : matches_cluster(pattern, cluster);
  });
}

/// A claim whose own name has dots ("https://example.com/groups") comes before a path.
const json* claim_at(const json& claims, std::string_view path) {
  if (const auto whole = claims.find(path); whole != claims.end()) return &*whole;
  const json* at = &claims;
  while (true) {
    if (!at->is_object()) return nullptr;
    const auto dot = path.find('.');
    const auto found = at->find(path.substr(0, dot));
    if (found == at->end()) return nullptr;
    at = &*found;
    if (dot == std::string_view::npos) return at;
    path.remove_prefix(dot + 1);
  }
}

std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words;
  while (!text.empty()) {
    const auto end = std::min(text.find(' '), text.size());
    if (end > 0) words.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return words;
}

std::vector<std::string> values_of_claim(const json& claim, std::string_view path) {
  if (claim.is_string()) {
    const auto name = path.substr(path.rfind('.') + 1);
    const auto& text = claim.get_ref<const std::string&>();
    if (name == "scope" || name == "scp") return words_of(text);
    return {text};
  }
  std::vector<std::string> values;
  if (!claim.is_array()) return values;
  for (const auto& item : claim) {
    if (!item.is_string()) return {};
    values.push_back(item.get<std::string>());
  }
  return values;
}

}  // namespace

std::string_view name_of(Action action) {
  return std::ranges::find(kActions, action, &ActionName::action)->name;
}

std::optional<Action> action_of(std::string_view name) {
  const auto* found = std::ranges::find(kActions, name, &ActionName::name);
  return found == kActions.end() ? std::nullopt : std::optional(found->action);
}

std::string_view name_of(Proof how) {
  constexpr std::array<std::string_view, 3> kNames{"jwt", "password", "api_token"};
  return kNames.at(static_cast<std::size_t>(how));
}

Roles::Roles() {
  const std::vector<std::string> everywhere{"*"};
  roles_["viewer"] = {{.clusters = everywhere, .actions = {Action::kRead}}};
  roles_["operator"] = {
      {.clusters = everywhere, .actions = {Action::kRead, Action::kAlert, Action::kOperate}}};
  roles_["admin"] = {
      {.clusters = everywhere,
       .actions = {Action::kRead, Action::kAlert, Action::kOperate, Action::kAdmin}}};
}

Result<Roles> Roles::with(std::vector<Role> custom) {
  Roles roles;
  for (auto& role : custom) {
    if (role.name.empty()) return refuse_role("a role without a name");
    if (roles.knows(role.name)) {
      return refuse_role(fmt::format("role {} is there already", role.name));
    }
    if (role.grants.empty() || !std::ranges::all_of(role.grants, grants_something)) {
      return refuse_role(fmt::format("role {}: each grant names clusters and actions", role.name));
    }
    roles.roles_.emplace(std::move(role.name), std::move(role.grants));
  }
  return roles;
}

bool Roles::allow(const Identity& who, Action action, std::string_view cluster) const {
  return std::ranges::any_of(who.roles, [&](const std::string& name) {
    const auto found = roles_.find(name);
    return found != roles_.end() && std::ranges::any_of(found->second, [&](const Grant& grant) {
             return covers(grant, action, cluster);
           });
  });
}

bool Roles::knows(std::string_view role) const {
  return roles_.find(role) != roles_.end();
}

bool matches_cluster(std::string_view pattern, std::string_view cluster) {
  std::size_t p = 0;
  std::size_t c = 0;
  std::size_t star = std::string_view::npos;
  std::size_t resume = 0;
  while (c < cluster.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      resume = c;
    } else if (p < pattern.size() && pattern[p] == cluster[c]) {
      ++p;
      ++c;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      c = ++resume;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', p) == std::string_view::npos;
}

std::vector<std::string> roles_of(std::string_view claims, const RoleMapping& mapping) {
  std::vector<std::string> roles;
  const auto parsed = detail::parse_strict_object(claims);
  if (!parsed) return roles;
  const auto* claim = claim_at(*parsed, mapping.claim);
  if (claim == nullptr) return roles;
  for (const auto& value : values_of_claim(*claim, mapping.claim)) {
    const auto found = mapping.roles.find(value);
    if (found == mapping.roles.end()) continue;
    for (const auto& role : found->second) {
      if (std::ranges::find(roles, role) == roles.end()) roles.push_back(role);
    }
  }
  return roles;
}

}  // namespace etcdmon::api::auth
