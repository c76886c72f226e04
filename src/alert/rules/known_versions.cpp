#include "alert/rules/known_versions.hpp"

#include <algorithm>
#include <charconv>
#include <map>

#include <fmt/format.h>

namespace etcdmon::alert {

namespace {

using enum KnownFault::Kind;
using model::Severity;

constexpr int kNot = KnownFault::kNot;
constexpr int kNever = KnownFault::kNever;

// From etcd's change logs and security advisories. The gravest first.
constexpr std::array kFaults = std::to_array<KnownFault>({
    {"members may part in their data after a crash under load",
     kCorruption,
     {kNot, 3, kNot, kNot},
     true},
    {"a permission on one key lets a watch receive all keys after it (GHSA-xg4h-6gfc-h4m8)",
     kSecurity,
     {kNever, 33, 14, 1}},
    {"TLS handshakes without a limit can stop the server (GHSA-6vch-q96h-7gc3)",
     kSecurity,
     {kNever, 33, 14, 1}},
    {"revoked certificates pass where --listen-client-http-urls is set (GHSA-3wh4-j44w-pg92)",
     kSecurity,
     {kNever, 32, 13, kNot}},
    {"permissions do not hold inside transactions (CVE-2026-44283)", kSecurity, {44, 30, 11, kNot}},
    {"permissions do not hold in several calls (CVE-2026-33413, CVE-2026-33343)",
     kSecurity,
     {42, 28, 9, kNot}},
    {"passwords stay in memory after the login (CVE-2021-28235)", kSecurity, {25, 8, kNot, kNot}},
    {"defragmenting while a snapshot is applied may corrupt the data",
     kCorruption,
     {38, 23, 5, kNot}},
    {"a crash during defragmentation may leave a wrong revision",
     kCorruption,
     {kNot, 6, kNot, kNot}},
    {"the revision may fall after a panic in compaction", kCorruption, {32, 14, kNot, kNot}},
    {"deleted keys may still be read", kCorruption, {kNot, 12, kNot, kNot}},
    {"the consistent index or a defragmentation may corrupt the data",
     kCorruption,
     {8, kNot, kNot, kNot}},
    {"watches may go back in time after a snapshot from the leader",
     kCorrectness,
     {25, 8, kNot, kNot}},
    {"the server may panic at start with authentication on", kCrash, {kNot, 4, kNot, kNot}},
    {"promoted learners may be forgotten, removed members come back",
     kMembership,
     {kNot, 26, kNot, kNot}},
    {"the start may fail when the promotion of a learner is replayed",
     kMembership,
     {kNot, kNot, 4, kNot}},
    {"member update may promote a learner", kMembership, {kNot, 31, 12, kNot}},
    {"no member can be added while one is down", kMembership, {kNot, 30, 11, kNot}},
    {"a learner that has not started may be promoted", kMembership, {24, 7, kNot, kNot}},
    {"--force-new-cluster leaves members or learners behind", kMembership, {kNot, 25, 6, kNot}},
    {"alarms of corruption may be false", kCorrectness, {28, 10, kNot, kNot}},
});

std::optional<std::size_t> branch_of(const Release& release) {
  if (release.major != 3 || release.minor < 4 || release.minor > 7) return std::nullopt;
  return static_cast<std::size_t>(release.minor - 4);
}

bool read_number(const char*& at, const char* end, int& out) {
  const auto [stop, error] = std::from_chars(at, end, out);
  if (error != std::errc{} || stop == at) return false;
  at = stop;
  return true;
}

Finding finding_of(std::string_view version, const Release& release,
                   const std::vector<const KnownFault*>& faults, const std::string& members) {
  const bool grave = faults.front()->grave;
  const auto security = std::ranges::count(faults, kSecurity, &KnownFault::kind);
  const auto safe = safe_patch(release);
  Finding finding{.subject = fmt::format("etcd {}", version),
                  .severity = grave ? Severity::kWarning : Severity::kInfo,
                  .value = static_cast<double>(faults.size())};
  finding.summary = fmt::format(
      "etcd {} has {} known fault{}{}; {}", version, faults.size(), faults.size() > 1 ? "s" : "",
      security > 0 ? fmt::format(", {} of security", security) : "",
      safe ? fmt::format("{}.{}.{} has none of them", release.major, release.minor, *safe)
           : fmt::format("no release of {}.{} is without", release.major, release.minor));
  finding.detail = fmt::format("on {}: ", members);
  for (std::size_t i = 0; i < faults.size(); ++i)
    finding.detail += fmt::format("{}{}", i == 0 ? "" : "; ", faults[i]->text);
  return finding;
}

}  // namespace

std::optional<Release> parse_release(std::string_view version) {
  Release out;
  const char* at = version.data();
  const char* const end = at + version.size();
  for (int* part : {&out.major, &out.minor, &out.patch}) {
    if (part != &out.major) {
      if (at == end || *at != '.') return std::nullopt;
      ++at;
    }
    if (!read_number(at, end, *part)) return std::nullopt;
  }
  return out;
}

std::vector<const KnownFault*> faults_of(const Release& release) {
  std::vector<const KnownFault*> out;
  const auto branch = branch_of(release);
  if (!branch) return out;
  for (const auto& fault : kFaults) {
    if (release.patch < fault.fixed[*branch]) out.push_back(&fault);
  }
  return out;
}

std::optional<int> safe_patch(const Release& release) {
  const auto branch = branch_of(release);
  if (!branch) return std::nullopt;
  int patch = 0;
  for (const auto& fault : kFaults) patch = std::max(patch, fault.fixed[*branch]);
  return patch == kNever ? std::nullopt : std::optional(patch);
}

void known_bad_version(const RuleInput& input, std::vector<Finding>& findings) {
  std::map<std::string_view, std::string> users;
  for (const auto& facts : input.seen.members) {
    if (!facts.status || facts.entry.id.none()) continue;
    auto& names = users[facts.status->version];
    names += (names.empty() ? "" : ", ") + subject_of(facts);
  }
  for (const auto& [version, names] : users) {
    const auto release = parse_release(version);
    if (!release) continue;
    const auto faults = faults_of(*release);
    if (!faults.empty()) findings.push_back(finding_of(version, *release, faults, names));
  }
}

}  // namespace etcdmon::alert
