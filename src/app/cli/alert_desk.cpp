#include "app/cli/detail/alert_desk.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <unistd.h>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <pwd.h>

#include "app/cli/command.hpp"
#include "app/cli/ctl/text/table.hpp"
#include "config/suggest.hpp"

namespace etcdmon::app::cli {

namespace {

using config::FlagSpec;
using config::ParsedFlags;
using nlohmann::json;
using Arguments = std::span<const std::string>;

constexpr std::array<std::string_view, 3> kSeverities = {"info", "warning", "critical"};
constexpr std::array<std::string_view, 2> kStates = {"pending", "firing"};
constexpr std::string_view kDeadLetters = "/api/v1/alerts/dead-letters";
constexpr std::array<std::string_view, 2> kFormats = {"simple", "json"};

std::string text_of(const ParsedFlags& flags, std::string_view name) {
  const auto* value = flags.last(name);
  return value != nullptr ? *value : std::string();
}

bool wants_json(const ParsedFlags& flags) {
  return text_of(flags, "w") == "json" || text_of(flags, "write-out") == "json";
}

// A member that is not there, or null, reads as nothing. What strangers wrote (a member's name, a
// comment) must not steer the terminal.
std::string text_in(const json& object, const char* name) {
  const auto found = object.find(name);
  if (found == object.end() || found->is_null()) return {};
  auto text = found->is_string() ? found->get<std::string>() : found->dump();
  std::ranges::replace_if(text, [](char c) { return (c >= 0 && c < 0x20) || c == 0x7F; }, ' ');
  return text;
}

// Seconds are enough for people: 2026-03-02T03:12:44Z.
std::string moment(const json& object, const char* name) {
  auto text = text_in(object, name);
  const auto dot = text.find('.');
  return dot == std::string::npos ? text : text.substr(0, dot) + "Z";
}

std::ptrdiff_t rank(std::string_view severity) {
  return std::ranges::find(kSeverities, severity) - kSeverities.begin();
}

// Whoever is at this terminal.
std::string me() {
  if (const char* sudo = std::getenv("SUDO_USER"); sudo != nullptr && *sudo != '\0') return sudo;
  const auto* entry = getpwuid(getuid());
  return entry != nullptr ? entry->pw_name : std::to_string(getuid());
}

int failed(const Error& error) {
  fmt::print(stderr, "etcd-monitor alerts: {}\n", error.message);
  return error.code == ErrorCode::kInvalidArgument ? kUsage : kUnhealthy;
}

void print_json(const json& document) {
  fmt::print("{}\n", document.dump(2));
}

bool passes(const ParsedFlags& flags, const json& alert) {
  const auto severity = text_of(flags, "severity");
  const auto rule = text_of(flags, "rule");
  const auto state = text_of(flags, "state");
  return (severity.empty() || rank(text_in(alert, "severity")) >= rank(severity)) &&
         (rule.empty() || text_in(alert, "rule") == rule) &&
         (state.empty() || text_in(alert, "state") == state);
}

Result<json> all_alerts(const MonitorClient& monitor, const ParsedFlags& flags) {
  std::vector<std::string> clusters;
  if (const auto* given = flags.last("cluster")) {
    clusters.push_back(*given);
  } else {
    ETCDMON_TRY(clusters, monitor.clusters());
  }
  json all = json::array();
  for (const auto& cluster : clusters) {
    ETCDMON_TRY(auto answer, monitor.get("/api/v1/alerts?cluster=" + url_escape(cluster)));
    for (auto& alert : answer["alerts"]) {
      if (passes(flags, alert)) all.push_back(std::move(alert));
    }
  }
  // json's iterators are none for ranges.
  std::stable_sort(all.begin(), all.end(), [](const json& a, const json& b) {
    return rank(text_in(a, "severity")) > rank(text_in(b, "severity"));
  });
  return all;
}

int list(const MonitorClient& monitor, const ParsedFlags& flags, Arguments) {
  const auto alerts = all_alerts(monitor, flags);
  if (!alerts) return failed(alerts.error());
  if (wants_json(flags)) {
    print_json({{"alerts", *alerts}});
  } else {
    fmt::print("{}", alerts_text(*alerts));
  }
  const auto limit = text_of(flags, "fail-on");
  const bool found = !limit.empty() && std::ranges::any_of(*alerts, [&](const json& alert) {
    return text_in(alert, "state") == "firing" && rank(text_in(alert, "severity")) >= rank(limit);
  });
  return found ? kFound : kOk;
}

int history(const MonitorClient& monitor, const ParsedFlags& flags, Arguments) {
  std::string path = "/api/v1/alerts/history";
  char before = '?';
  for (const auto* name : {"cluster", "alert", "from", "to", "limit"}) {
    const auto value = text_of(flags, name);
    if (value.empty()) continue;
    path += fmt::format("{}{}={}", std::exchange(before, '&'), name, url_escape(value));
  }
  const auto answer = monitor.get(path);
  if (!answer) return failed(answer.error());
  if (wants_json(flags)) {
    print_json(*answer);
    return kOk;
  }
  std::vector<std::vector<std::string>> rows = {
      {"AT", "WHAT", "SEVERITY", "CLUSTER", "RULE", "SUMMARY"}};
  for (const auto& event : (*answer)["history"]) {
    const auto& alert = event["alert"];
    rows.push_back({moment(event, "at"), text_in(event, "what"), text_in(alert, "severity"),
                    text_in(alert, "cluster"), text_in(alert, "rule"), text_in(alert, "summary")});
  }
  fmt::print("{}", rows.size() > 1 ? columns(rows) : "nothing yet\n");
  return kOk;
}

json who_and_why(const ParsedFlags& flags, const char* who) {
  const auto given = text_of(flags, "by");
  json body = {{who, given.empty() ? me() : given}};
  if (const auto* comment = flags.last("comment")) body["comment"] = *comment;
  if (const auto* duration = flags.last("for")) body["for"] = *duration;
  return body;
}

int done(const ParsedFlags& flags, const Result<json>& answer, const std::string& said) {
  if (!answer) return failed(answer.error());
  if (wants_json(flags)) {
    print_json(*answer);
  } else {
    fmt::print("{}\n", said);
  }
  return kOk;
}

int acknowledge(const MonitorClient& monitor, const ParsedFlags& flags, Arguments arguments) {
  for (const auto& id : arguments) {
    const auto body = who_and_why(flags, "by");
    const auto answer = monitor.post(fmt::format("/api/v1/alerts/{}/ack", url_escape(id)), body);
    const int code =
        done(flags, answer, fmt::format("{} is looked after by {}", id, text_in(body, "by")));
    if (code != kOk) return code;
  }
  return kOk;
}

// Objects as rows: each column is a heading and the member that it shows.
using Column = std::pair<const char*, const char*>;
int show(const ParsedFlags& flags, const Result<json>& answer, const char* list_name,
         std::span<const Column> shown, std::string_view none) {
  if (!answer) return failed(answer.error());
  if (wants_json(flags)) {
    print_json(*answer);
    return kOk;
  }
  std::vector<std::vector<std::string>> rows(1);
  for (const auto& [heading, member] : shown) rows[0].emplace_back(heading);
  for (const auto& object : answer->value(list_name, json::array())) {
    auto& row = rows.emplace_back();
    for (const auto& [heading, member] : shown) {
      const auto found = object.find(member);
      const bool texts = found != object.end() && found->is_array();
      row.push_back(texts
                        ? fmt::format("{}", fmt::join(found->get<std::vector<std::string>>(), ","))
                        : moment(object, member));
    }
  }
  fmt::print("{}", rows.size() > 1 ? columns(rows) : fmt::format("{}\n", none));
  return kOk;
}

int acknowledgements(const MonitorClient& monitor, const ParsedFlags& flags, Arguments) {
  constexpr std::array kShown = {Column{"ALERT", "alert_id"}, Column{"BY", "by"},
                                 Column{"AT", "at"}, Column{"UNTIL", "until"},
                                 Column{"COMMENT", "comment"}};
  return show(flags, monitor.get("/api/v1/alerts/acks"), "acknowledgements", kShown,
              "nobody looks after an alert");
}

int channels(const MonitorClient& monitor, const ParsedFlags& flags, Arguments) {
  constexpr std::array kShown = {
      Column{"CHANNEL", "channel"},        Column{"DELIVERED", "delivered"},
      Column{"FAILED", "failed_attempts"}, Column{"DEAD", "dead_letters"},
      Column{"LAST", "last_delivered"},    Column{"FAILING SINCE", "failing_since"},
      Column{"LAST ERROR", "last_error"}};
  return show(flags, monitor.get("/api/v1/alerts/channels"), "channels", kShown,
              "no channel is enabled");
}

int dead_letters(const MonitorClient& monitor, const ParsedFlags& flags, Arguments) {
  constexpr std::array kShown = {
      Column{"ID", "id"},         Column{"CHANNEL", "channel"}, Column{"SEVERITY", "severity"},
      Column{"STATUS", "status"}, Column{"DIED", "died_at"},    Column{"TRIES", "attempts"},
      Column{"WHY", "why"}};
  return show(flags, monitor.get(std::string(kDeadLetters) + "?limit=1000"), "dead_letters", kShown,
              "no notification was given up");
}

// "all" stands for each one that there is.
Result<std::vector<std::string>> letters_named(const MonitorClient& monitor, Arguments arguments) {
  std::vector<std::string> ids(arguments.begin(), arguments.end());
  if (ids != std::vector<std::string>{"all"}) return ids;
  ids.clear();
  ETCDMON_TRY(auto answer, monitor.get(std::string(kDeadLetters) + "?limit=1000"));
  for (const auto& letter : answer["dead_letters"]) ids.push_back(text_in(letter, "id"));
  // The oldest first, as they were to be sent.
  std::ranges::reverse(ids);
  return ids;
}

int retry_dead(const MonitorClient& monitor, const ParsedFlags& flags, Arguments arguments) {
  const auto ids = letters_named(monitor, arguments);
  if (!ids) return failed(ids.error());
  for (const auto& id : *ids) {
    const auto answer =
        monitor.post(fmt::format("{}/{}/retry", kDeadLetters, url_escape(id)), json::object());
    if (const int code = done(flags, answer, fmt::format("{} is queued again", id)); code != kOk)
      return code;
  }
  return kOk;
}

int drop_dead(const MonitorClient& monitor, const ParsedFlags& flags, Arguments arguments) {
  const auto ids = letters_named(monitor, arguments);
  if (!ids) return failed(ids.error());
  for (const auto& id : *ids) {
    const auto answer = monitor.remove(fmt::format("{}/{}", kDeadLetters, url_escape(id)));
    if (const int code = done(flags, answer, fmt::format("{} is dropped", id)); code != kOk)
      return code;
  }
  return kOk;
}

int silences(const MonitorClient& monitor, const ParsedFlags& flags, Arguments) {
  constexpr std::array kShown = {
      Column{"ID", "id"},         Column{"STATE", "state"},       Column{"ENDS", "ends_at"},
      Column{"BY", "created_by"}, Column{"MATCHERS", "matchers"}, Column{"COMMENT", "comment"}};
  return show(flags, monitor.get("/api/v1/silences"), "silences", kShown, "there are no silences");
}

int add_silence(const MonitorClient& monitor, const ParsedFlags& flags, Arguments arguments) {
  auto body = who_and_why(flags, "created_by");
  if (!body.contains("for")) {
    return failed(Error{ErrorCode::kInvalidArgument,
                        "say how long to be silent, for example --for=2h", Cause::kLocal});
  }
  body["matchers"] = std::vector<std::string>(arguments.begin(), arguments.end());
  const auto answer = monitor.post("/api/v1/silences", body);
  return done(flags, answer,
              answer
                  ? fmt::format("{} until {}", text_in(*answer, "id"), moment(*answer, "ends_at"))
                  : std::string());
}

int expire_silence(const MonitorClient& monitor, const ParsedFlags& flags, Arguments arguments) {
  for (const auto& id : arguments) {
    const auto answer = monitor.remove("/api/v1/silences/" + url_escape(id));
    if (const int code = done(flags, answer, fmt::format("{} has ended", id)); code != kOk)
      return code;
  }
  return kOk;
}

constexpr std::array kDeskCommands = {
    DeskCommand{"list", "", "alerts that are pending or firing, the worst first", &list},
    DeskCommand{"history", "", "what alerts did, the newest first", &history},
    DeskCommand{"ack", "ID...", "look after them: no reminders, no escalation", &acknowledge},
    DeskCommand{"acks", "", "who looks after which alert", &acknowledgements},
    DeskCommand{"silence add", "MATCHER...", "be silent about what matches, for --for",
                &add_silence},
    DeskCommand{"silence list", "", "silences, also those to come and just over", &silences},
    DeskCommand{"silence expire", "ID...", "end silences", &expire_silence},
    DeskCommand{"dead retry", "ID...|all",
                "put notifications that were given up back into their queue", &retry_dead},
    DeskCommand{"dead drop", "ID...|all", "forget them", &drop_dead},
    DeskCommand{"dead", "", "notifications that were given up, the newest first", &dead_letters},
    DeskCommand{"channels", "", "how the channels do that alerts are sent through", &channels},
};

template <std::size_t N>
void check_word(const ParsedFlags& flags, const char* name,
                const std::array<std::string_view, N>& known, std::vector<config::Issue>& issues) {
  const auto value = text_of(flags, name);
  if (value.empty() || std::ranges::find(known, value) != known.end()) return;
  issues.push_back({{fmt::format("--{}", name), 0},
                    {},
                    fmt::format("\"{}\" is none of {}", value, fmt::join(known, ", "))});
}

}  // namespace

std::span<const DeskCommand> desk_commands() {
  return kDeskCommands;
}

std::vector<FlagSpec> desk_flags() {
  return {
      {"w", "format", "Output: simple or json.", "simple", "", "Alerts"},
      {"write-out", "format", "The same as -w.", "simple", "", "Alerts"},
      {"cluster", "name", "Only of this cluster.", "", "", "Alerts"},
      {"severity", "severity", "list: this severity and worse.", "", "", "Alerts"},
      {"rule", "name", "list: only of this rule.", "", "", "Alerts"},
      {"state", "state", "list: pending or firing.", "", "", "Alerts"},
      {"fail-on", "severity", "list: exit with 3 when such an alert, or a worse one, fires.", "",
       "", "Alerts"},
      {"alert", "ID", "history: only of this alert.", "", "", "Alerts"},
      {"from", "time", "history: from then on, in RFC 3339.", "", "", "Alerts"},
      {"to", "time", "history: until then, in RFC 3339.", "", "", "Alerts"},
      {"limit", "count", "history: at most so many, 1 to 1000.", "", "", "Alerts"},
      {"by", "name", "ack, silence add: who says so. Without it: your login.", "", "", "Alerts"},
      {"comment", "text", "ack, silence add: why.", "", "", "Alerts"},
      {"for", "duration", "ack, silence add: how long; 2h.", "", "", "Alerts"}};
}

std::vector<config::Issue> check_desk_flags(const ParsedFlags& flags) {
  std::vector<config::Issue> issues;
  for (const auto* name : {"w", "write-out"}) check_word(flags, name, kFormats, issues);
  for (const auto* name : {"severity", "fail-on"}) check_word(flags, name, kSeverities, issues);
  check_word(flags, "state", kStates, issues);
  return issues;
}

std::string alerts_text(const json& alerts) {
  if (alerts.empty()) return "no alert is pending or firing\n";
  std::vector<std::vector<std::string>> rows = {
      {"ID", "SEVERITY", "STATE", "SINCE", "CLUSTER", "RULE"}};
  for (const auto& alert : alerts) {
    const bool fires = text_in(alert, "state") == "firing";
    rows.push_back({text_in(alert, "id"), text_in(alert, "severity"), text_in(alert, "state"),
                    moment(alert, fires ? "firing_since" : "pending_since"),
                    text_in(alert, "cluster"), text_in(alert, "rule")});
  }
  const auto lines = columns(rows);
  std::string out;
  std::size_t begin = 0;
  for (std::size_t row = 0; row < rows.size(); ++row) {
    const auto end = lines.find('\n', begin) + 1;
    out += lines.substr(begin, end - begin);
    if (row > 0) out += fmt::format("    {}\n", text_in(alerts[row - 1], "summary"));
    begin = end;
  }
  return out;
}

std::string columns(const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i)
      widths[i] = std::max(widths[i], ctl::display_width(row[i]));
  }
  std::string out;
  for (const auto& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      line += row[i];
      line.append(widths[i] - ctl::display_width(row[i]) + 2, ' ');
    }
    line.erase(line.find_last_not_of(' ') + 1);
    out += line + '\n';
  }
  return out;
}

}  // namespace etcdmon::app::cli
