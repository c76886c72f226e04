#include "api/rules.hpp"

#include <array>
#include <chrono>

#include "alert/user_rule.hpp"
#include "api/json_writer.hpp"
#include "api/rest/common.hpp"
#include "api/which_cluster.hpp"

namespace etcdmon::api {

namespace {

using alert::RuleStatus;
using net::Request;
using net::Response;

constexpr std::array kSeverities{model::Severity::kInfo, model::Severity::kWarning,
                                 model::Severity::kCritical};

std::string_view name_of(alert::Unit unit) {
  switch (unit) {
    case alert::Unit::kNone:
      return {};
    case alert::Unit::kSeconds:
      return "seconds";
    case alert::Unit::kPercent:
      return "percent";
    case alert::Unit::kPerSecond:
      return "per_second";
  }
  return {};
}

std::string_view state_of(const RuleStatus& status) {
  if (!status.rule->tuning.enabled) return "off";
  if (status.firing != 0) return "firing";
  return status.pending != 0 ? "pending" : "inactive";
}

void write_seconds(JsonWriter& out, std::string_view name, std::chrono::seconds span) {
  out.member(name, static_cast<std::int64_t>(span.count()));
}

// The mildest limit of a built-in rule: what its value comes near first.
std::optional<double> threshold_of(const RuleStatus& status) {
  if (status.threshold) return status.threshold;
  for (const auto& limit : status.rule->tuning.limits) {
    if (limit && status.rule->rule->measures()) return limit;
  }
  return std::nullopt;
}

void write_rule(JsonWriter& out, const std::string& cluster, const RuleStatus& status) {
  const auto& [rule, tuning, user, tag] = *status.rule;
  out.begin_object().member("cluster", cluster).member("name", rule->name);
  out.member("kind", user ? "own" : "built_in").member("state", state_of(status));
  if (user) {
    out.member_or_null("origin", user->text().origin).member("expr", user->text().expr);
    out.member("severity", model::name_of(user->severity()));
  } else {
    out.member("help", rule->help);
  }
  const auto usual = static_cast<std::size_t>(model::Severity::kWarning);
  write_seconds(out, "for_seconds", tuning.wait[usual]);
  write_seconds(out, "keep_firing_for_seconds", tuning.keep);
  out.member("value", status.value).member("threshold", threshold_of(status));
  if (rule->measures()) {
    out.key("limits").begin_object();
    for (const auto severity : kSeverities)
      out.member(model::name_of(severity), tuning.limits[static_cast<std::size_t>(severity)]);
    out.end_object();
  }
  out.member_or_null("unit", name_of(rule->unit)).member_or_null("subject", status.subject);
  out.member("pending", std::uint64_t{status.pending});
  out.member("firing", std::uint64_t{status.firing});
  out.member("has_data", status.has_data).key("missing").begin_array();
  for (const auto& metric : status.unfed) out.value(metric);
  out.end_array().member_or_null("fault", status.fault).end_object();
}

}  // namespace

void Rules::add_to(Router& router) {
  router.add({"GET", "/api/v1/rules", Access::clusters(auth::Action::kRead),
              "every rule: its last value, its threshold, its data"},
             [this](const Request& request, const PathParameters&, const Caller& caller) {
               return answered(answer(request, caller));
             });
}

Response Rules::answer(const Request& request, const Caller& caller) const {
  auto clusters = caller.visible(views_.clusters());
  if (request.parameter("cluster")) {
    std::string name;
    if (auto refusal = choose_cluster(request, views_, caller, name)) return *std::move(refusal);
    clusters = {name};
  }
  JsonWriter out;
  out.begin_object().key("rules").begin_array();
  for (const auto& cluster : clusters) {
    for (const auto& status : rules_.rules(cluster)) write_rule(out, cluster, status);
  }
  out.end_array().end_object();
  Response response;
  response.body = out.take();
  return response;
}

}  // namespace etcdmon::api
