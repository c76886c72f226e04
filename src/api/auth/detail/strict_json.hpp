// api/auth/detail/strict_json.hpp: JSON in which nothing can be read in two ways.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

namespace etcdmon::api::auth::detail {

/// An object. nullopt: no JSON, something after it, a member that is there twice, or more than 16
/// levels. Two readers of one token must not see two values: the first or the last of the same
/// name.
std::optional<nlohmann::json> parse_strict_object(std::string_view text);

/// The member's text; nullptr: it is not there, or is no text.
const std::string* text_at(const nlohmann::json& object, const char* name);

}  // namespace etcdmon::api::auth::detail
