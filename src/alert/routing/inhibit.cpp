#include "alert/routing/inhibit.hpp"

#include "base/assert.hpp"

namespace etcdmon::alert {

namespace {

std::string equal_key(const InhibitRule& rule, const Labels& labels) {
  std::string key;
  for (const auto& name : rule.equal) {
    if (const auto found = labels.find(name); found != labels.end()) key += found->second;
    key += '\xFF';  // never in UTF-8
  }
  return key;
}

InhibitRule built_in(const char* source, const char* target, std::vector<std::string> equal) {
  auto from = LabelMatcher::make("alertname", LabelMatcher::Op::kMatches, source);
  auto to = LabelMatcher::make("alertname", LabelMatcher::Op::kMatches, target);
  ETCDMON_ASSERT(from && to);
  return {{*std::move(from)}, {*std::move(to)}, std::move(equal)};
}

}  // namespace

std::vector<InhibitRule> default_inhibit_rules() {
  return {
      built_in("QuorumLost|etcdInsufficientMembers",
               "NoLeader|etcdNoLeader|MemberUnreachable|MemberHung|etcdMembersDown|AvailableNodes|"
               "QuorumAtRisk|ReadFailing|HighLatency|LeaderChanges|"
               "etcdHighNumberOf(LeaderChanges|FailedGRPCRequests|FailedProposals)",
               {"cluster"}),
      built_in("BackendBusy|DefragInProgress",
               "HighLatency|MemberHung|ReadFailing|etcdGRPCRequestsSlow|etcdHighCommitDurations|"
               "CommitSlow|ApplyLag",
               {"cluster", "subject"}),
      built_in("MonitorIsolated|MonitorStalled",
               "Member(Unreachable|Hung)|AvailableNodes|MetricsUnavailable|EndpointUnusable|"
               "etcdMembersDown|HighLatency",
               {"cluster"}),
  };
}

bool Inhibitor::fires(const std::string& alert_id, const Labels& labels) {
  bool news = false;
  for (std::size_t i = 0; i < rules_.size(); ++i) {
    if (!all_match(rules_[i].source, labels)) continue;
    news = sources_[i][equal_key(rules_[i], labels)].insert(alert_id).second || news;
  }
  return news;
}

bool Inhibitor::ends(const std::string& alert_id, const Labels& labels) {
  bool news = false;
  for (std::size_t i = 0; i < rules_.size(); ++i) {
    const auto found = sources_[i].find(equal_key(rules_[i], labels));
    if (found == sources_[i].end() || found->second.erase(alert_id) == 0) continue;
    if (found->second.empty()) sources_[i].erase(found);
    news = true;
  }
  return news;
}

std::optional<std::string> Inhibitor::inhibited_by(const Labels& labels) const {
  for (std::size_t i = 0; i < rules_.size(); ++i) {
    if (sources_[i].empty() || !all_match(rules_[i].target, labels)) continue;
    const auto found = sources_[i].find(equal_key(rules_[i], labels));
    if (found == sources_[i].end() || all_match(rules_[i].source, labels)) continue;
    return *found->second.begin();
  }
  return std::nullopt;
}

}  // namespace etcdmon::alert
