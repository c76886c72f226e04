#include "notify/alertmanager/alertmanager.hpp"

#include <map>
#include <utility>

#include <fmt/format.h>

#include "async/when_all.hpp"
#include "notify/detail/json.hpp"
#include "notify/text.hpp"

namespace etcdmon::notify {

namespace {

using namespace std::chrono_literals;
using config::Complaint;
using config::Fault;
using config::field;
using config::Schema;
using detail::Json;
using model::NotifiedAlert;

constexpr std::chrono::minutes kResolvedFor{5};
// A firing alert outlives some resends that got lost.
constexpr int kResendsMissed = 4;

Fault base_url_fault(const std::string& url) {
  return url.empty() ? Fault("must not be empty") : http_url_fault(Secret(url));
}

// Alertmanager refuses empty values of labels, and names other than these.
std::map<std::string, std::string> labels_of(const NotifiedAlert& alert) {
  auto labels = alert.labels;
  labels.try_emplace("alertname", alert.rule);
  labels.try_emplace("cluster", alert.cluster);
  labels.try_emplace("severity", model::name_of(alert.severity));
  std::erase_if(labels, [](const auto& label) { return label.second.empty(); });
  return labels;
}

Json encode(const NotifiedAlert& alert, std::string_view external_url, WallTime fires_until) {
  auto annotations = alert.annotations;
  annotations.try_emplace("summary", alert.summary);
  if (!alert.detail.empty()) annotations.try_emplace("description", alert.detail);
  if (const auto link = runbook_link(alert, external_url); !link.empty())
    annotations.try_emplace("runbook_url", link);
  Json out{
      {"labels", labels_of(alert)},
      {"annotations", annotations},
      {"startsAt", to_rfc3339(alert.starts_at)},
      {"endsAt", to_rfc3339(alert.resolved ? alert.ends_at.value_or(fires_until) : fires_until)}};
  if (external_url.find("://") != std::string_view::npos) out["generatorURL"] = external_url;
  return out;
}

class Alertmanager final : public Channel {
 public:
  Alertmanager(AlertmanagerOptions options, const Services& services)
      : options_(std::move(options)), services_(services) {}

  Task<Outcome> send(model::Notification notification, Deadline deadline) override {
    for (const auto& alert : notification.alerts) {
      if (alert.resolved)
        resolved_[alert.id] = {alert, services_.clock.now().steady + kResolvedFor};
      else
        resolved_.erase(alert.id);
    }
    auto alerts = notification.alerts;
    if (notification.why == model::Why::kTest) {
      for (auto& alert : alerts) alert.ends_at = services_.clock.now().wall + 1min;
      for (auto& alert : alerts) alert.resolved = true;
    }
    auto pushing = push(std::move(alerts), deadline);
    co_return co_await std::move(pushing);
  }

  std::chrono::milliseconds refresh_every() const override { return options_.resend_every; }
  Task<Outcome> refresh(std::vector<NotifiedAlert> firing, Deadline deadline) override {
    const auto now = services_.clock.now().steady;
    std::erase_if(resolved_, [now](const auto& entry) { return entry.second.until < now; });
    for (const auto& [id, entry] : resolved_) firing.push_back(entry.alert);
    if (firing.empty()) co_return Outcome{};
    auto pushing = push(std::move(firing), deadline);
    co_return co_await std::move(pushing);
  }

 private:
  struct Resolved {
    NotifiedAlert alert;
    SteadyTime until;
  };

  Task<Outcome> push(std::vector<NotifiedAlert> alerts, Deadline deadline) {
    const auto now = services_.clock.now().wall;
    const auto body = alertmanager_push_body(alerts, services_.external_url,
                                             now + kResendsMissed * options_.resend_every);
    std::vector<Task<Result<net::HttpReply>>> posts;
    for (const auto& url : options_.urls) {
      net::HttpRequest request{.url = Secret(url + "/api/v2/alerts")};
      request.headers.emplace_back("Content-Type", Secret("application/json"));
      request.body = body;
      request.user = options_.username;
      request.password = options_.password;
      posts.push_back(services_.http.send(std::move(request), deadline));
    }
    auto replies = co_await async::when_all(std::move(posts));
    Outcome worst;
    for (auto& reply : replies) {
      if (reply) hide_secrets(reply->body, {}, {options_.password});
      auto outcome = reply ? judge_reply(*reply, now) : judge_error(reply.error());
      if (outcome.delivered()) co_return outcome;
      if (worst.kind != Outcome::Kind::kRetry) worst = std::move(outcome);
    }
    co_return worst;
  }

  AlertmanagerOptions options_;
  Services services_;
  std::map<std::string, Resolved> resolved_;  ///< by alert id
};

}  // namespace

const Schema& AlertmanagerOptions::schema() {
  using T = AlertmanagerOptions;
  static const auto kSchema = channel_schema<T>(
      "Push alerts into an Alertmanager.",
      {field("urls", &T::urls, "Every instance of it, not a load balancer in front of them.")
           .rule(base_url_fault),
       field("username", &T::username, "User for Basic authentication. Empty: none."),
       field("password", &T::password, "Password of that user."),
       field("resend_every", &T::resend_every,
             "How often all that fires is sent again; four missed ones end an alert there.")
           .min(5s)
           .max(10min)});
  return kSchema;
}

std::vector<Complaint> AlertmanagerOptions::check() const {
  std::vector<Complaint> complaints;
  if (enabled) require(complaints, !urls.empty(), "urls");
  return complaints;
}

std::string alertmanager_push_body(const std::vector<NotifiedAlert>& alerts,
                                   std::string_view external_url, WallTime fires_until) {
  Json body = Json::array();
  for (const auto& alert : alerts) body.push_back(encode(alert, external_url, fires_until));
  return detail::text_of(body);
}

std::unique_ptr<Channel> make_alertmanager(const AlertmanagerOptions& options,
                                           const Services& services) {
  return std::make_unique<Alertmanager>(options, services);
}

}  // namespace etcdmon::notify
