// Different versions of etcd in one cluster.
#include <algorithm>
#include <charconv>
#include <map>

#include <fmt/format.h>

#include "collect/judge/parts.hpp"

namespace etcdmon::collect {

using model::Check;
using model::Severity;

namespace {

// Mixed minor versions are an upgrade under way for so long, and a forgotten one after it.
constexpr std::chrono::minutes kUpgrade{30};

struct Release {
  int major = 0;
  int minor = 0;
  auto operator<=>(const Release&) const = default;
};

std::optional<Release> parse_release(std::string_view version) {
  Release release;
  const char* end = version.data() + version.size();
  const auto [dot, major_error] = std::from_chars(version.data(), end, release.major);
  if (major_error != std::errc{} || dot == end || *dot != '.') return std::nullopt;
  const auto [rest, minor_error] = std::from_chars(dot + 1, end, release.minor);
  if (minor_error != std::errc{}) return std::nullopt;
  return release;
}

// Who is away tells its version when it is back.
bool tells_version(const Sight& sight, std::size_t i) {
  const auto& subject = sight.look.subjects[i];
  return subject.listed && subject.facts->status && model::is_alive(sight.members[i].reach.reach);
}

std::string list_versions(const Sight& sight) {
  std::map<std::string, std::vector<std::string>> by_version;
  for (std::size_t i = 0; i < sight.members.size(); ++i) {
    const auto& subject = sight.look.subjects[i];
    if (tells_version(sight, i))
      by_version[subject.facts->status->version].push_back(subject.label);
  }
  std::string text;
  for (const auto& [version, names] : by_version) {
    if (!text.empty()) text += ", ";
    text += fmt::format("{} on {}", version, join_names(names));
  }
  return text;
}

}  // namespace

void report_versions(const Sight& sight, std::optional<SteadyTime>& mixed_since,
                     Findings& findings) {
  std::optional<Release> oldest;
  std::optional<Release> newest;
  for (std::size_t i = 0; i < sight.members.size(); ++i) {
    if (!tells_version(sight, i)) continue;
    const auto release = parse_release(sight.look.subjects[i].facts->status->version);
    if (!release) continue;
    oldest = std::min(oldest.value_or(*release), *release);
    newest = std::max(newest.value_or(*release), *release);
  }
  if (!oldest || *oldest == *newest) {
    mixed_since.reset();
    return;
  }
  if (!mixed_since) mixed_since = sight.look.now;
  const bool too_far = oldest->major != newest->major || newest->minor - oldest->minor > 1;
  const bool too_long = sight.look.now - *mixed_since >= kUpgrade;
  const auto span =
      fmt::format("{}.{} to {}.{}", oldest->major, oldest->minor, newest->major, newest->minor);
  findings.add({Check::kVersionSkew,
                too_far || too_long ? Severity::kWarning : Severity::kInfo,
                {},
                {},
                too_far ? fmt::format("members are more than one minor version apart: {}", span)
                        : fmt::format("members run different versions: {}", span),
                list_versions(sight),
                *mixed_since});
}

}  // namespace etcdmon::collect
