#include "api/dead_letters.hpp"

#include <charconv>
#include <utility>

#include <fmt/format.h>

#include "api/json_writer.hpp"
#include "api/rest/common.hpp"
#include "api/stranger.hpp"

namespace etcdmon::api {

namespace {

using net::Request;
using net::Response;

constexpr std::size_t kUsual = 100;
constexpr std::size_t kMost = 1'000;

Response said(std::string body) {
  Response response;
  response.status = 200;
  response.headers.push_back({"Cache-Control", "no-store"});
  response.body = std::move(body += '\n');
  return response;
}

Response failure(const Request& request, const Error& error) {
  const int status = error.code == ErrorCode::kNotFound          ? 404
                     : error.code == ErrorCode::kInvalidArgument ? 400
                                                                 : 503;
  return net::problem(status, net::reason_phrase(status), error.message, request.path);
}

Result<std::size_t> limit_of(const Request& request) {
  const auto text = request.parameter("limit");
  if (!text) return kUsual;
  std::size_t limit = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), limit);
  const bool fine = error == std::errc() && end == text->data() + text->size();
  if (fine && limit >= 1 && limit <= kMost) return limit;
  return Error{ErrorCode::kInvalidArgument,
               fmt::format("limit: write a number from 1 to {}", kMost)};
}

void write_letter(JsonWriter& out, const store::DeadLetter& letter) {
  const auto& notification = letter.notification;
  out.begin_object().member("id", letter.id).member("channel", notification.channel);
  out.member("why", letter.why).member("attempts", letter.attempts);
  rest::write_time(out, "died_at", letter.died_at);
  rest::write_time(out, "created_at", notification.created_at);
  out.member("message_id", message_id(notification)).member("dedup_key", notification.dedup_key);
  out.member("status", name_of(notification.status));
  out.member("severity", name_of(severity_of(notification)));
  out.key("alerts").begin_array();
  for (const auto& alert : notification.alerts) {
    out.begin_object().member("id", alert.id).member("cluster", alert.cluster);
    out.member("rule", alert.rule).member("subject", alert.subject);
    out.member("summary", alert.summary).end_object();
  }
  out.end_array().end_object();
}

}  // namespace

void DeadLetters::add_to(Router& router) {
  using auth::Action;
  router.add({"GET", "/api/v1/alerts/dead-letters", Access::monitor(Action::kRead),
              "notifications that were given up"},
             [this](const Request& r, const PathParameters&) { return list(r); });
  router.add({"POST", "/api/v1/alerts/dead-letters/{id}/retry", Access::monitor(Action::kAlert),
              "send it after all"},
             [this](const Request& r, const PathParameters& path, const Caller& caller) {
               return retry(r, caller, std::string(path["id"]));
             });
  router.add(
      {"DELETE", "/api/v1/alerts/dead-letters/{id}", Access::monitor(Action::kAlert), "forget it"},
      [this](const Request& r, const PathParameters& path, const Caller& caller) {
        return drop(r, caller, std::string(path["id"]));
      });
}

Task<Response> DeadLetters::list(const Request& request) {
  const auto limit = limit_of(request);
  if (!limit) co_return failure(request, limit.error());
  const auto letters = co_await desk_.dead_letters(*limit);
  if (!letters) co_return failure(request, letters.error());
  JsonWriter out;
  out.begin_object().key("dead_letters").begin_array();
  for (const auto& letter : *letters) write_letter(out, letter);
  out.end_array().end_object();
  co_return said(out.take());
}

Task<Response> DeadLetters::retry(const Request& request, const Caller& caller, std::string id) {
  if (auto refused = refuse_stranger(request, caller, "sending a dead letter"))
    co_return *std::move(refused);
  const auto revived = co_await desk_.retry_dead_letter(std::move(id));
  if (!revived) co_return failure(request, revived.error());
  co_return said(R"({"queued":true})");
}

Task<Response> DeadLetters::drop(const Request& request, const Caller& caller, std::string id) {
  if (auto refused = refuse_stranger(request, caller, "dropping a dead letter"))
    co_return *std::move(refused);
  const auto dropped = co_await desk_.drop_dead_letter(std::move(id));
  if (!dropped) co_return failure(request, dropped.error());
  co_return said(R"({"dropped":true})");
}

}  // namespace etcdmon::api
