// notify/webhook/webhook.hpp: alerts as JSON to any HTTP receiver.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/secret.hpp"
#include "net/tls.hpp"
#include "notify/channel.hpp"
#include "notify/common_options.hpp"

namespace etcdmon::notify {

struct WebhookTlsOptions {
  std::string ca_file;
  std::string cert_file;
  std::string key_file;
  bool insecure_skip_verify = false;

  static const config::Schema& schema();
  net::TlsOptions to_tls() const;
};

enum class WebhookFormat : std::uint8_t { kEtcdMonitor, kAlertmanager };

struct WebhookOptions : CommonOptions {
  Secret url;
  WebhookFormat format = WebhookFormat::kEtcdMonitor;
  std::vector<Secret> headers;  ///< "Name: value"
  std::string username;
  Secret password;
  Secret signing_secret;
  Secret previous_signing_secret;
  WebhookTlsOptions tls;

  static const config::Schema& schema();
  std::vector<config::Complaint> check() const;
};

std::unique_ptr<Channel> make_webhook(const WebhookOptions& options, const Services& services);

/// Our own body, as docs/channels.md describes it.
std::string webhook_body(const model::Notification& notification, std::string_view external_url);
/// Alertmanager's webhook payload, version 4.
std::string alertmanager_body(const model::Notification& notification,
                              std::string_view external_url);

/// Standard Webhooks: the value of webhook-signature for one secret ("whsec_" + base64).
/// Errors: kInvalidArgument, when the secret is none.
Result<std::string> webhook_signature(const Secret& secret, std::string_view id,
                                      std::int64_t timestamp, std::string_view body);

}  // namespace etcdmon::notify
