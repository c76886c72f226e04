#include "api/alerting.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "api/json_writer.hpp"
#include "api/rest/alerts.hpp"
#include "api/rest/common.hpp"
#include "api/stranger.hpp"
#include "base/rfc3339.hpp"
#include "base/units.hpp"

namespace etcdmon::api {

namespace {

using net::Request;
using net::Response;
using nlohmann::json;

constexpr std::size_t kMostHistory = 1'000;

Response answer(int status, std::string body) {
  Response response;
  response.status = status;
  response.headers.push_back({"Cache-Control", "no-store"});
  response.body = std::move(body += '\n');
  return response;
}

Response refusal(const Request& request, const Error& error) {
  const int status = error.code == ErrorCode::kNotFound          ? 404
                     : error.code == ErrorCode::kInvalidArgument ? 400
                                                                 : 503;
  return net::problem(status, net::reason_phrase(status), error.message, request.path);
}

Error wrong(std::string message) {
  return Error{ErrorCode::kInvalidArgument, std::move(message)};
}

// The members of a request's body, each asked for by name; what is not asked for is refused.
class Body {
 public:
  static Result<Body> read(const Request& request) {
    auto document =
        request.body.empty() ? json::object() : json::parse(request.body, nullptr, false);
    if (!document.is_object()) return wrong("the body is not a JSON object");
    return Body(std::move(document));
  }

  std::string text(const char* name) {
    const auto found = take(name);
    if (!found || found->is_null()) return {};
    if (!found->is_string()) fail(fmt::format("{} is a text", name));
    return found->is_string() ? found->get<std::string>() : std::string();
  }
  std::vector<std::string> texts(const char* name) {
    std::vector<std::string> all;
    const auto found = take(name);
    if (!found) return all;
    const bool fine = found->is_array() && std::ranges::all_of(*found, [](const json& each) {
                        return each.is_string();
                      });
    if (fine) return found->get<std::vector<std::string>>();
    fail(fmt::format("{} is a list of texts", name));
    return all;
  }
  std::optional<WallTime> time(const char* name) {
    const auto written = text(name);
    if (written.empty()) return std::nullopt;
    const auto parsed = parse_rfc3339(written);
    if (!parsed) fail(fmt::format("{}: {}", name, parsed.error().message));
    return parsed ? std::optional(*parsed) : std::nullopt;
  }
  std::optional<Duration> duration(const char* name) {
    const auto written = text(name);
    if (written.empty()) return std::nullopt;
    const auto parsed = parse_duration(written);
    if (!parsed) fail(fmt::format("{}: {}", name, parsed.error().message));
    return parsed ? std::optional<Duration>(*parsed) : std::nullopt;
  }
  void fail(std::string message) {
    if (!error_) error_ = wrong(std::move(message));
  }
  /// The first thing that was wrong, a member that nobody asked for among it.
  std::optional<Error> error() {
    if (!error_ && !document_.empty())
      fail(fmt::format("\"{}\" is not known here", document_.begin().key()));
    return error_;
  }

 private:
  explicit Body(json document) : document_(std::move(document)) {}

  std::optional<json> take(const char* name) {
    const auto found = document_.find(name);
    if (found == document_.end()) return std::nullopt;
    json value = std::move(*found);
    document_.erase(found);
    return value;
  }

  json document_;
  std::optional<Error> error_;
};

void write_silence(JsonWriter& out, const alert::Silence& silence, WallTime now) {
  out.begin_object().member("id", silence.id);
  out.member("state", silence.active(now)       ? "active"
                      : now < silence.starts_at ? "pending"
                                                : "expired");
  out.key("matchers").begin_array();
  for (const auto& matcher : silence.matchers) out.value(matcher.text());
  out.end_array();
  rest::write_time(out, "starts_at", silence.starts_at);
  rest::write_time(out, "ends_at", silence.ends_at);
  out.member_or_null("created_by", silence.created_by).member_or_null("comment", silence.comment);
  out.end_object();
}

std::string silence_json(const alert::Silence& silence, WallTime now) {
  JsonWriter out;
  write_silence(out, silence, now);
  return out.take();
}

Result<alert::Silence> read_silence(const Request& request, WallTime now) {
  ETCDMON_TRY(auto body, Body::read(request));
  alert::Silence silence;
  const auto texts = body.texts("matchers");
  silence.starts_at = body.time("starts_at").value_or(now);
  const auto ends_at = body.time("ends_at");
  const auto duration = body.duration("for");
  silence.created_by = body.text("created_by");
  silence.comment = body.text("comment");
  if (ends_at.has_value() == duration.has_value())
    body.fail("say how long: either \"for\": \"2h\" or \"ends_at\": a time");
  if (auto error = body.error()) return *std::move(error);
  silence.ends_at = ends_at ? *ends_at : silence.starts_at + *duration;
  ETCDMON_TRY(silence.matchers, alert::parse_matchers(texts));
  return silence;
}

Result<store::HistoryQuery> read_query(const Request& request) {
  store::HistoryQuery query;
  query.cluster = request.parameter("cluster").value_or("");
  query.alert_id = request.parameter("alert").value_or("");
  for (const auto& [name, moment] : {std::pair("from", &query.from), std::pair("to", &query.to)}) {
    const auto text = request.parameter(name);
    if (!text) continue;
    auto time = parse_rfc3339(*text);
    if (!time) return with_context(std::move(time).error(), name);
    *moment = *time;
  }
  if (const auto text = request.parameter("limit")) {
    const auto [end, error] =
        std::from_chars(text->data(), text->data() + text->size(), query.limit);
    const bool fine = error == std::errc() && end == text->data() + text->size();
    if (!fine || query.limit < 1 || query.limit > kMostHistory)
      return wrong(fmt::format("limit: write a number from 1 to {}", kMostHistory));
  }
  return query;
}

// The one that it is about. Empty: it may be about any.
std::string cluster_of(const alert::Silence& silence) {
  for (const auto& matcher : silence.matchers) {
    if (matcher.name() == "cluster" && matcher.op() == alert::LabelMatcher::Op::kEqual)
      return matcher.value();
  }
  return {};
}

// Who proved to be somebody signs with that name, whatever the body says.
std::string signed_by(const Caller& caller, const std::string& said) {
  return caller.identity() != nullptr ? caller.identity()->subject : said;
}

}  // namespace

void Alerting::add_to(Router& router) {
  using auth::Action;
  router.add({"GET", "/api/v1/alerts/history", Access::clusters(Action::kRead),
              "what alerts did, the newest first"},
             [this](const Request& r, const PathParameters&, const Caller& caller) {
               return history(r, caller);
             });
  router.add({"GET", "/api/v1/alerts/channels", Access::monitor(Action::kRead),
              "how the channels do that alerts are sent through"},
             [this](const Request&, const PathParameters&) { return answered(channels()); });
  router.add({"GET", "/api/v1/alerts/acks", Access::clusters(Action::kRead),
              "alerts that somebody looks after"},
             [this](const Request&, const PathParameters&, const Caller& caller) {
               return answered(acknowledgements(caller));
             });
  router.add({"POST", "/api/v1/alerts/{id}/ack", Access::clusters(Action::kAlert), "look after it"},
             [this](const Request& r, const PathParameters& path, const Caller& caller) {
               return answered(acknowledge(r, caller, path["id"]));
             });
  router.add({"POST", "/api/v1/alerts/test", Access::monitor(Action::kAlert), "try out a channel"},
             [this](const Request& r, const PathParameters&, const Caller& caller) {
               return try_channel(r, caller);
             });
  router.add({"GET", "/api/v1/silences", Access::clusters(Action::kRead),
              "silences, also those to come and just over"},
             [this](const Request&, const PathParameters&, const Caller& caller) {
               return answered(silences(caller));
             });
  router.add(
      {"POST", "/api/v1/silences", Access::clusters(Action::kAlert), "be silent about alerts"},
      [this](const Request& r, const PathParameters&, const Caller& caller) {
        return answered(add_silence(r, caller));
      });
  router.add({"DELETE", "/api/v1/silences/{id}", Access::clusters(Action::kAlert), "end a silence"},
             [this](const Request& r, const PathParameters& path, const Caller& caller) {
               return answered(expire_silence(r, caller, path["id"]));
             });
}

Task<Response> Alerting::history(const Request& request, const Caller& caller) {
  auto query = read_query(request);
  if (!query) co_return refusal(request, query.error());
  if (!query->cluster.empty() && !caller.may_see(query->cluster))
    co_return forbidden(request, auth::Action::kRead);
  // Who may see a part asks for all, lest others' alerts take the places of his.
  const auto limit = query->limit;
  if (!caller.may_see(query->cluster)) query->limit = kMostHistory;
  auto events = co_await desk_.history(*query);
  if (!events) co_return refusal(request, events.error());
  std::erase_if(*events, [&](const auto& event) { return !caller.may_see(event.alert.cluster); });
  if (events->size() > limit) events->resize(limit);
  JsonWriter out;
  out.begin_object().key("history").begin_array();
  for (const auto& event : *events) {
    out.begin_object().member("what", name_of(event.what));
    rest::write_time(out, "at", event.at);
    out.key("alert");
    rest::write_alert(out, event.alert);
    out.end_object();
  }
  out.end_array().end_object();
  co_return answer(200, out.take());
}

Response Alerting::acknowledge(const Request& request, const Caller& caller, std::string_view id) {
  if (auto refused = refuse_stranger(request, caller, "acknowledging an alert"))
    return *std::move(refused);
  if (!caller.may(auth::Action::kAlert, desk_.cluster_of(id)))
    return forbidden(request, auth::Action::kAlert);
  auto body = Body::read(request);
  if (!body) return refusal(request, body.error());
  const auto now = clock_.now().wall;
  alert::Acknowledgement acknowledgement;
  acknowledgement.alert_id = id;
  acknowledgement.at = now;
  acknowledgement.by = signed_by(caller, body->text("by"));
  acknowledgement.comment = body->text("comment");
  if (const auto duration = body->duration("for")) acknowledgement.until = now + *duration;
  if (acknowledgement.by.empty()) body->fail("say who looks after it: \"by\": \"your name\"");
  if (const auto error = body->error()) return refusal(request, *error);
  const auto taken = desk_.acknowledge(std::move(acknowledgement));
  if (!taken) return refusal(request, taken.error());
  return answer(200, R"({"acknowledged":true})");
}

Response Alerting::acknowledgements(const Caller& caller) const {
  JsonWriter out;
  out.begin_object().key("acknowledgements").begin_array();
  for (const auto& each : desk_.acknowledgements()) {
    if (!caller.may_see(desk_.cluster_of(each.alert_id))) continue;
    out.begin_object().member("alert_id", each.alert_id).member("by", each.by);
    out.member_or_null("comment", each.comment);
    rest::write_time(out, "at", each.at);
    rest::write_time(out, "until", each.until);
    out.end_object();
  }
  out.end_array().end_object();
  return answer(200, out.take());
}

Response Alerting::silences(const Caller& caller) const {
  const auto now = clock_.now().wall;
  JsonWriter out;
  out.begin_object().key("silences").begin_array();
  for (const auto& silence : desk_.silences()) {
    // One that speaks of no cluster explains to everybody why nothing is said.
    const bool speaks_of_one = std::ranges::any_of(
        silence.matchers,
        [](const alert::LabelMatcher& matcher) { return matcher.name() == "cluster"; });
    if (!speaks_of_one || caller.may_see(cluster_of(silence))) write_silence(out, silence, now);
  }
  out.end_array().end_object();
  return answer(200, out.take());
}

Response Alerting::add_silence(const Request& request, const Caller& caller) {
  if (auto refused = refuse_stranger(request, caller, "a silence")) return *std::move(refused);
  const auto now = clock_.now().wall;
  auto silence = read_silence(request, now);
  if (!silence) return refusal(request, silence.error());
  if (!caller.may(auth::Action::kAlert, cluster_of(*silence)))
    return forbidden(request, auth::Action::kAlert);
  silence->created_by = signed_by(caller, silence->created_by);
  const auto made = desk_.add_silence(*std::move(silence));
  if (!made) return refusal(request, made.error());
  auto response = answer(201, silence_json(*made, now));
  response.headers.push_back({"Location", "/api/v1/silences/" + made->id});
  return response;
}

Response Alerting::expire_silence(const Request& request, const Caller& caller,
                                  std::string_view id) {
  if (auto refused = refuse_stranger(request, caller, "ending a silence"))
    return *std::move(refused);
  const auto all = desk_.silences();
  const auto found = std::ranges::find(all, id, &alert::Silence::id);
  const auto cluster = found == all.end() ? std::string() : cluster_of(*found);
  if (!caller.may(auth::Action::kAlert, cluster)) return forbidden(request, auth::Action::kAlert);
  const auto ended = desk_.expire_silence(id);
  if (!ended) return refusal(request, ended.error());
  return answer(200, silence_json(*ended, clock_.now().wall));
}

Response Alerting::channels() const {
  JsonWriter out;
  out.begin_object().key("channels").begin_array();
  for (const auto& health : desk_.channels()) {
    out.begin_object().member("channel", health.channel).member("broken", health.broken);
    rest::write_time(out, "failing_since", health.failing_since);
    out.member_or_null("last_error", health.last_error);
    rest::write_time(out, "last_delivered", health.last_delivered);
    out.member("delivered", health.delivered).member("failed_attempts", health.failed);
    out.member("dead_letters", health.dead).end_object();
  }
  out.end_array().end_object();
  return answer(200, out.take());
}

Task<Response> Alerting::try_channel(const Request& request, const Caller& caller) {
  if (auto refused = refuse_stranger(request, caller, "a test message"))
    co_return *std::move(refused);
  auto body = Body::read(request);
  if (!body) co_return refusal(request, body.error());
  auto channel = body->text("channel");
  if (channel.empty()) body->fail("say which: \"channel\": \"slack\"");
  if (const auto error = body->error()) co_return refusal(request, *error);
  const auto trial = co_await desk_.try_channel(std::move(channel));
  if (!trial) co_return refusal(request, trial.error());
  const auto& outcome = trial->outcome;
  JsonWriter out;
  out.begin_object().member("channel", trial->channel).member("message_id", trial->message_id);
  out.member("enabled", trial->enabled).member("delivered", outcome.delivered());
  out.member("result", name_of(outcome.kind));
  out.member("status", outcome.status != 0 ? std::optional(outcome.status) : std::nullopt);
  out.member_or_null("why", outcome.why).member("took_ms", trial->took.count()).end_object();
  co_return answer(200, out.take());
}

}  // namespace etcdmon::api
