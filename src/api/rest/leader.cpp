#include "api/rest/common.hpp"
#include "api/rest/pages.hpp"

namespace etcdmon::api::rest {

namespace {

using model::ClusterView;

void write_change(JsonWriter& json, const ClusterView& view, const model::LeaderChange& change) {
  json.begin_object();
  write_id(json, "from_id", change.from);
  json.member_or_null("from", name_in(view, change.from));
  write_id(json, "to_id", change.to);
  json.member_or_null("to", name_in(view, change.to));
  json.member("term", change.term);
  write_time(json, "at", change.at);
  json.member_or_null("reason", change.reason);
  json.end_object();
}

void write_row(JsonWriter& json, const model::PeerMatrix& peers, std::size_t from) {
  const auto size = peers.members.size();
  json.begin_object();
  write_id(json, "id", peers.members[from]);
  json.member("name", peers.names[from]);
  json.key("peers").begin_array();
  for (std::size_t to = 0; to < size; ++to) {
    const bool self = from == to;
    json.begin_object();
    write_id(json, "id", peers.members[to]);
    json.member("name", peers.names[to]);
    json.member("state", self ? "self" : name_of(peers.at(from, to)));
    json.member("rtt_ms", self ? std::nullopt : peers.rtt_ms[from * size + to]);
    json.end_object();
  }
  json.end_array().end_object();
}

}  // namespace

std::string leader_page(const ClusterView& view) {
  const auto& leader = view.assessment.leader;
  JsonWriter json;
  json.begin_object();
  write_id(json, "leader_id", leader.leader.value_or(MemberId{}));
  json.member_or_null("name", leader.name);
  json.member("has_leader", leader.leader.has_value());
  std::optional<std::uint64_t> term;
  if (leader.term > 0) term = leader.term;
  json.member("term", term);
  write_time(json, "since", leader.since);
  json.member("disputed", leader.disputed);
  json.member("split_brain", leader.split_brain);
  json.member("changes", leader.changes);
  json.member("changes_1h", leader.changes_1h);
  write_heading(json, view);
  json.key("history").begin_array();
  for (const auto& change : leader.history) write_change(json, view, change);
  json.end_array().end_object();
  return json.take();
}

std::string peers_page(const ClusterView& view) {
  const auto& peers = view.assessment.peers;
  JsonWriter json;
  json.begin_object();
  write_heading(json, view);
  json.member("member_count", peers.members.size());
  json.key("matrix").begin_array();
  for (std::size_t from = 0; from < peers.members.size(); ++from) write_row(json, peers, from);
  json.end_array().end_object();
  return json.take();
}

}  // namespace etcdmon::api::rest
