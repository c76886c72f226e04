// notify/email/email.hpp: alerts as mail, by SMTP.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/secret.hpp"
#include "net/mailer.hpp"
#include "notify/channel.hpp"
#include "notify/common_options.hpp"

namespace etcdmon::notify {

enum class EmailTls : std::uint8_t { kAuto, kStartTls, kImplicit, kNone };
enum class EmailAuth : std::uint8_t { kAuto, kPlain, kLogin };

struct EmailOptions : CommonOptions {
  std::string smtp_server;
  std::uint16_t smtp_port = 587;
  EmailTls tls = EmailTls::kAuto;
  std::string ca_file;
  bool insecure_skip_verify = false;
  EmailAuth auth = EmailAuth::kAuto;
  std::string username;
  Secret password;
  std::string hello;
  std::string from;
  std::vector<std::string> to;

  EmailOptions() { timeout = std::chrono::seconds(30); }
  static const config::Schema& schema();
  std::vector<config::Complaint> check() const;
};

std::unique_ptr<Channel> make_email(const EmailOptions& options, const Services& services);

/// The whole message, RFC 5322 with MIME: text and HTML, and headers by which mail programs put one
/// group's messages into one thread.
std::string mail_message(const EmailOptions& options, const model::Notification& notification,
                         std::string_view external_url, WallTime now);

/// 4xx and what is wrong with the login are tried again, other 5xx never: the server will say the
/// same next time.
Outcome judge_mail(const net::MailReply& reply);

}  // namespace etcdmon::notify
