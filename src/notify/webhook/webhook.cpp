#include "notify/webhook/webhook.hpp"

#include <array>
#include <utility>

#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "base/base64.hpp"
#include "notify/detail/json.hpp"
#include "notify/text.hpp"

template <>
struct etcdmon::config::EnumNames<etcdmon::notify::WebhookFormat> {
  using Format = etcdmon::notify::WebhookFormat;
  static constexpr std::array kNames{
      std::pair<std::string_view, Format>{"etcd-monitor", Format::kEtcdMonitor},
      std::pair<std::string_view, Format>{"alertmanager", Format::kAlertmanager}};
};

namespace etcdmon::notify {

namespace {

using config::Complaint;
using config::Fault;
using config::field;
using config::Schema;
using detail::Json;
using detail::text_of;
using model::Notification;
using model::NotifiedAlert;

constexpr std::string_view kSecretPrefix = "whsec_";

Json or_null(const std::optional<double>& number) {
  return number ? Json(*number) : Json(nullptr);
}

Json encode(const NotifiedAlert& alert, std::string_view external_url) {
  return Json{{"id", alert.id},
              {"status", alert.resolved ? "resolved" : "firing"},
              {"severity", model::name_of(alert.severity)},
              {"cluster", alert.cluster},
              {"rule", alert.rule},
              {"subject", alert.subject},
              {"summary", alert.summary},
              {"detail", alert.detail},
              {"value", or_null(alert.value)},
              {"threshold", or_null(alert.threshold)},
              {"labels", alert.labels},
              {"annotations", alert.annotations},
              {"runbook", runbook_link(alert, external_url)},
              {"starts_at", to_rfc3339(alert.starts_at)},
              {"ends_at", alert.ends_at ? Json(to_rfc3339(*alert.ends_at)) : Json(nullptr)}};
}

// What every one of the maps has with the same value.
using Labels = std::map<std::string, std::string>;
void keep_common(Labels& common, const Labels& labels) {
  std::erase_if(common, [&](const auto& entry) {
    const auto it = labels.find(entry.first);
    return it == labels.end() || it->second != entry.second;
  });
}

Labels annotations_of(const NotifiedAlert& alert, std::string_view external_url) {
  auto annotations = alert.annotations;
  annotations.emplace("summary", alert.summary);
  if (!alert.detail.empty()) annotations.emplace("description", alert.detail);
  if (!alert.runbook.empty()) annotations.emplace("runbook_url", runbook_link(alert, external_url));
  return annotations;
}

std::string key_of(const Secret& secret) {
  std::string_view text = secret.reveal();
  if (text.starts_with(kSecretPrefix)) text.remove_prefix(kSecretPrefix.size());
  return decode_base64(text, Base64::kPadded).value_or("");
}

Fault signing_fault(const Secret& secret) {
  constexpr std::size_t kLeast = 24;
  constexpr std::size_t kMost = 64;
  if (secret.empty()) return std::nullopt;
  const auto size = key_of(secret).size();
  if (size >= kLeast && size <= kMost) return std::nullopt;
  return fmt::format("must be whsec_ and the base64 of {} to {} random bytes", kLeast, kMost);
}

// A line "Name: value"; the answer does not carry it.
Fault header_fault(const Secret& header) {
  constexpr std::string_view kAllowed =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";
  const std::string_view line = header.reveal();
  const auto name = line.substr(0, line.find(':'));
  const bool fine = !name.empty() && name.size() < line.size() &&
                    name.find_first_not_of(kAllowed) == std::string_view::npos &&
                    line.find_first_of("\r\n") == std::string_view::npos;
  return fine ? std::nullopt : Fault("is no header; write \"Name: value\"");
}

std::pair<std::string, Secret> split_header(const Secret& header) {
  const std::string_view line = header.reveal();
  const auto colon = line.find(':');
  auto value = line.substr(colon + 1);
  while (value.starts_with(' ')) value.remove_prefix(1);
  return {std::string(line.substr(0, colon)), Secret(std::string(value))};
}

void sign(net::HttpRequest& request, const WebhookOptions& options, const std::string& id,
          WallTime now) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(now).time_since_epoch().count();
  request.headers.emplace_back("webhook-id", Secret(id));
  request.headers.emplace_back("webhook-timestamp", Secret(fmt::format("{}", seconds)));
  std::string signatures;
  for (const auto* secret : {&options.signing_secret, &options.previous_signing_secret}) {
    if (secret->empty()) continue;
    const auto signature = webhook_signature(*secret, id, seconds, request.body);
    if (signature) signatures += (signatures.empty() ? "" : " ") + *signature;
  }
  if (!signatures.empty()) request.headers.emplace_back("webhook-signature", Secret(signatures));
}

}  // namespace

const Schema& WebhookTlsOptions::schema() {
  using T = WebhookTlsOptions;
  static const auto kSchema = Schema::of<T>(
      "Alerts",
      {field(
           "ca_file", &T::ca_file,
           "Authorities that the server's certificate must come from (PEM). Empty: the system's."),
       field("cert_file", &T::cert_file, "Client certificate (PEM)."),
       field("key_file", &T::key_file, "Key of the client certificate (PEM)."),
       field("insecure_skip_verify", &T::insecure_skip_verify,
             "Accept any certificate. Only for tests.")});
  return kSchema;
}

net::TlsOptions WebhookTlsOptions::to_tls() const {
  return {.ca_file = ca_file,
          .cert_file = cert_file,
          .key_file = key_file,
          .insecure_skip_verify = insecure_skip_verify};
}

const Schema& WebhookOptions::schema() {
  using T = WebhookOptions;
  static const auto kSchema = channel_schema<T>(
      "Post alerts as JSON.",
      {field("url", &T::url, "Where to post them.").rule(http_url_fault).env_named("WEBHOOK_URL"),
       field("format", &T::format,
             "Our own body, or that of Alertmanager's webhook (version 4), for receivers made for "
             "that."),
       field("headers", &T::headers, "Headers to add, as \"Name: value\".").rule(header_fault),
       field("username", &T::username, "User for Basic authentication. Empty: none."),
       field("password", &T::password, "Password of that user."),
       field("signing_secret", &T::signing_secret,
             "Signs each request as Standard Webhooks says: whsec_ and base64.")
           .rule(signing_fault),
       field("previous_signing_secret", &T::previous_signing_secret,
             "Signs too, so that receivers can change from one secret to the next.")
           .rule(signing_fault),
       field("tls", &T::tls, "How an https:// receiver is verified.")});
  return kSchema;
}

std::vector<Complaint> WebhookOptions::check() const {
  std::vector<Complaint> complaints;
  if (enabled) require(complaints, !url.empty(), "url");
  if (signing_secret.empty() && !previous_signing_secret.empty())
    complaints.push_back({"previous_signing_secret", "needs `signing_secret`"});
  return complaints;
}

std::string webhook_body(const Notification& notification, std::string_view external_url) {
  Json alerts = Json::array();
  for (const auto& alert : notification.alerts) alerts.push_back(encode(alert, external_url));
  return text_of(Json{{"version", "1"},
                      {"id", message_id(notification)},
                      {"channel", notification.channel},
                      {"title", title(notification)},
                      {"status", name_of(notification.status)},
                      {"severity", model::name_of(severity_of(notification))},
                      {"why", name_of(notification.why)},
                      {"reason", notification.reason},
                      {"dedup_key", notification.dedup_key},
                      {"group_key", notification.group_key},
                      {"group_labels", notification.group_labels},
                      {"created_at", to_rfc3339(notification.created_at)},
                      {"external_url", external_url},
                      {"alerts", std::move(alerts)}});
}

std::string alertmanager_body(const Notification& notification, std::string_view external_url) {
  Json alerts = Json::array();
  std::optional<Labels> common_labels;
  std::optional<Labels> common_annotations;
  for (const auto& alert : notification.alerts) {
    const auto annotations = annotations_of(alert, external_url);
    if (!common_labels) common_labels = alert.labels;
    if (!common_annotations) common_annotations = annotations;
    keep_common(*common_labels, alert.labels);
    keep_common(*common_annotations, annotations);
    alerts.push_back(
        Json{{"status", alert.resolved ? "resolved" : "firing"},
             {"labels", alert.labels},
             {"annotations", annotations},
             {"startsAt", to_rfc3339(alert.starts_at)},
             {"endsAt", alert.ends_at ? to_rfc3339(*alert.ends_at) : "0001-01-01T00:00:00Z"},
             {"generatorURL", external_url},
             {"fingerprint", alert.id}});
  }
  const bool over = notification.status == model::NotificationStatus::kResolved;
  return text_of(Json{{"version", "4"},
                      {"groupKey", notification.group_key},
                      {"truncatedAlerts", 0},
                      {"status", over ? "resolved" : "firing"},
                      {"receiver", notification.channel},
                      {"groupLabels", notification.group_labels},
                      {"commonLabels", common_labels.value_or(Labels{})},
                      {"commonAnnotations", common_annotations.value_or(Labels{})},
                      {"externalURL", external_url},
                      {"notification_reason", name_of(notification.why)},
                      {"alerts", std::move(alerts)}});
}

Result<std::string> webhook_signature(const Secret& secret, std::string_view id,
                                      std::int64_t timestamp, std::string_view body) {
  const auto key = key_of(secret);
  if (key.empty())
    return Error{ErrorCode::kInvalidArgument, "the signing secret is no base64", Cause::kLocal};
  const auto content = fmt::format("{}.{}.{}", id, timestamp, body);
  std::string digest(EVP_MAX_MD_SIZE, '\0');
  unsigned int length = 0;
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
       reinterpret_cast<const unsigned char*>(content.data()), content.size(),
       reinterpret_cast<unsigned char*>(digest.data()), &length);
  digest.resize(length);
  return fmt::format("v1,{}", encode_base64(digest, Base64::kPadded));
}

std::unique_ptr<Channel> make_webhook(const WebhookOptions& options, const Services& services) {
  HttpChannel::Service service;
  service.parallel = 4;
  service.judge = &judge_plainly;
  service.secrets = {options.signing_secret, options.previous_signing_secret};
  service.requests = [options, url = services.external_url](const Notification& notification,
                                                            WallTime now) {
    net::HttpRequest request{.url = options.url};
    request.body = options.format == WebhookFormat::kAlertmanager
                       ? alertmanager_body(notification, url)
                       : webhook_body(notification, url);
    request.headers.emplace_back("Content-Type", Secret("application/json"));
    for (const auto& header : options.headers) request.headers.push_back(split_header(header));
    request.user = options.username;
    request.password = options.password;
    request.tls = options.tls.to_tls();
    sign(request, options, message_id(notification), now);
    return std::vector{std::move(request)};
  };
  return std::make_unique<HttpChannel>(services, std::move(service));
}

}  // namespace etcdmon::notify
