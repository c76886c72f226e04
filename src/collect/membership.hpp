// collect/membership.hpp: which members to watch, and where: pure.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/ids.hpp"
#include "model/member.hpp"

namespace etcdmon::collect {

/// A configured endpoint and the member that answered there, once one did.
struct KnownEndpoint {
  std::string url;
  std::optional<MemberId> member;
};

/// One thing to watch: a member with the URLs where it may answer (best first), or an endpoint that
/// nobody has answered at yet (`entry.id` none).
struct WatchTarget {
  model::MemberEntry entry;
  std::vector<std::string> urls;
  bool configured = false;  ///< urls.front() is an endpoint that was configured
};

/// Members in the list are asked where they answered among the configured endpoints, else at the
/// client URLs they advertise. An endpoint that never answered is kept as a target of its own,
/// unless a member advertises the very same address. Unstarted members have no URL.
std::vector<WatchTarget> plan_targets(const std::vector<model::MemberEntry>& members,
                                      const std::vector<KnownEndpoint>& endpoints);

/// Same host and port, whatever the scheme.
bool same_authority(const std::string& a, const std::string& b);
/// The same, and the same scheme where `endpoint` names one.
bool stands_for(const std::string& endpoint, const std::string& advertised);

}  // namespace etcdmon::collect
