#include "net/mailer.hpp"

#include <memory>
#include <utility>

#include <fmt/format.h>

#include "net/detail/curl_thread.hpp"

namespace etcdmon::net {

namespace {

// Runs on the curl thread; what it points into is held by the closure.
void prepare(const Mail& mail, detail::Transfer& transfer, CURL* handle) {
  const bool implicit = mail.security == SmtpSecurity::kImplicit;
  const auto host =
      mail.server.find(':') == std::string::npos ? mail.server : fmt::format("[{}]", mail.server);
  const auto url =
      fmt::format("{}://{}:{}/{}", implicit ? "smtps" : "smtp", host, mail.port, mail.hello);
  detail::set_option(handle, CURLOPT_URL, url.c_str());
  detail::set_option(handle, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
  if (mail.security != SmtpSecurity::kNone)
    detail::set_option(handle, CURLOPT_USE_SSL, static_cast<long>(CURLUSESSL_ALL));
  if (!mail.tls.ca_file.empty())
    detail::set_option(handle, CURLOPT_CAINFO, mail.tls.ca_file.c_str());
  if (mail.tls.insecure_skip_verify) {
    detail::set_option(handle, CURLOPT_SSL_VERIFYPEER, 0L);
    detail::set_option(handle, CURLOPT_SSL_VERIFYHOST, 0L);
  }
  if (!mail.user.empty()) {
    detail::set_option(handle, CURLOPT_USERNAME, mail.user.c_str());
    detail::set_option(handle, CURLOPT_PASSWORD, mail.password.reveal().c_str());
    const auto wanted = mail.auth.empty() ? std::string() : fmt::format("AUTH={}", mail.auth);
    if (!wanted.empty()) detail::set_option(handle, CURLOPT_LOGIN_OPTIONS, wanted.c_str());
  }
  detail::set_option(handle, CURLOPT_MAIL_FROM, fmt::format("<{}>", mail.from).c_str());
  for (const auto& receiver : mail.to) {
    transfer.recipients =
        detail::curl().slist_append(transfer.recipients, fmt::format("<{}>", receiver).c_str());
  }
  detail::set_option(handle, CURLOPT_MAIL_RCPT, transfer.recipients);
  detail::set_option(handle, CURLOPT_MAIL_RCPT_ALLLOWFAILS, 1L);
  detail::set_option(handle, CURLOPT_UPLOAD, 1L);
  detail::set_option(handle, CURLOPT_INFILESIZE_LARGE,
                     static_cast<curl_off_t>(transfer.sent.size()));
}

}  // namespace

Task<MailReply> Mailer::send(Mail mail, Deadline deadline) {
  const auto doing = fmt::format("mail by {}:{}", mail.server, mail.port);
  const auto transfer = std::make_shared<detail::Transfer>();
  transfer->deadline = deadline;
  transfer->sent = std::move(mail.message);
  transfer->prepare = [held = std::make_shared<const Mail>(std::move(mail))](
                          detail::Transfer& self, CURL* handle) { prepare(*held, self, handle); };
  co_await outbound_.thread().run(transfer);
  MailReply reply{.code = static_cast<int>(transfer->status), .ok = transfer->code == CURLE_OK};
  if (!reply.ok) {
    reply.error = detail::curl_error(*transfer, doing);
    if (reply.code >= 400) reply.error.message += fmt::format(" (the server said {})", reply.code);
  }
  co_return reply;
}

}  // namespace etcdmon::net
