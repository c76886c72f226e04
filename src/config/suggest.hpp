// config/suggest.hpp: "did you mean" for names that were mistyped.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace etcdmon::config {

/// Insertions, deletions, replacements and swaps of neighbours between two words; case does not
/// count.
std::size_t edit_distance(std::string_view a, std::string_view b);

/// The candidate that `word` most probably stands for; empty when none is near enough.
std::string closest(std::string_view word, std::span<const std::string> candidates);

}  // namespace etcdmon::config
