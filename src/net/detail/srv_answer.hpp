// net/detail/srv_answer.hpp: the SRV records of a DNS answer, from its bytes.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "net/resolver.hpp"

namespace etcdmon::net::detail {

/// By priority, then by falling weight, then by name, so that the same answer gives the same order.
/// Errors: kNotFound without a usable record, kUnavailable with Cause::kDns when it is no DNS
/// answer.
Result<std::vector<SrvTarget>> parse_srv_answer(std::string_view name,
                                                std::span<const std::uint8_t> answer);

}  // namespace etcdmon::net::detail
