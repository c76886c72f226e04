#include "notify/exec/exec.hpp"

#include <utility>

#include <fmt/format.h>

#include "async/subprocess.hpp"
#include "notify/text.hpp"
#include "notify/webhook/webhook.hpp"

namespace etcdmon::notify {

namespace {

using config::Complaint;
using config::Fault;
using config::field;
using config::Schema;

constexpr int kDataError = 65;  // EX_DATAERR of sysexits.h

Fault word_fault(const std::string& word) {
  return word.empty() ? Fault("must not be empty") : std::nullopt;
}

class Exec final : public Channel {
 public:
  Exec(ExecOptions options, const Services& services)
      : options_(std::move(options)), services_(services) {}

  Task<Outcome> send(model::Notification notification, Deadline deadline) override {
    async::Subprocess::Options program{.argv = options_.command};
    // Our own secrets are none of its business.
    program.unset = {"ETCD_MONITOR_*"};
    program.environment = {{"ETCDMON_STATUS", std::string(name_of(notification.status))},
                           {"ETCDMON_DEDUP_KEY", notification.dedup_key}};
    auto input = webhook_body(notification, services_.external_url) + "\n";
    const auto ran = co_await async::capture(std::move(program), std::move(input), deadline);
    if (!ran) co_return judge_error(ran.error());
    Outcome outcome{.status = ran->status.code};
    if (ran->status.ok()) co_return outcome;
    outcome.kind =
        ran->status.code == kDataError ? Outcome::Kind::kRejected : Outcome::Kind::kRetry;
    // What it says goes to a log in one line, as an HTTP answer would.
    const auto said = judge_reply({.status = 500, .body = ran->err}, {}).why;
    const auto text = said.find(": ");
    outcome.why = fmt::format("{}: {}{}", options_.command.front(), to_string(ran->status),
                              text == std::string::npos ? "" : said.substr(text));
    co_return outcome;
  }

 private:
  ExecOptions options_;
  Services services_;
};

}  // namespace

const Schema& ExecOptions::schema() {
  using T = ExecOptions;
  static const auto kSchema = channel_schema<T>(
      "Run a program for each notification, with the webhook's JSON on its standard input.",
      {field("command", &T::command, "The program and its arguments; no shell reads them.")
           .rule(word_fault)});
  return kSchema;
}

std::vector<Complaint> ExecOptions::check() const {
  std::vector<Complaint> complaints;
  if (enabled) require(complaints, !command.empty(), "command");
  return complaints;
}

std::unique_ptr<Channel> make_exec(const ExecOptions& options, const Services& services) {
  return std::make_unique<Exec>(options, services);
}

}  // namespace etcdmon::notify
