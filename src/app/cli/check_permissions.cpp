#include "app/cli/check_permissions.hpp"

#include <algorithm>
#include <cstdio>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "app/cli/command.hpp"
#include "app/cluster_options.hpp"
#include "etcd/link.hpp"
#include "etcd/permissions.hpp"

namespace etcdmon::app::cli {

namespace {

using etcd::Permission;
using nlohmann::json;
using namespace std::chrono_literals;
using Verdict = Permission::Verdict;

constexpr int kRpcWidth = 26;

/// The answers to one login; all logins were asked the same RPCs.
struct Asked {
  std::string user;
  bool privileged = false;
  std::vector<Permission> permissions;

  std::string title() const { return user.empty() ? "no login" : user; }
  /// Of its column.
  std::size_t width() const { return std::max<std::size_t>(9, title().size() + 2); }
};

/// What one member said.
struct Answers {
  std::string endpoint;
  std::vector<Asked> logins;  ///< the ordinary one, then the privileged one if there is one
};

bool anybody_answered(const std::vector<Permission>& permissions) {
  return std::ranges::any_of(permissions,
                             [](const auto& p) { return p.verdict != Verdict::kUnknown; });
}

Task<std::vector<Permission>> ask(etcd::Link& link, etcd::Login login) {
  auto client = link.client_as(login.tokens);
  co_return co_await etcd::check_permissions(client, std::move(login),
                                             std::chrono::steady_clock::now() + 10s);
}

Task<> ask_first_that_answers(net::Resolver& resolver, const collect::CollectOptions& options,
                              Answers& out, Loop& loop) {
  const auto executor = co_await async::this_executor();
  const bool hash_check = options.hash_check_interval.count() > 0;
  const bool two_logins = !options.privileged.user.empty();
  for (const auto& url : options.endpoints) {
    auto endpoint = net::parse_endpoint(url);
    if (!endpoint) continue;
    if (!endpoint->scheme_given) endpoint->tls = !options.plain_by_default;
    out = {endpoint->url(), {}};
    etcd::Link link(executor, resolver,
                    {std::move(*endpoint), options.tls, options.dial_timeout, nullptr}, Logger{});
    const auto login_of = [&](const etcd::Credentials& credentials) {
      return etcd::Login{credentials.user,
                         credentials.user.empty() ? nullptr : etcd::make_token_source(credentials)};
    };
    auto ordinary = login_of(options.credentials);
    ordinary.asks_hash = hash_check && !two_logins;
    auto first = co_await ask(link, std::move(ordinary));
    const bool answered = anybody_answered(first);
    out.logins.push_back({options.credentials.user, false, std::move(first)});
    if (answered && two_logins) {
      auto privileged = login_of(options.privileged);
      privileged.asks_state = false;
      privileged.asks_hash = hash_check;
      auto second = co_await ask(link, std::move(privileged));
      out.logins.push_back({options.privileged.user, true, std::move(second)});
    }
    co_await link.close();
    if (answered) break;
  }
  loop.stop();
}

std::string_view name_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::kAllowed:
      return "allowed";
    case Verdict::kDenied:
      return "denied";
    case Verdict::kUnknown:
      return "unknown";
  }
  return "unknown";
}

// A refusal of what the monitor needs is to catch the eye.
std::string_view word_of(const Permission& permission) {
  return permission.verdict == Verdict::kDenied && permission.needed ? "DENIED"
                                                                     : name_of(permission.verdict);
}

int exit_code_of(const Answers& answers) {
  int code = answers.logins.empty() ? kUsage : kOk;
  for (const auto& login : answers.logins) {
    for (const auto& permission : login.permissions) {
      if (!permission.needed || permission.verdict == Verdict::kAllowed) continue;
      code = std::max(code, permission.verdict == Verdict::kDenied ? kUnhealthy : kUsage);
    }
  }
  return code;
}

void print_row(const Answers& answers, std::size_t row) {
  const auto& about = answers.logins.front().permissions[row];
  std::string words;
  for (const auto& login : answers.logins)
    words += fmt::format("{:<{}}", word_of(login.permissions[row]), login.width());
  fmt::print("  {:<{}} {}{}\n", about.rpc, kRpcWidth, words, about.used_for);
  for (const auto& login : answers.logins) {
    const auto& permission = login.permissions[row];
    if (!permission.needed && permission.verdict != Verdict::kUnknown) continue;
    const auto whose = answers.logins.size() > 1 ? login.title() + ": " : std::string{};
    if (!permission.message.empty())
      fmt::print("  {:<{}} {}{}\n", "", kRpcWidth, whose, permission.message);
    if (!permission.remedy.empty())
      fmt::print("  {:<{}} to allow: {}\n", "", kRpcWidth, permission.remedy);
  }
}

void print_text(const std::string& cluster, const Answers& answers) {
  if (answers.logins.empty()) {
    fmt::print("{}: no endpoint to ask; name one by --endpoints\n", cluster);
    return;
  }
  fmt::print("{} ({})\n", cluster, answers.endpoint);
  if (answers.logins.size() > 1) {
    fmt::print("  {:<{}} ", "", kRpcWidth);
    for (const auto& login : answers.logins) fmt::print("{:<{}}", login.title(), login.width());
    fmt::print("\n");
  }
  for (std::size_t row = 0; row < answers.logins.front().permissions.size(); ++row)
    print_row(answers, row);
}

json to_json(const std::string& cluster, const Answers& answers) {
  json rows = json::array();
  for (const auto& login : answers.logins) {
    for (const auto& permission : login.permissions) {
      rows.push_back({{"rpc", permission.rpc},
                      {"user", login.user},
                      {"privileged", login.privileged},
                      {"needed", permission.needed},
                      {"used_for", permission.used_for},
                      {"verdict", name_of(permission.verdict)},
                      {"message", permission.message},
                      {"remedy", permission.remedy}});
    }
  }
  return {{"cluster", cluster}, {"endpoint", answers.endpoint}, {"permissions", rows}};
}

}  // namespace

int check_permissions(const Settings& settings, bool json_output) {
  int code = kOk;
  for (const auto& cluster : settings.clusters) {
    std::vector<std::string> warnings;
    const auto made = cluster_options(settings, cluster, warnings);
    if (!made) {
      fmt::print(stderr, "etcd-monitor: {}\n", made.error().message);
      return kUsage;
    }
    Loop loop(1);
    net::Resolver resolver(loop.get_executor());
    Answers answers;
    async::TaskScope scope(loop.get_executor(), Logger{});
    scope.spawn("permissions", ask_first_that_answers(resolver, made->collect, answers, loop));
    loop.run();
    loop.restart();
    loop.poll();
    code = std::max(code, exit_code_of(answers));
    if (json_output) {
      fmt::print("{}\n", to_json(cluster.name, answers).dump(2));
    } else {
      print_text(cluster.name, answers);
    }
  }
  return code;
}

}  // namespace etcdmon::app::cli
