// Who answers where: strangers, load balancers, twins, addresses that lead nowhere, members that
// never started.
#include <algorithm>

#include <fmt/format.h>

#include "collect/judge/parts.hpp"
#include "collect/membership.hpp"

namespace etcdmon::collect {

using model::Check;
using model::EndpointFacts;
using model::Reach;
using model::Severity;

namespace {

// An added member takes a moment to be started.
constexpr std::chrono::minutes kTimeToStart{5};

void report_member(const Sight& sight, std::size_t i, Findings& findings) {
  const auto& subject = sight.look.subjects[i];
  const auto& facts = *subject.facts;
  const auto& reach = sight.members[i].reach;
  const MemberId id = facts.entry.id;
  if (!subject.listed) return;
  if (reach.reach == Reach::kMisAddressed) {
    const auto& cluster = sight.look.seen.membership.cluster_id;
    const bool foreign =
        cluster && !facts.answered_cluster.none() && facts.answered_cluster != *cluster;
    // Another cluster has a verdict of its own.
    if (!foreign) {
      findings.add(
          {Check::kMisAddressed, Severity::kWarning, id, subject.label,
           fmt::format("{} answers where {} should be ({})", sight.look.label_of(facts.answered_by),
                       subject.label, facts.endpoint),
           fmt::format(
               "a load balancer, or an advertised client URL such as localhost; nothing is known "
               "of {} itself",
               subject.label),
           reach.since});
    }
  }
  if (facts.fallback) {
    findings.add({Check::kAdvertisedUnreachable,
                  Severity::kInfo,
                  id,
                  subject.label,
                  fmt::format("{} is asked at {}: its advertised client URL cannot be reached",
                              subject.label, facts.endpoint),
                  facts.fallback_why,
                  {}});
  }
  if (reach.reach == Reach::kUnstarted) {
    const bool overdue = sight.look.now - reach.since >= kTimeToStart;
    const bool costs = subject.voter && (overdue || sight.quorum.failures_tolerated == 0);
    const auto url = facts.entry.peer_urls.empty() ? std::string() : facts.entry.peer_urls.front();
    findings.add(
        {Check::kMemberUnstarted, costs ? Severity::kWarning : Severity::kInfo, id, subject.label,
         fmt::format("member {} has never started", subject.label),
         subject.voter
             ? fmt::format("expected at {}; as a voter it counts for quorum like one that is "
                           "down: {} more may be lost",
                           url, sight.quorum.failures_tolerated)
             : fmt::format("expected at {}", url),
         reach.since});
  }
}

bool in_list(const Sight& sight, MemberId id) {
  const auto& list = sight.look.seen.membership.members;
  return list.empty() || std::ranges::find(list, id, &model::MemberEntry::id) != list.end();
}

// An address where several present members answer. One that has answered as a member which was
// replaced since is not meant.
void report_balancer(const Sight& sight, const EndpointFacts& endpoint, Findings& findings) {
  std::vector<std::string> names;
  for (const auto id : endpoint.answered) {
    if (in_list(sight, id)) names.push_back(sight.look.label_of(id));
  }
  if (names.size() < 2) return;
  findings.add({Check::kLoadBalancer,
                Severity::kInfo,
                {},
                endpoint.url,
                fmt::format("{} leads to {}: a load balancer", endpoint.url, join_names(names)),
                "members are judged at their own client URLs, never at this endpoint",
                {}});
}

void report_twins(const Sight& sight, Findings& findings) {
  const auto& endpoints = sight.look.seen.endpoints;
  for (std::size_t a = 0; a < endpoints.size(); ++a) {
    if (endpoints[a].answered.size() != 1) continue;
    const MemberId id = endpoints[a].answered.front();
    const auto is_twin = [&](const EndpointFacts& other) {
      return other.answered == endpoints[a].answered;
    };
    const auto first = std::ranges::find_if(endpoints, is_twin);
    if (&*first == &endpoints[a] || endpoints[a].url == first->url) continue;
    findings.add({Check::kDuplicateEndpoint,
                  Severity::kInfo,
                  id,
                  endpoints[a].url,
                  fmt::format("{} and {} are the same member, {}", first->url, endpoints[a].url,
                              sight.look.label_of(id)),
                  "one of them is enough",
                  {}});
  }
}

// A member that is known says for itself how it is reached.
bool belongs_to_member(const Sight& sight, const std::string& url) {
  return std::ranges::any_of(sight.look.subjects, [&](const Subject& subject) {
    const auto is_here = [&](const std::string& other) { return stands_for(url, other); };
    return subject.identified && (is_here(subject.facts->endpoint) ||
                                  std::ranges::any_of(subject.facts->entry.client_urls, is_here));
  });
}

std::string_view what_is_there(Cause cause) {
  switch (cause) {
    case Cause::kRefused:
      return "nothing listens there";
    case Cause::kProtocol:
      return "what answers there is not etcd";
    case Cause::kTls:
      return "TLS fails";
    case Cause::kDns:
      return "its name does not resolve";
    case Cause::kTimeout:
    case Cause::kUnreachable:
      return "it cannot be reached";
    default:
      return "it does not answer as etcd";
  }
}

void report_unusable(const Sight& sight, const std::string& url, const Error& error,
                     Findings& findings) {
  const bool nobody = std::ranges::none_of(sight.look.subjects, &Subject::identified);
  findings.add({Check::kEndpointUnusable,
                nobody ? Severity::kCritical : Severity::kWarning,
                {},
                url,
                fmt::format("endpoint {} cannot be used: {}", url, what_is_there(error.cause)),
                error.message,
                {}});
}

void report_endpoints(const Sight& sight, Findings& findings) {
  const auto& endpoints = sight.look.seen.endpoints;
  for (const auto& endpoint : endpoints) {
    report_balancer(sight, endpoint, findings);
    if (!endpoint.tried || !endpoint.last_error || !endpoint.answered.empty()) continue;
    if (endpoint.last_error->code == ErrorCode::kCancelled ||
        belongs_to_member(sight, endpoint.url))
      continue;
    report_unusable(sight, endpoint.url, *endpoint.last_error, findings);
  }
  // Endpoints that were found, not configured: discovered by DNS, or left over.
  for (std::size_t i = 0; i < sight.members.size(); ++i) {
    const auto& subject = sight.look.subjects[i];
    const auto& reach = sight.members[i].reach;
    const auto& url = subject.facts->endpoint;
    if (subject.identified || reach.reach != Reach::kUnreachable) continue;
    const bool configured = std::ranges::any_of(endpoints, [&](const EndpointFacts& endpoint) {
      return same_authority(endpoint.url, url);
    });
    if (configured) continue;
    report_unusable(sight, url, Error{ErrorCode::kUnavailable, reach.reason, reach.cause},
                    findings);
  }
}

}  // namespace

void report_addressing(const Sight& sight, Findings& findings) {
  for (std::size_t i = 0; i < sight.members.size(); ++i) report_member(sight, i, findings);
  report_endpoints(sight, findings);
  report_twins(sight, findings);
}

}  // namespace etcdmon::collect
