#include "notify/channel.hpp"

#include <algorithm>
#include <utility>

namespace etcdmon::notify {

Task<Outcome> Channel::refresh(std::vector<model::NotifiedAlert> /*firing*/,
                               Deadline /*deadline*/) {
  co_return Outcome{};
}

Outcome judge_plainly(const net::HttpReply& reply, WallTime now) {
  return judge_reply(reply, now);
}

namespace {

void hide(std::string& text, std::string_view secret) {
  constexpr std::size_t kLeast = 4;  // shorter ones would tear holes into words
  if (secret.size() < kLeast) return;
  for (auto at = text.find(secret); at != std::string::npos; at = text.find(secret, at))
    text.replace(at, secret.size(), "<secret>");
}

// The pieces of a longer text that look like keys rather than like words.
void hide_pieces(std::string& text, std::string_view from, std::string_view separators) {
  constexpr std::size_t kSurely = 16;
  constexpr std::size_t kWithDigits = 6;
  while (!from.empty()) {
    const auto piece = from.substr(0, from.find_first_of(separators));
    const bool digits = piece.find_first_of("0123456789") != std::string_view::npos;
    if (piece.size() >= kSurely || (digits && piece.size() >= kWithDigits)) hide(text, piece);
    from.remove_prefix(std::min(from.size(), piece.size() + 1));
  }
}

}  // namespace

void hide_secrets(std::string& text, const net::HttpRequest& request,
                  const std::vector<Secret>& secrets) {
  for (const auto& secret : secrets) hide(text, secret.reveal());
  hide(text, request.password.reveal());
  for (const auto& [name, value] : request.headers) {
    if (name != "Content-Type") hide_pieces(text, value.reveal(), " ");
  }
  const std::string_view url = request.url.reveal();
  const auto scheme = url.find("://");
  if (scheme == std::string_view::npos) return;
  const auto path = url.find('/', scheme + 3);
  if (path != std::string_view::npos) hide_pieces(text, url.substr(path + 1), "/?&=#");
}

Task<Outcome> HttpChannel::send(model::Notification notification, Deadline deadline) {
  const auto requests = service_.requests(notification, services_.clock.now().wall);
  Outcome outcome;
  for (const auto& request : requests) {
    auto reply = co_await services_.http.send(request, deadline);
    if (reply) hide_secrets(reply->body, request, service_.secrets);
    outcome =
        reply ? service_.judge(*reply, services_.clock.now().wall) : judge_error(reply.error());
    hide_secrets(outcome.why, request, service_.secrets);
    if (!outcome.delivered()) break;
  }
  co_return outcome;
}

}  // namespace etcdmon::notify
