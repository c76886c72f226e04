#include "api/prometheus.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

#include "api/exposition.hpp"
#include "api/rest/common.hpp"

namespace etcdmon::api {

namespace {

using metrics::Kind;
using model::ClusterView;
using Labelled = ClusterExposition::Labelled;
using Clusters = std::span<const Labelled>;

// One number a cluster.
struct ClusterRow {
  std::string_view name;
  std::string_view help;
  Kind kind;
  std::optional<double> (*read)(const ClusterView&);
};

// One number a member.
struct MemberRow {
  std::string_view name;
  std::string_view help;
  Kind kind;
  std::optional<double> (*read)(const ClusterView&, std::size_t member);
};

// Several samples, or labels of their own.
struct FreeRow {
  std::string_view name;
  std::string_view help;
  Kind kind;
  void (*write)(ExpositionWriter&, const Labelled&);
};

template <class T>
std::optional<double> number(T value) {
  return static_cast<double>(value);
}
template <class T>
std::optional<double> number(const std::optional<T>& value) {
  if (!value) return std::nullopt;
  return static_cast<double>(*value);
}
std::optional<double> from_ms(const std::optional<double>& value) {
  if (!value) return std::nullopt;
  return *value / 1000.0;
}

constexpr std::array kClusterRows = std::to_array<ClusterRow>({
    {"etcdmon_cluster_healthy", "1 if no check finds fault with the cluster, 0 if one does.",
     Kind::kGauge, [](const ClusterView& v) { return number(v.assessment.healthy); }},
    {"etcdmon_cluster_has_quorum", "1 if the cluster has quorum, 0 if it has lost it.",
     Kind::kGauge, [](const ClusterView& v) { return number(v.assessment.quorum.has_quorum); }},
    {"etcdmon_cluster_has_leader", "1 if there is an undisputed leader, 0 if not.", Kind::kGauge,
     [](const ClusterView& v) { return number(v.assessment.leader.leader.has_value()); }},
    {"etcdmon_cluster_leader_disputed", "1 if two members claim to lead.", Kind::kGauge,
     [](const ClusterView& v) { return number(v.assessment.leader.disputed); }},
    {"etcdmon_cluster_split_brain", "1 if two leaders were proven to serve at the same time.",
     Kind::kGauge, [](const ClusterView& v) { return number(v.assessment.leader.split_brain); }},
    {"etcdmon_cluster_partitioned", "1 if links between members are cut.", Kind::kGauge,
     [](const ClusterView& v) { return number(rest::is_cut(v.assessment.partition)); }},
    {"etcdmon_cluster_voters", "Members with a vote, unstarted ones too.", Kind::kGauge,
     [](const ClusterView& v) { return number(v.assessment.quorum.voters); }},
    {"etcdmon_cluster_learners", "Members without a vote.", Kind::kGauge,
     [](const ClusterView& v) { return number(v.assessment.quorum.learners); }},
    {"etcdmon_cluster_available_voters", "Voting members that are alive.", Kind::kGauge,
     [](const ClusterView& v) { return number(v.assessment.quorum.available); }},
    {"etcdmon_cluster_quorum_size", "Voting members that a decision needs.", Kind::kGauge,
     [](const ClusterView& v) { return number(v.assessment.quorum.quorum_size); }},
    {"etcdmon_cluster_failures_tolerated", "Voting members that may still be lost.", Kind::kGauge,
     [](const ClusterView& v) {
       const auto& quorum = v.assessment.quorum;
       return quorum.quorum_size > 0 ? number(quorum.failures_tolerated) : std::nullopt;
     }},
    {"etcdmon_cluster_leader_changes_total", "Changes of leader since this monitor started.",
     Kind::kCounter, [](const ClusterView& v) { return number(v.assessment.leader.changes); }},
    {"etcdmon_cluster_raft_term", "Raft term of the leader.", Kind::kGauge,
     [](const ClusterView& v) { return number(v.assessment.leader.term); }},
    {"etcdmon_cluster_requests_per_second", "Unary gRPC requests, all members.", Kind::kGauge,
     [](const ClusterView& v) { return v.metrics.request_rate; }},
    {"etcdmon_cluster_error_ratio", "Requests that failed on the server's side, 0 to 1.",
     Kind::kGauge, [](const ClusterView& v) { return v.metrics.error_ratio; }},
    {"etcdmon_cluster_read_latency_p50_seconds", "Median latency of reads.", Kind::kGauge,
     [](const ClusterView& v) { return from_ms(v.metrics.read_latency_p50_ms); }},
    {"etcdmon_cluster_read_latency_p95_seconds", "95th percentile of the latency of reads.",
     Kind::kGauge, [](const ClusterView& v) { return from_ms(v.metrics.read_latency_p95_ms); }},
    {"etcdmon_cluster_read_latency_p99_seconds", "99th percentile of the latency of reads.",
     Kind::kGauge, [](const ClusterView& v) { return from_ms(v.metrics.read_latency_p99_ms); }},
    {"etcdmon_cluster_write_latency_p50_seconds", "Median latency of writes.", Kind::kGauge,
     [](const ClusterView& v) { return from_ms(v.metrics.write_latency_p50_ms); }},
    {"etcdmon_cluster_write_latency_p95_seconds", "95th percentile of the latency of writes.",
     Kind::kGauge, [](const ClusterView& v) { return from_ms(v.metrics.write_latency_p95_ms); }},
    {"etcdmon_cluster_write_latency_p99_seconds", "99th percentile of the latency of writes.",
     Kind::kGauge, [](const ClusterView& v) { return from_ms(v.metrics.write_latency_p99_ms); }},
    {"etcdmon_cluster_db_size_bytes", "Database size of the largest member.", Kind::kGauge,
     [](const ClusterView& v) { return number(v.metrics.db_size); }},
    {"etcdmon_cluster_db_size_in_use_bytes", "Part of the largest database that is in use.",
     Kind::kGauge, [](const ClusterView& v) { return number(v.metrics.db_size_in_use); }},
    {"etcdmon_cluster_db_quota_bytes", "Database size at which etcd refuses writes.", Kind::kGauge,
     [](const ClusterView& v) { return number(v.metrics.db_quota); }},
    {"etcdmon_cluster_db_growth_bytes_per_second", "Growth of the largest database.", Kind::kGauge,
     [](const ClusterView& v) { return v.metrics.db_growth_rate; }},
    {"etcdmon_cluster_pulse_rounds_total", "Rounds in which all members were asked.",
     Kind::kCounter, [](const ClusterView& v) { return number(v.observation.pulse_rounds); }},
    {"etcdmon_cluster_pulse_rounds_voided_total",
     "Rounds that say nothing, since this monitor was held up or cut off.", Kind::kCounter,
     [](const ClusterView& v) { return number(v.observation.voided_rounds); }},
    {"etcdmon_cluster_missed_ticks_total", "Ticks that came while the one before still ran.",
     Kind::kCounter, [](const ClusterView& v) { return number(v.observation.missed_ticks); }},
    {"etcdmon_cluster_loop_lag_seconds", "How late the last round began.", Kind::kGauge,
     [](const ClusterView& v) { return std::optional(rest::seconds(v.observation.loop_lag)); }},
    {"etcdmon_cluster_view_timestamp_seconds", "When the cluster was last judged, unix time.",
     Kind::kGauge,
     [](const ClusterView&
            v) { return std::optional(rest::seconds(v.observation.at.wall.time_since_epoch())); }},
});

const model::MemberAssessment* judged(const ClusterView& view, std::size_t member) {
  const auto& members = view.assessment.members;
  return member < members.size() ? &members[member] : nullptr;
}

const model::MemberView* measured(const ClusterView& view, std::size_t member) {
  return member < view.members.size() ? &view.members[member] : nullptr;
}

constexpr std::array kMemberRows = std::to_array<MemberRow>({
    {"etcdmon_member_healthy", "1 if no check finds fault with the member, 0 if one does.",
     Kind::kGauge,
     [](const ClusterView& v, std::size_t i) {
       const auto* member = judged(v, i);
       return member != nullptr ? number(member->healthy) : std::nullopt;
     }},
    {"etcdmon_member_missed_pulses", "Pulses in a row without a good answer.", Kind::kGauge,
     [](const ClusterView& v, std::size_t i) { return number(v.observation.members[i].missed); }},
    {"etcdmon_member_pulse_rtt_seconds", "Round trip of the last good answer to Status.",
     Kind::kGauge,
     [](const ClusterView& v, std::size_t i) {
       const auto& status = v.observation.members[i].status;
       return status ? std::optional(rest::seconds(status->rtt())) : std::nullopt;
     }},
    {"etcdmon_member_lag_entries", "Entries that the member has applied less than the leader.",
     Kind::kGauge,
     [](const ClusterView& v, std::size_t i) {
       const auto* member = judged(v, i);
       return member != nullptr ? number(member->lag) : std::nullopt;
     }},
    {"etcdmon_member_restarts_15m", "Starts of the member's process in the last 15 minutes.",
     Kind::kGauge,
     [](const ClusterView& v, std::size_t i) {
       const auto* member = judged(v, i);
       return member != nullptr ? number(member->restarts_15m) : std::nullopt;
     }},
    {"etcdmon_member_connects_total", "Connections made to the member.", Kind::kCounter,
     [](const ClusterView& v, std::size_t i) {
       return number(v.observation.members[i].link.connects);
     }},
    {"etcdmon_member_scrapes_total", "Attempts to fetch the member's metrics.", Kind::kCounter,
     [](const ClusterView& v, std::size_t i) {
       const auto* member = measured(v, i);
       return member != nullptr ? number(member->scrapes) : std::nullopt;
     }},
    {"etcdmon_member_scrape_failures_total", "Attempts to fetch the member's metrics that failed.",
     Kind::kCounter,
     [](const ClusterView& v, std::size_t i) {
       const auto* member = measured(v, i);
       return member != nullptr ? number(member->scrape_failures) : std::nullopt;
     }},
    {"etcdmon_member_malformed_lines_total", "Lines of the member's metrics that made no sense.",
     Kind::kCounter,
     [](const ClusterView& v, std::size_t i) {
       const auto* member = measured(v, i);
       return member != nullptr ? number(member->malformed_lines) : std::nullopt;
     }},
});

void write_member_info(ExpositionWriter& out, const Labelled& cluster) {
  const auto& members = cluster.view->observation.members;
  for (std::size_t i = 0; i < members.size(); ++i) {
    if (cluster.members[i].empty()) continue;
    std::string labels = cluster.members[i];
    append_label(labels, "endpoint", members[i].endpoint);
    append_label(labels, "version", members[i].status ? members[i].status->version : "");
    out.sample(labels, std::uint64_t{1});
  }
}

void write_reach(ExpositionWriter& out, const Labelled& cluster) {
  for (std::size_t i = 0; i < cluster.members.size(); ++i) {
    const auto* member = judged(*cluster.view, i);
    if (member == nullptr || cluster.members[i].empty()) continue;
    std::string labels = cluster.members[i];
    append_label(labels, "reach", name_of(member->reach));
    out.sample(labels, std::uint64_t{1});
  }
}

void write_verdicts(ExpositionWriter& out, const Labelled& cluster) {
  for (const auto& verdict : cluster.view->assessment.verdicts) {
    std::string labels = cluster.labels;
    append_label(labels, "check", name_of(verdict.check));
    append_label(labels, "severity", name_of(verdict.severity));
    append_label(labels, "subject", verdict.subject);
    out.sample(labels, std::uint64_t{1});
  }
}

void write_alarms(ExpositionWriter& out, const Labelled& cluster) {
  const auto alarms = rest::known_alarms(cluster.view->observation);
  if (!alarms) return;
  for (const auto& alarm : *alarms) {
    std::string labels = cluster.labels;
    append_label(labels, "member_id", to_hex(alarm.member));
    append_label(labels, "member", rest::name_in(*cluster.view, alarm.member));
    append_label(labels, "type", rest::name_of(alarm.type));
    out.sample(labels, std::uint64_t{1});
  }
}

void write_alerts(ExpositionWriter& out, const Labelled& cluster) {
  for (const auto state : {model::AlertState::kPending, model::AlertState::kFiring}) {
    std::string labels = cluster.labels;
    append_label(labels, "state", name_of(state));
    const auto count = std::ranges::count(cluster.view->alerts, state, &model::Alert::state);
    out.sample(labels, static_cast<std::uint64_t>(count));
  }
}

void write_partition(ExpositionWriter& out, const Labelled& cluster) {
  std::string labels = cluster.labels;
  append_label(labels, "kind", name_of(cluster.view->assessment.partition.kind));
  out.sample(labels, std::uint64_t{1});
}

template <class Write>
void each_link(const Labelled& cluster, const Write& write) {
  const auto& peers = cluster.view->assessment.peers;
  const auto size = peers.members.size();
  for (std::size_t from = 0; from < size; ++from) {
    for (std::size_t to = 0; to < size; ++to) {
      if (from == to) continue;
      std::string labels = cluster.labels;
      append_label(labels, "from_id", to_hex(peers.members[from]));
      append_label(labels, "from", peers.names[from]);
      append_label(labels, "to_id", to_hex(peers.members[to]));
      append_label(labels, "to", peers.names[to]);
      write(labels, from, to);
    }
  }
}

void write_links(ExpositionWriter& out, const Labelled& cluster) {
  const auto& peers = cluster.view->assessment.peers;
  each_link(cluster, [&](std::string& labels, std::size_t from, std::size_t to) {
    append_label(labels, "state", name_of(peers.at(from, to)));
    out.sample(labels, std::uint64_t{1});
  });
}

void write_link_rtts(ExpositionWriter& out, const Labelled& cluster) {
  const auto& peers = cluster.view->assessment.peers;
  each_link(cluster, [&](std::string& labels, std::size_t from, std::size_t to) {
    const auto rtt = peers.rtt_ms[from * peers.members.size() + to];
    if (rtt) out.sample(labels, *rtt / 1000.0);
  });
}

void write_certificates(ExpositionWriter& out, const Labelled& cluster) {
  const auto& members = cluster.view->observation.members;
  for (std::size_t i = 0; i < members.size(); ++i) {
    if (cluster.members[i].empty()) continue;
    for (const auto& certificate : members[i].certificates) {
      std::string labels = cluster.members[i];
      append_label(labels, "where", certificate.where);
      append_label(labels, "subject", certificate.subject);
      out.sample(labels, rest::seconds(certificate.not_after.time_since_epoch()));
    }
  }
}

constexpr std::array kFreeRows = std::to_array<FreeRow>({
    {"etcdmon_verdict", "1 for everything that is wrong now.", Kind::kGauge, write_verdicts},
    {"etcdmon_cluster_alarm", "1 for every alarm that etcd has raised.", Kind::kGauge,
     write_alarms},
    {"etcdmon_cluster_partition", "1 for the kind of partition that there is; none is one.",
     Kind::kGauge, write_partition},
    {"etcdmon_alerts", "Alerts by state.", Kind::kGauge, write_alerts},
    {"etcdmon_member_info", "1 for every member, with what it is.", Kind::kGauge,
     write_member_info},
    {"etcdmon_member_reach", "1 for how the member answers now.", Kind::kGauge, write_reach},
    {"etcdmon_member_certificate_expiry_timestamp_seconds",
     "When a certificate met at the member ends, unix time.", Kind::kGauge, write_certificates},
    {"etcdmon_peer_link", "1 for the state of the link between two members.", Kind::kGauge,
     write_links},
    {"etcdmon_peer_link_rtt_seconds", "Mean round trip between two members.", Kind::kGauge,
     write_link_rtts},
});

constexpr std::string_view kMemberPrefix = "etcdmon_member_";

Kind kind_of(std::string_view name) {
  return name.ends_with("_total") ? Kind::kCounter : Kind::kGauge;
}

void append_metric(std::string& out, const model::MetricDoc& doc, Clusters clusters) {
  const std::string name = std::string(kMemberPrefix) + std::string(doc.name);
  ExpositionWriter writer(out);
  writer.family(name, doc.help, kind_of(doc.name));
  for (const auto& cluster : clusters) {
    for (std::size_t i = 0; i < cluster.members.size(); ++i) {
      const auto* member = measured(*cluster.view, i);
      if (member == nullptr || cluster.members[i].empty()) continue;
      const auto value = member->values.get(doc.metric);
      if (value) writer.sample(cluster.members[i], *value);
    }
  }
}

std::string member_labels(const std::string& cluster, const model::MemberFacts& facts) {
  std::string labels = cluster;
  append_label(labels, "member_id", facts.entry.id.none() ? "" : to_hex(facts.entry.id));
  append_label(labels, "member", rest::display_name(facts));
  return labels;
}

}  // namespace

ClusterExposition::ClusterExposition(std::vector<model::ClusterViewPtr> views) {
  for (auto& view : views) {
    if (!view) continue;
    Labelled cluster;
    append_label(cluster.labels, "cluster", view->cluster);
    for (const auto& facts : view->observation.members) {
      auto labels = member_labels(cluster.labels, facts);
      // Two endpoints that nobody has answered at may look the same; a series may stand once.
      const bool known = std::ranges::find(cluster.members, labels) != cluster.members.end();
      cluster.members.push_back(known ? std::string() : std::move(labels));
    }
    cluster.view = std::move(view);
    clusters_.push_back(std::move(cluster));
  }
}

std::size_t ClusterExposition::families() const {
  return kClusterRows.size() + kFreeRows.size() + kMemberRows.size() + model::kMetricCount;
}

void ClusterExposition::append(std::string& out, std::size_t family) const {
  ExpositionWriter writer(out);
  if (family < kClusterRows.size()) {
    const auto& row = kClusterRows[family];
    writer.family(row.name, row.help, row.kind);
    for (const auto& cluster : clusters_) {
      if (const auto value = row.read(*cluster.view)) writer.sample(cluster.labels, *value);
    }
    return;
  }
  family -= kClusterRows.size();
  if (family < kFreeRows.size()) {
    const auto& row = kFreeRows[family];
    writer.family(row.name, row.help, row.kind);
    for (const auto& cluster : clusters_) row.write(writer, cluster);
    return;
  }
  family -= kFreeRows.size();
  if (family < kMemberRows.size()) {
    const auto& row = kMemberRows[family];
    writer.family(row.name, row.help, row.kind);
    for (const auto& cluster : clusters_) {
      for (std::size_t i = 0; i < cluster.members.size(); ++i) {
        if (cluster.members[i].empty()) continue;
        if (const auto value = row.read(*cluster.view, i)) {
          writer.sample(cluster.members[i], *value);
        }
      }
    }
    return;
  }
  append_metric(out, model::metric_docs()[family - kMemberRows.size()], clusters_);
}

void append_build(std::string& out, std::string_view version, std::string_view build,
                  double uptime_seconds) {
  ExpositionWriter writer(out);
  std::string labels;
  append_label(labels, "version", version);
  append_label(labels, "build", build);
  writer.family("etcdmon_build_info", "1, with the version of this monitor.", Kind::kGauge);
  writer.sample(labels, std::uint64_t{1});
  writer.family("etcdmon_uptime_seconds", "How long this monitor has been running.", Kind::kGauge);
  writer.sample({}, uptime_seconds);
}

void append_http_counts(std::string& out, const net::HttpServerCounts& counts) {
  ExpositionWriter writer(out);
  writer.family("etcdmon_http_responses_total", "Answers of the API, by the status' first digit.",
                Kind::kCounter);
  for (std::size_t digit = 1; digit < counts.responses.size(); ++digit) {
    std::string labels;
    append_label(labels, "code", std::to_string(digit) + "xx");
    writer.sample(labels, counts.responses[digit]);
  }
  const auto single = [&](std::string_view name, std::string_view help, Kind kind,
                          std::uint64_t value) {
    writer.family(name, help, kind);
    writer.sample({}, value);
  };
  single("etcdmon_http_connections_total", "Connections accepted by the API.", Kind::kCounter,
         counts.connections);
  single("etcdmon_http_connections_open", "Connections of the API that are open.", Kind::kGauge,
         counts.connections_open);
  single("etcdmon_http_connections_refused_total", "Connections turned away: too many were open.",
         Kind::kCounter, counts.connections_refused);
  single("etcdmon_http_accept_failures_total", "Connections that could not be accepted.",
         Kind::kCounter, counts.accept_failures);
  single("etcdmon_http_timeouts_total", "Requests ended because they took too long.",
         Kind::kCounter, counts.timeouts);
  single("etcdmon_http_sent_bytes_total", "Bytes sent by the API.", Kind::kCounter,
         counts.bytes_sent);
}

}  // namespace etcdmon::api
