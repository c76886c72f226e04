#include "app/demo/etcdctl.hpp"

#include <algorithm>
#include <chrono>
#include <initializer_list>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "async/subprocess.hpp"

namespace etcdmon::app::demo {

namespace {

using namespace std::chrono_literals;

std::vector<std::string> split(std::string_view text, std::string_view separator) {
  std::vector<std::string> parts;
  for (;;) {
    const auto at = text.find(separator);
    parts.emplace_back(text.substr(0, at));
    if (at == std::string_view::npos) return parts;
    text.remove_prefix(at + separator.size());
  }
}

std::string trimmed(std::string text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.pop_back();
  return text;
}

bool says_any(std::string_view message, std::initializer_list<std::string_view> texts) {
  return std::ranges::any_of(
      texts, [message](std::string_view text) { return message.find(text) != std::string::npos; });
}

}  // namespace

Result<std::vector<ListedMember>> read_member_list(std::string_view text) {
  std::vector<ListedMember> result;
  for (const auto& line : split(text, "\n")) {
    if (line.empty()) continue;
    const auto fields = split(line, ", ");
    const auto id = parse_hex(fields[0]);
    if (fields.size() != 6 || !id) {
      return Error{ErrorCode::kInternal, fmt::format("not a row of a member list: {}", line)};
    }
    result.push_back({.id = MemberId{*id},
                      .started = fields[1] == "started",
                      .name = fields[2],
                      .peer_url = fields[3],
                      .client_url = fields[4],
                      .learner = fields[5] == "true"});
  }
  return result;
}

void Etcdctl::log_in(std::string user, Secret password) {
  user_ = std::move(user);
  password_ = std::move(password);
}

Task<Result<std::string>> Etcdctl::run(std::vector<std::string> endpoints,
                                       std::vector<std::string> args, std::string input,
                                       Deadline deadline) {
  const std::string doing = args.empty() ? std::string() : args.front();
  async::Subprocess::Options options;
  options.argv = options_.command;
  options.argv.push_back(options_.program);
  options.argv.push_back(fmt::format("--endpoints={}", fmt::join(endpoints, ",")));
  if (!options_.ca.empty()) options.argv.push_back("--cacert=" + options_.ca);
  if (!options_.cert.empty()) {
    options.argv.push_back("--cert=" + options_.cert);
    options.argv.push_back("--key=" + options_.key);
  }
  for (auto& arg : args) options.argv.push_back(std::move(arg));
  options.unset = {"ETCDCTL_*", "http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"};
  options.environment = {{"ETCDCTL_API", "3"}};
  // Not as a flag: every user of the machine can read those.
  if (!user_.empty()) {
    options.environment.emplace_back("ETCDCTL_USER", user_ + ":" + password_.reveal());
  }
  auto said = co_await async::capture(std::move(options), std::move(input), deadline);
  if (!said) co_return said.error();
  if (said->status.ok()) co_return std::move(said->out);
  co_return Error{ErrorCode::kUnknown, fmt::format("etcdctl {}: {}: {}", doing,
                                                   to_string(said->status), trimmed(said->err))};
}

Task<Result<void>> Etcdctl::retry(std::vector<std::string> endpoints, std::vector<std::string> args,
                                  std::string while_said, Deadline deadline) {
  bool maybe_done = false;
  for (;;) {
    const auto said = co_await run(endpoints, args, "", deadline);
    if (said) co_return Result<void>{};
    const std::string& message = said.error().message;
    // What timed out in an election may have been done all the same.
    if (maybe_done && says_any(message, {"already exist", "not found", "can only promote"})) {
      co_return Result<void>{};
    }
    const bool electing = says_any(
        message, {"request timed out", "deadline exceeded", "no leader", "leader changed"});
    maybe_done |= electing;
    const bool again = electing || message.find(while_said) != std::string::npos;
    if (!again || std::chrono::steady_clock::now() + 100ms > deadline) co_return said.error();
    co_await async::sleep_for(100ms);
  }
}

Task<Result<std::vector<ListedMember>>> Etcdctl::member_list(std::vector<std::string> endpoints,
                                                             Deadline deadline) {
  std::vector<std::string> args{"member", "list"};
  const auto said = co_await run(std::move(endpoints), std::move(args), "", deadline);
  if (!said) co_return said.error();
  co_return read_member_list(*said);
}

Task<Result<bool>> Etcdctl::leads(std::string endpoint, Deadline deadline) {
  std::vector<std::string> endpoints{std::move(endpoint)};
  std::vector<std::string> args{"endpoint", "status", "--command-timeout=1s"};
  const auto said = co_await run(std::move(endpoints), std::move(args), "", deadline);
  if (!said) co_return said.error();
  const auto fields = split(*said, ", ");
  if (fields.size() < 5) {
    co_return Error{ErrorCode::kInternal, fmt::format("not a row of endpoint status: {}", *said)};
  }
  co_return fields[4] == "true";
}

}  // namespace etcdmon::app::demo
