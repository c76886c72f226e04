// base/rfc3339.hpp: moments as people write them.
#pragma once

#include <string_view>

#include "base/clock.hpp"
#include "base/result.hpp"

namespace etcdmon {

/// "2026-11-23T15:00:00Z", "2026-11-23T16:00:00.25+01:00", "2026-11-23" (its beginning). Fractions
/// beyond nanoseconds are cut off. Errors: kInvalidArgument. The other way round: to_rfc3339().
Result<WallTime> parse_rfc3339(std::string_view text);

}  // namespace etcdmon
