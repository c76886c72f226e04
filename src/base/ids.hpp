// base/ids.hpp: the identifiers etcd gives to members and clusters.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace etcdmon {

/// A 64-bit id printed in lower-case hex without leading zeros, as etcdctl prints it. 0 means
/// "none".
template <class Tag>
struct HexId {
  std::uint64_t value = 0;

  constexpr bool none() const { return value == 0; }
  constexpr auto operator<=>(const HexId&) const = default;
};

using MemberId = HexId<struct MemberTag>;
using ClusterId = HexId<struct ClusterTag>;

std::string to_hex(std::uint64_t value);
template <class Tag>
std::string to_hex(HexId<Tag> id) {
  return to_hex(id.value);
}

/// Up to 16 hex digits, upper or lower case, no prefix. Anything else is nullopt.
std::optional<std::uint64_t> parse_hex(std::string_view text);

}  // namespace etcdmon

template <class Tag>
struct std::hash<etcdmon::HexId<Tag>> {
  std::size_t operator()(etcdmon::HexId<Tag> id) const noexcept {
    return std::hash<std::uint64_t>{}(id.value);
  }
};
