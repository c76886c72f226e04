#include "app/cli/ctl/run/arguments.hpp"

#include <charconv>

#include <fmt/format.h>

#include "app/cli/ctl/text/go_text.hpp"

namespace etcdmon::app::cli::ctl {

Parsed<etcd::KeyRange> parse_range(const FlagValues& flags,
                                   std::span<const std::string> arguments) {
  const bool prefix = flags.on("prefix");
  const bool from_key = flags.on("from-key");
  if (prefix && from_key)
    return misuse("`--prefix` and `--from-key` cannot be set at the same time, choose one");
  if (arguments.size() > 1) {
    if (prefix || from_key)
      return misuse(
          "too many arguments, only accept one argument when `--prefix` or `--from-key` is set");
    return etcd::KeyRange{arguments[0], arguments[1]};
  }
  if (prefix) return etcd::KeyRange::prefix(arguments[0]);
  if (from_key) return etcd::KeyRange::from(arguments[0]);
  return etcd::KeyRange::one(arguments[0]);
}

Parsed<std::int64_t> parse_lease(std::string_view text) {
  const auto id = parse_go_int(text, 16);
  if (!id) return misuse(fmt::format("bad lease ID ({}), expecting ID in Hex", id.error().message));
  return *id;
}

Parsed<MemberId> parse_id(std::string_view text) {
  std::uint64_t id = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), id, 16);
  if (failed == std::errc{} && end == text.data() + text.size()) return MemberId{id};
  return misuse(fmt::format(
      "strconv.ParseUint: parsing {}: {}", go_quoted(text),
      failed == std::errc::result_out_of_range ? "value out of range" : "invalid syntax"));
}

Parsed<MemberId> parse_member(std::string_view text) {
  auto id = parse_id(text);
  if (id) return id;
  return misuse(fmt::format("bad member ID arg ({}), expecting ID in Hex", id.error().message));
}

Parsed<etcd::Consistency> parse_consistency(const FlagValues& flags) {
  const auto text = flags.text("consistency");
  if (text == "l") return etcd::Consistency::kLinearizable;
  if (text == "s") return etcd::Consistency::kSerializable;
  return bad_feature(fmt::format("unknown consistency flag {}", go_quoted(text)));
}

std::vector<std::string> split_list(std::string_view text) {
  std::vector<std::string> out;
  for (;;) {
    const auto comma = text.find(',');
    out.emplace_back(text.substr(0, comma));
    if (comma == std::string_view::npos) return out;
    text.remove_prefix(comma + 1);
  }
}

}  // namespace etcdmon::app::cli::ctl
