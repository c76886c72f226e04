// net/mailer.hpp: mail that goes out by SMTP.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "async/task.hpp"
#include "base/clock.hpp"
#include "base/result.hpp"
#include "base/secret.hpp"
#include "net/outbound.hpp"
#include "net/tls.hpp"

namespace etcdmon::net {

enum class SmtpSecurity : std::uint8_t {
  kStartTls,  ///< required: a server that does not offer it is an error
  kImplicit,  ///< TLS from the first byte
  kNone,
};

struct Mail {
  std::string server;
  std::uint16_t port = 587;
  SmtpSecurity security = SmtpSecurity::kStartTls;
  TlsOptions tls{};
  std::string user{};  ///< empty: no login
  Secret password{};
  std::string auth{};   ///< "PLAIN", "LOGIN"; empty: the best that the server offers
  std::string hello{};  ///< name in EHLO; empty: this host's
  std::string from{};
  std::vector<std::string> to{};
  std::string message{};  ///< header and body, with CRLF
};

struct MailReply {
  int code = 0;     ///< the server's last reply; 0: there was none
  bool ok = false;  ///< at least one receiver's mail was taken
  Error error{};    ///< unless ok
};

/// Threads:  the loop only. Cancel: ends at once; the mail may have been taken.
class Mailer {
 public:
  explicit Mailer(Outbound& outbound) : outbound_(outbound) {}

  /// A receiver that the server refuses does not keep the others from their mail.
  Task<MailReply> send(Mail mail, Deadline deadline);

 private:
  Outbound& outbound_;
};

}  // namespace etcdmon::net
