#include <chrono>

#include "api/rest/common.hpp"
#include "api/rest/pages.hpp"

namespace etcdmon::api::rest {

namespace {

using model::ClusterView;
using model::MemberAssessment;
using model::MemberFacts;

void write_texts(JsonWriter& json, std::string_view name, const std::vector<std::string>& texts) {
  json.key(name).begin_array();
  for (const auto& text : texts) json.value(text);
  json.end_array();
}

std::string_view role_of(const MemberFacts& facts, const MemberAssessment& judged) {
  if (facts.entry.id.none()) return "unknown";
  if (!facts.entry.started()) return "unstarted";
  if (facts.entry.learner) return "learner";
  return judged.leader ? "leader" : "follower";
}

void write_outcome(JsonWriter& json, std::string_view name, const Now& at,
                   const std::optional<model::ProbeOutcome>& outcome) {
  json.key(name);
  if (!outcome) {
    json.null();
    return;
  }
  json.begin_object();
  json.member("ok", outcome->ok());
  write_time(json, "at", at, outcome->finished);
  json.member("rtt_ms", milliseconds(outcome->rtt()));
  json.member_or_null("error", outcome->error ? outcome->error->message : std::string());
  json.end_object();
}

std::string_view name_of(model::LinkFacts::State state) {
  switch (state) {
    case model::LinkFacts::State::kNever:
      return "never";
    case model::LinkFacts::State::kConnecting:
      return "connecting";
    case model::LinkFacts::State::kUp:
      return "up";
    case model::LinkFacts::State::kDown:
      return "down";
  }
  return "never";
}

// What a person asks first: the newest thing that went wrong and was not made good since.
std::string last_error(const MemberFacts& facts) {
  if (facts.pulse && facts.pulse->error) return facts.pulse->error->message;
  if (facts.link.state != model::LinkFacts::State::kUp && facts.link.last_error) {
    return facts.link.last_error->message;
  }
  for (const auto* read : {&facts.linearizable_read, &facts.serializable_read}) {
    if (*read && (*read)->error) return (*read)->error->message;
  }
  if (facts.scrape && facts.scrape->error) return facts.scrape->error->message;
  return {};
}

void write_status(JsonWriter& json, const MemberFacts& facts) {
  const auto& status = facts.status;
  const auto number = [&](std::string_view name, auto member) {
    json.key(name);
    status ? json.value((*status).*member) : json.null();
  };
  using Sample = model::StatusSample;
  json.member_or_null("version", status ? status->version : std::string());
  number("storage_version", &Sample::storage_version);
  number("db_size", &Sample::db_size);
  number("db_size_in_use", &Sample::db_size_in_use);
  std::optional<std::uint64_t> quota;
  if (status) quota = status->db_size_quota;
  if (!quota && facts.metrics) quota = facts.metrics->quota;
  json.member("db_quota", quota);
  number("raft_term", &Sample::raft_term);
  number("raft_index", &Sample::raft_index);
  number("raft_applied_index", &Sample::raft_applied_index);
  number("revision", &Sample::revision);
  std::optional<double> rtt;
  if (status) rtt = milliseconds(status->rtt());
  json.member("rtt_ms", rtt);
  write_texts(json, "errors", status ? status->errors : std::vector<std::string>());
}

void write_link(JsonWriter& json, const Now& at, const model::LinkFacts& link) {
  json.key("link").begin_object();
  json.member("state", name_of(link.state));
  write_time(json, "since", at, link.since);
  json.member("connects", link.connects);
  json.member("failures", link.failures);
  json.member_or_null("last_error", link.last_error ? link.last_error->message : std::string());
  json.end_object();
}

void write_certificates(JsonWriter& json, const Now& at, const MemberFacts& facts) {
  json.key("certificates").begin_array();
  for (const auto& certificate : facts.certificates) {
    const std::chrono::duration<double, std::ratio<86'400>> left = certificate.not_after - at.wall;
    json.begin_object();
    json.member("where", certificate.where);
    json.member("subject", certificate.subject);
    json.member("issuer", certificate.issuer);
    write_time(json, "not_before", certificate.not_before);
    write_time(json, "not_after", certificate.not_after);
    json.member("days_left", left.count());
    json.end_object();
  }
  json.end_array();
}

void write_identity(JsonWriter& json, const MemberFacts& facts, const MemberAssessment& judged) {
  write_id(json, "id", facts.entry.id);
  json.member("name", display_name(facts));
  json.member("role", role_of(facts, judged));
  json.member("voter", judged.voter);
  json.member("endpoint", facts.endpoint);
  write_texts(json, "client_urls", facts.entry.client_urls);
  write_texts(json, "peer_urls", facts.entry.peer_urls);
  json.member("fallback", facts.fallback);
  json.member_or_null("fallback_reason", facts.fallback_why);
  write_id(json, "answered_by", facts.answered_by);
}

void write_judgement(JsonWriter& json, const Now& at, const MemberAssessment& judged) {
  json.member("reach", name_of(judged.reach));
  json.member_or_null("cause", judged.cause == Cause::kNone ? "" : name_of(judged.cause));
  json.member_or_null("reason", judged.reason);
  write_time(json, "since", at, judged.since);
  json.member("since_seconds", seconds_since(at, judged.since));
  json.member("healthy", judged.healthy);
  json.member("lag", judged.lag);
  json.member("restarts_15m", judged.restarts_15m);
}

void write_metrics_source(JsonWriter& json, const Now& at, const MemberFacts& facts) {
  std::optional<bool> ok;
  if (facts.scrape) ok = facts.scrape->ok();
  json.member_or_null("metrics_url", facts.metrics_url);
  json.member("metrics_ok", ok);
  json.member("metrics_age_seconds",
              facts.metrics ? seconds_since(at, facts.metrics->at) : std::nullopt);
  json.member_or_null("metrics_error", facts.scrape && facts.scrape->error
                                           ? facts.scrape->error->message
                                           : std::string());
}

void write_member(JsonWriter& json, const Now& at, const MemberFacts& facts,
                  const MemberAssessment& judged) {
  json.begin_object();
  write_identity(json, facts, judged);
  write_judgement(json, at, judged);
  write_status(json, facts);
  write_outcome(json, "last_pulse", at, facts.pulse);
  json.member("missed", facts.missed);
  write_link(json, at, facts.link);
  json.key("reads").begin_object();
  write_outcome(json, "linearizable", at, facts.linearizable_read);
  write_outcome(json, "serializable", at, facts.serializable_read);
  json.end_object();
  write_outcome(json, "write_probe", at, facts.write_probe);
  write_metrics_source(json, at, facts);
  write_certificates(json, at, facts);
  json.member_or_null("last_error", last_error(facts));
  json.end_object();
}

}  // namespace

std::string members_page(const ClusterView& view) {
  static const MemberAssessment kNotJudged;
  const auto& members = view.observation.members;
  const auto& judged = view.assessment.members;
  JsonWriter json;
  json.begin_object();
  write_heading(json, view);
  json.member("member_count", members.size());
  json.key("members").begin_array();
  for (std::size_t i = 0; i < members.size(); ++i) {
    write_member(json, view.observation.at, members[i], i < judged.size() ? judged[i] : kNotJudged);
  }
  json.end_array().end_object();
  return json.take();
}

}  // namespace etcdmon::api::rest
