// app/cli/ctl/run/arguments.hpp: what several commands read from their arguments.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <tl/expected.hpp>

#include "app/cli/ctl/command.hpp"
#include "base/ids.hpp"
#include "etcd/kv.hpp"

namespace etcdmon::app::cli::ctl {

/// A value, or how the command ends because the user wrote something else.
template <class T>
using Parsed = tl::expected<T, Exit>;

inline tl::unexpected<Exit> misuse(std::string message) {
  return tl::unexpected(bad_arguments(std::move(message)));
}
inline tl::unexpected<Exit> bad_feature(std::string message) {
  return tl::unexpected(Exit{ExitCode::kBadFeature, std::move(message)});
}

/// `key [range_end]` with --prefix and --from-key, as get and del read them.
Parsed<etcd::KeyRange> parse_range(const FlagValues& flags, std::span<const std::string> arguments);
/// All of get's, put's and del's arguments; also those of a transaction's lines. What put reads
/// from standard input is left empty.
Parsed<etcd::GetOptions> parse_get(const Request& request);
Parsed<etcd::PutOptions> parse_put(const Request& request);
Parsed<etcd::DeleteOptions> parse_del(const Request& request);
Parsed<std::int64_t> parse_lease(std::string_view text);
Parsed<MemberId> parse_member(std::string_view text);
Parsed<MemberId> parse_id(std::string_view text);  ///< the same, as move-leader words a mistake
Parsed<etcd::Consistency> parse_consistency(const FlagValues& flags);
std::vector<std::string> split_list(std::string_view text);

}  // namespace etcdmon::app::cli::ctl
