#include <algorithm>

#include "api/rest/common.hpp"
#include "api/rest/pages.hpp"

namespace etcdmon::api::rest {

namespace {

using model::ClusterView;
using model::ClusterViewPtr;

void write_cluster(JsonWriter& json, const std::string& name, const ClusterView& view) {
  const auto& judged = view.assessment;
  json.begin_object();
  json.member("name", name);
  json.member("state", state_of(view));
  json.member("healthy", judged.healthy.value_or(false));
  write_id(json, "cluster_id", view.observation.membership.cluster_id.value_or(ClusterId{}));
  json.member("member_count", view.observation.members.size());
  json.member("available", judged.quorum.available);
  json.member("quorum_size", judged.quorum.quorum_size);
  json.member("has_quorum", judged.quorum.has_quorum);
  write_id(json, "leader_id", judged.leader.leader.value_or(MemberId{}));
  json.member_or_null("leader", judged.leader.name);
  const auto [oldest, newest] = version_range(view.observation);
  json.member_or_null("version_min", oldest).member_or_null("version_max", newest);
  json.member("verdicts", judged.verdicts.size());
  json.member("alerts_firing",
              std::ranges::count(view.alerts, model::AlertState::kFiring, &model::Alert::state));
  json.member_or_null("worst",
                      judged.verdicts.empty() ? std::string() : judged.verdicts.front().summary);
  write_time(json, "timestamp", view.observation.at.wall);
  json.end_object();
}

}  // namespace

std::string clusters_page(std::span<const std::string> names,
                          std::span<const ClusterViewPtr> views) {
  static const ClusterView kNoneYet;
  JsonWriter json;
  json.begin_object().key("clusters").begin_array();
  for (std::size_t i = 0; i < names.size(); ++i) {
    write_cluster(json, names[i], views[i] ? *views[i] : kNoneYet);
  }
  json.end_array().end_object();
  return json.take();
}

bool is_ready(const ClusterViewPtr& view) {
  return view && view->assessment.healthy.has_value();
}

std::string health_page(const MonitorFacts& monitor, bool ready, std::span<const std::string> names,
                        std::span<const ClusterViewPtr> views) {
  static const ClusterView kNoneYet;
  JsonWriter json;
  json.begin_object();
  json.member("status", "ok");
  json.member("ready", ready);
  json.member("version", monitor.version);
  json.member_or_null("build", monitor.build);
  write_time(json, "started_at", monitor.started_at);
  json.member("uptime_seconds", seconds(monitor.uptime));
  json.key("clusters").begin_array();
  for (std::size_t i = 0; i < names.size(); ++i) {
    json.begin_object();
    json.member("name", names[i]);
    json.member("ready", is_ready(views[i]));
    json.member("state", state_of(views[i] ? *views[i] : kNoneYet));
    json.end_object();
  }
  json.end_array().end_object();
  return json.take();
}

}  // namespace etcdmon::api::rest
