#include "notify/email/email.hpp"

#include <array>
#include <ctime>
#include <utility>

#include <fmt/format.h>

#include "base/base64.hpp"
#include "notify/text.hpp"

template <>
struct etcdmon::config::EnumNames<etcdmon::notify::EmailTls> {
  using Tls = etcdmon::notify::EmailTls;
  static constexpr std::array kNames{std::pair<std::string_view, Tls>{"auto", Tls::kAuto},
                                     std::pair<std::string_view, Tls>{"starttls", Tls::kStartTls},
                                     std::pair<std::string_view, Tls>{"implicit", Tls::kImplicit},
                                     std::pair<std::string_view, Tls>{"none", Tls::kNone}};
};

template <>
struct etcdmon::config::EnumNames<etcdmon::notify::EmailAuth> {
  using Auth = etcdmon::notify::EmailAuth;
  static constexpr std::array kNames{std::pair<std::string_view, Auth>{"auto", Auth::kAuto},
                                     std::pair<std::string_view, Auth>{"plain", Auth::kPlain},
                                     std::pair<std::string_view, Auth>{"login", Auth::kLogin}};
};

namespace etcdmon::notify {

namespace {

using config::Complaint;
using config::Fault;
using config::field;
using config::Schema;
using model::Notification;

constexpr std::uint16_t kImplicitPort = 465;

// An address goes into a command of SMTP and into a header: it must not be able to end either.
Fault address_fault(const std::string& address) {
  if (address.empty()) return std::nullopt;
  const auto at = address.find('@');
  const bool fine = at != std::string::npos && at > 0 && at + 1 < address.size() &&
                    address.find_first_of(" \t\r\n<>,;\"") == std::string::npos;
  if (fine) return std::nullopt;
  return fmt::format("\"{}\" is not an address; write it as user@example.com", address);
}

Fault receiver_fault(const std::string& address) {
  return address.empty() ? Fault("must not be empty") : address_fault(address);
}

Fault word_fault(const std::string& text) {
  return text.find_first_of(" \t\r\n/") == std::string::npos ? std::nullopt
                                                             : Fault("is no name of a host");
}

// In lines of 76, as MIME wants them.
std::string base64_lines(std::string_view text) {
  constexpr std::size_t kWidth = 76;
  const auto encoded = encode_base64(text, Base64::kPadded);
  std::string lines;
  for (std::size_t i = 0; i < encoded.size(); i += kWidth)
    lines += encoded.substr(i, kWidth) + "\r\n";
  return lines;
}

// A header's text: as it is where it is plain, else encoded words, each of whole characters.
std::string header_text(std::string_view text) {
  constexpr std::size_t kPiece = 42;
  const bool plain = std::ranges::all_of(text, [](char c) { return c >= 0x20 && c < 0x7F; }) &&
                     text.find("=?") == std::string_view::npos;
  if (plain) return std::string(text);
  std::string words;
  while (!text.empty()) {
    auto size = std::min(text.size(), kPiece);
    while (size < text.size() && size > 0 &&
           (static_cast<unsigned char>(text[size]) & 0xC0U) == 0x80U)
      --size;
    if (size == 0) size = std::min(text.size(), kPiece);
    words += fmt::format("{}=?UTF-8?B?{}?=", words.empty() ? "" : "\r\n ",
                         encode_base64(text.substr(0, size), Base64::kPadded));
    text.remove_prefix(size);
  }
  return words;
}

std::string date_text(WallTime now) {
  constexpr std::array kDays = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  constexpr std::array kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                  "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const std::time_t seconds =
      std::chrono::floor<std::chrono::seconds>(now).time_since_epoch().count();
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  return fmt::format("{}, {:02} {} {} {:02}:{:02}:{:02} +0000",
                     kDays.at(static_cast<std::size_t>(utc.tm_wday)), utc.tm_mday,
                     kMonths.at(static_cast<std::size_t>(utc.tm_mon)), utc.tm_year + 1900,
                     utc.tm_hour, utc.tm_min, utc.tm_sec);
}

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

std::string_view colour_of(const model::NotifiedAlert& alert) {
  if (alert.resolved) return "#2e7d32";
  switch (alert.severity) {
    case model::Severity::kInfo:
      return "#1565c0";
    case model::Severity::kWarning:
      return "#ef6c00";
    case model::Severity::kCritical:
      return "#c62828";
  }
  return "#c62828";
}

std::string html_text(const Notification& notification, std::string_view external_url) {
  auto html = fmt::format(
      "<!doctype html><html><body style=\"font-family:sans-serif\"><h2>{}</h2><p>Why now: {}</p>",
      escaped(title(notification)), escaped(why_now(notification)));
  for (const auto& alert : notification.alerts) {
    html += fmt::format(
        "<div style=\"border-left:4px solid {};padding-left:12px;margin:12px 0\">"
        "<b>{} {}</b><br>{}",
        colour_of(alert), escaped(shout(alert)), escaped(alert.rule), escaped(alert.summary));
    if (!alert.detail.empty()) html += fmt::format("<br><i>{}</i>", escaped(alert.detail));
    html += "<table>";
    for (const auto& [name, value] : facts(alert))
      html += fmt::format("<tr><td>{}</td><td>{}</td></tr>", escaped(name), escaped(value));
    html += "</table>";
    const auto link = runbook_link(alert, external_url);
    if (link.find("://") != std::string::npos)
      html += fmt::format("<a href=\"{}\">What to do</a>", escaped(link));
    else if (!link.empty())
      html += fmt::format("What to do: {}", escaped(link));
    html += "</div>";
  }
  return html + "</body></html>\n";
}

// Header ids hold a hash, not names of clusters, which may have any character.
std::string thread_id(const Notification& notification) {
  return fmt::format("<group-{}@etcd-monitor>", stable_hash(notification.group_key));
}

net::SmtpSecurity security_of(const EmailOptions& options) {
  switch (options.tls) {
    case EmailTls::kAuto:
      return options.smtp_port == kImplicitPort ? net::SmtpSecurity::kImplicit
                                                : net::SmtpSecurity::kStartTls;
    case EmailTls::kStartTls:
      return net::SmtpSecurity::kStartTls;
    case EmailTls::kImplicit:
      return net::SmtpSecurity::kImplicit;
    case EmailTls::kNone:
      return net::SmtpSecurity::kNone;
  }
  return net::SmtpSecurity::kStartTls;
}

class Email final : public Channel {
 public:
  Email(EmailOptions options, const Services& services)
      : options_(std::move(options)), services_(services) {}

  Task<Outcome> send(Notification notification, Deadline deadline) override {
    constexpr std::array kAuth = {"", "PLAIN", "LOGIN"};
    net::Mail mail{.server = options_.smtp_server,
                   .port = options_.smtp_port,
                   .security = security_of(options_),
                   .user = options_.username,
                   .password = options_.password,
                   .auth = kAuth.at(static_cast<std::size_t>(options_.auth)),
                   .hello = options_.hello,
                   .from = options_.from,
                   .to = options_.to};
    mail.tls.ca_file = options_.ca_file;
    mail.tls.insecure_skip_verify = options_.insecure_skip_verify;
    mail.message =
        mail_message(options_, notification, services_.external_url, services_.clock.now().wall);
    const auto reply = co_await services_.mail.send(std::move(mail), deadline);
    co_return judge_mail(reply);
  }

 private:
  EmailOptions options_;
  Services services_;
};

}  // namespace

const Schema& EmailOptions::schema() {
  using T = EmailOptions;
  static const auto kSchema = channel_schema<T>(
      "Send alerts as mail.",
      {field("smtp_server", &T::smtp_server, "Host of the mail server.").rule(word_fault),
       field("smtp_port", &T::smtp_port, "Its port.").min(1),
       field("tls", &T::tls,
             "auto: TLS from the start on port 465, else STARTTLS, which the server must offer. "
             "none sends everything in clear."),
       field(
           "ca_file", &T::ca_file,
           "Authorities that the server's certificate must come from (PEM). Empty: the system's."),
       field("insecure_skip_verify", &T::insecure_skip_verify,
             "Accept any certificate. Only for tests."),
       field("auth", &T::auth, "How to log in; auto takes the best that the server offers."),
       field("username", &T::username, "User to log in to the mail server as. Empty: no login."),
       field("password", &T::password, "Password of that user.").env_named("SMTP_PASSWORD"),
       field("hello", &T::hello, "Name that we give in EHLO. Empty: this host's.").rule(word_fault),
       field("from", &T::from, "Sender's address.").rule(address_fault),
       field("to", &T::to, "Receivers' addresses.").rule(receiver_fault)});
  return kSchema;
}

std::vector<Complaint> EmailOptions::check() const {
  std::vector<Complaint> complaints;
  if (username.empty() && !password.empty()) complaints.push_back({"password", "needs `username`"});
  if (!username.empty() && tls == EmailTls::kNone)
    complaints.push_back({"tls", "a password is not sent in clear: use starttls or implicit"});
  if (!enabled) return complaints;
  require(complaints, !smtp_server.empty(), "smtp_server");
  require(complaints, !from.empty(), "from");
  require(complaints, !to.empty(), "to");
  return complaints;
}

std::string mail_message(const EmailOptions& options, const Notification& notification,
                         std::string_view external_url, WallTime now) {
  const auto id = message_id(notification);
  const auto boundary = fmt::format("=_{}", id);
  const auto thread = thread_id(notification);
  std::string message;
  const auto header = [&](std::string_view name, std::string_view value) {
    message += fmt::format("{}: {}\r\n", name, value);
  };
  header("From", fmt::format("etcd-monitor <{}>", options.from));
  header("To", fmt::format("{}", fmt::join(options.to, ",\r\n ")));
  header("Subject", header_text(shortened(title(notification), 200)));
  header("Date", date_text(now));
  header("Message-ID", fmt::format("<{}@etcd-monitor>", id));
  header("In-Reply-To", thread);
  header("References", thread);
  header("Auto-Submitted", "auto-generated");
  header("X-Etcd-Monitor-Dedup-Key", notification.dedup_key);
  header("MIME-Version", "1.0");
  header("Content-Type", fmt::format("multipart/alternative; boundary=\"{}\"", boundary));
  message += "\r\n";
  const auto part = [&](std::string_view type, std::string_view text) {
    message += fmt::format(
        "--{}\r\nContent-Type: {}; charset=UTF-8\r\nContent-Transfer-Encoding: base64\r\n\r\n{}",
        boundary, type, base64_lines(text));
  };
  part("text/plain", plain_text(notification, external_url));
  part("text/html", html_text(notification, external_url));
  return message + fmt::format("--{}--\r\n", boundary);
}

Outcome judge_mail(const net::MailReply& reply) {
  if (reply.ok) return {.status = reply.code};
  constexpr std::array kLogin = {530, 534, 535, 538};
  const bool login = std::ranges::find(kLogin, reply.code) != kLogin.end() ||
                     reply.error.code == ErrorCode::kUnauthenticated;
  const bool refused = reply.code >= 500 && !login;
  return {.kind = refused ? Outcome::Kind::kRejected : Outcome::Kind::kRetry,
          .status = reply.code,
          .why = reply.error.message};
}

std::unique_ptr<Channel> make_email(const EmailOptions& options, const Services& services) {
  return std::make_unique<Email>(options, services);
}

}  // namespace etcdmon::notify
