#include "model/verdict.hpp"

#include <array>

namespace etcdmon::model {

namespace {

// In the order of the enumeration.
constexpr std::array kChecks = {
    std::string_view{"MemberUnreachable"},
    std::string_view{"MemberHung"},
    std::string_view{"BackendBusy"},
    std::string_view{"Defragmenting"},
    std::string_view{"NotAuthorised"},
    std::string_view{"MisAddressed"},
    std::string_view{"LoadBalancer"},
    std::string_view{"DuplicateEndpoint"},
    std::string_view{"EndpointUnusable"},
    std::string_view{"AdvertisedUnreachable"},
    std::string_view{"MetricsUnavailable"},
    std::string_view{"QuorumLost"},
    std::string_view{"NoLeader"},
    std::string_view{"LeaderDisputed"},
    std::string_view{"SplitBrain"},
    std::string_view{"Partition"},
    std::string_view{"AlarmNospace"},
    std::string_view{"AlarmCorrupt"},
    std::string_view{"VersionSkew"},
    std::string_view{"ClusterIdMismatch"},
    std::string_view{"MemberListDisagreement"},
    std::string_view{"LeaderViewDisagreement"},
    std::string_view{"RevisionDivergence"},
    std::string_view{"DataDivergence"},
    std::string_view{"MemberRestarted"},
    std::string_view{"CrashLoop"},
    std::string_view{"LearnerLagging"},
    std::string_view{"MemberUnstarted"},
    std::string_view{"ReadFailing"},
    std::string_view{"MonitorStalled"},
    std::string_view{"MonitorIsolated"},
    std::string_view{"CertificateExpiry"},
};
static_assert(kChecks.size() == static_cast<std::size_t>(Check::kCertificateExpiry) + 1);

}  // namespace

std::string_view name_of(Severity severity) {
  switch (severity) {
    case Severity::kInfo:
      return "info";
    case Severity::kWarning:
      return "warning";
    case Severity::kCritical:
      return "critical";
  }
  return "warning";
}

std::string_view name_of(Check check) {
  return kChecks[static_cast<std::size_t>(check)];
}

std::optional<Check> parse_check(std::string_view name) {
  for (std::size_t i = 0; i < kChecks.size(); ++i) {
    if (kChecks[i] == name) return static_cast<Check>(i);
  }
  return std::nullopt;
}

std::string_view name_of(Reach reach) {
  switch (reach) {
    case Reach::kUnknown:
      return "unknown";
    case Reach::kReachable:
      return "reachable";
    case Reach::kSuspect:
      return "suspect";
    case Reach::kUnreachable:
      return "unreachable";
    case Reach::kHung:
      return "hung";
    case Reach::kBackendBusy:
      return "backend_busy";
    case Reach::kDefragmenting:
      return "defragmenting";
    case Reach::kNotAuthorised:
      return "not_authorised";
    case Reach::kMisAddressed:
      return "mis_addressed";
    case Reach::kUnstarted:
      return "unstarted";
  }
  return "unknown";
}

std::string_view name_of(LinkState state) {
  switch (state) {
    case LinkState::kUnknown:
      return "unknown";
    case LinkState::kUp:
      return "up";
    case LinkState::kSuspect:
      return "suspect";
    case LinkState::kCut:
      return "cut";
  }
  return "unknown";
}

std::string_view name_of(PartitionKind kind) {
  switch (kind) {
    case PartitionKind::kNone:
      return "none";
    case PartitionKind::kUnreachableFromUs:
      return "unreachable_from_us";
    case PartitionKind::kIsolatedMember:
      return "isolated_member";
    case PartitionKind::kPairwise:
      return "pairwise";
    case PartitionKind::kOneWay:
      return "one_way";
    case PartitionKind::kSplit:
      return "split";
  }
  return "none";
}

bool is_alive(Reach reach) {
  switch (reach) {
    case Reach::kReachable:
    case Reach::kSuspect:
    case Reach::kBackendBusy:
    case Reach::kDefragmenting:
    case Reach::kNotAuthorised:
      return true;
    default:
      return false;
  }
}

}  // namespace etcdmon::model
