#include "app/alert_records.hpp"

#include <algorithm>
#include <utility>

#include <nlohmann/json.hpp>

#include "model/verdict.hpp"
#include "store/json.hpp"

namespace etcdmon::app {

namespace {

using Json = nlohmann::json;

std::int64_t count_of(WallTime time) {
  return time.time_since_epoch().count();
}

WallTime time_of(const Json& json) {
  return WallTime(Duration(json.get<std::int64_t>()));
}

Now moment_of(const Json& json, Now now) {
  const auto wall = time_of(json);
  return {now.steady - std::max(Duration(0), now.wall - wall), wall};
}

std::optional<Now> maybe_moment(const Json& json, Now now) {
  return json.is_null() ? std::nullopt : std::optional(moment_of(json, now));
}

Json maybe_count(const std::optional<Now>& moment) {
  return moment ? Json(count_of(moment->wall)) : Json(nullptr);
}

std::string text_of(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

model::Severity severity_of(std::string_view name) {
  for (const auto severity : {model::Severity::kInfo, model::Severity::kCritical}) {
    if (model::name_of(severity) == name) return severity;
  }
  return model::Severity::kWarning;
}

// The store writes whole notifications: an alert goes into one of its own.
std::string alert_text(const model::NotifiedAlert& alert) {
  model::Notification around;
  around.alerts.push_back(alert);
  return store::to_json(around);
}

model::NotifiedAlert alert_of(const Json& text) {
  auto around = store::parse_notification(text.get<std::string>());
  if (!around || around->alerts.empty()) return {};
  return std::move(around->alerts.front());
}

Json encode(const alert::GroupEntry& entry) {
  Json json{{"alert", alert_text(entry.alert)}, {"acknowledged_news", entry.acknowledged_news}};
  if (const auto& told = entry.told) {
    json["told"] = {{"severity", model::name_of(told->severity)},
                    {"resolved", told->resolved},
                    {"at", count_of(told->at.wall)},
                    {"firing", maybe_count(told->firing)}};
  }
  return json;
}

alert::GroupEntry decode_entry(const Json& json, Now now) {
  alert::GroupEntry entry;
  entry.alert = alert_of(json.at("alert"));
  entry.acknowledged_news = json.value("acknowledged_news", false);
  const auto told = json.find("told");
  if (told == json.end()) return entry;
  entry.told = alert::Told{.severity = severity_of(told->at("severity").get<std::string>()),
                           .resolved = told->at("resolved").get<bool>(),
                           .at = moment_of(told->at("at"), now),
                           .firing = maybe_moment(told->at("firing"), now)};
  return entry;
}

Json texts_of(const std::vector<alert::LabelMatcher>& matchers) {
  Json texts = Json::array();
  for (const auto& matcher : matchers) texts.push_back(matcher.text());
  return texts;
}

template <class Decode>
auto parse(const store::Record& record, Decode decode)
    -> Result<std::invoke_result_t<Decode, const Json&>> {
  try {
    return decode(Json::parse(record.body));
  } catch (const Json::exception& error) {
    return Error{ErrorCode::kDataLoss,
                 std::string(name_of(record.kind)) + " " + record.key + ": " + error.what()};
  }
}

}  // namespace

store::Record record_of(const alert::Group& group) {
  Json entries = Json::array();
  for (const auto& [id, entry] : group.entries) entries.push_back(encode(entry));
  const Json json{{"route", group.route},
                  {"labels", group.labels},
                  {"each_alone", group.each_alone},
                  {"entries", std::move(entries)},
                  {"first_seen", count_of(group.first_seen.wall)},
                  {"last_sent", maybe_count(group.last_sent)},
                  {"messages", group.messages},
                  {"escalated", group.escalated}};
  return {store::Kind::kGroup, group.key, text_of(json)};
}

store::Record record_of(const alert::Silence& silence) {
  const Json json{{"matchers", texts_of(silence.matchers)},
                  {"starts_at", count_of(silence.starts_at)},
                  {"ends_at", count_of(silence.ends_at)},
                  {"created_by", silence.created_by},
                  {"comment", silence.comment}};
  return {store::Kind::kSilence, silence.id, text_of(json)};
}

store::Record record_of(const alert::Acknowledgement& acknowledgement) {
  const auto& until = acknowledgement.until;
  const Json json{{"by", acknowledgement.by},
                  {"comment", acknowledgement.comment},
                  {"at", count_of(acknowledgement.at)},
                  {"until", until ? Json(count_of(*until)) : Json(nullptr)}};
  return {store::Kind::kAcknowledgement, acknowledgement.alert_id, text_of(json)};
}

Result<alert::Group> parse_group(const store::Record& record, Now now) {
  return parse(record, [&](const Json& json) {
    alert::Group group;
    group.key = record.key;
    group.route = json.at("route").get<std::string>();
    group.labels = json.at("labels").get<std::map<std::string, std::string>>();
    group.each_alone = json.value("each_alone", false);
    for (const auto& entry : json.at("entries")) {
      auto decoded = decode_entry(entry, now);
      const auto id = decoded.alert.id;
      if (!id.empty()) group.entries.emplace(id, std::move(decoded));
    }
    group.first_seen = moment_of(json.at("first_seen"), now);
    group.last_sent = maybe_moment(json.at("last_sent"), now);
    group.messages = json.value("messages", 0U);
    group.escalated = json.value("escalated", false);
    return group;
  });
}

Result<alert::Silence> parse_silence(const store::Record& record) {
  return parse(record, [&](const Json& json) {
    alert::Silence silence;
    silence.id = record.key;
    auto matchers = alert::parse_matchers(json.at("matchers").get<std::vector<std::string>>());
    if (matchers) silence.matchers = *std::move(matchers);
    silence.starts_at = time_of(json.at("starts_at"));
    silence.ends_at = time_of(json.at("ends_at"));
    silence.created_by = json.value("created_by", "");
    silence.comment = json.value("comment", "");
    return silence;
  });
}

Result<alert::Acknowledgement> parse_acknowledgement(const store::Record& record) {
  return parse(record, [&](const Json& json) {
    alert::Acknowledgement acknowledgement;
    acknowledgement.alert_id = record.key;
    acknowledgement.by = json.value("by", "");
    acknowledgement.comment = json.value("comment", "");
    acknowledgement.at = time_of(json.at("at"));
    if (const auto& until = json.at("until"); !until.is_null())
      acknowledgement.until = time_of(until);
    return acknowledgement;
  });
}

}  // namespace etcdmon::app
