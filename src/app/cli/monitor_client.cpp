#include "app/cli/detail/monitor_client.hpp"

#include <chrono>
#include <exception>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <fmt/format.h>

#include "base/units.hpp"
#include "net/http_client.hpp"

namespace etcdmon::app::cli {

namespace {

using nlohmann::json;

constexpr std::string_view kServerVariable = "ETCD_MONITOR_SERVER";
constexpr std::size_t kLargestAnswer = 64 << 20;

// Where a listener can be reached from its own machine.
std::string here(const ApiSettings& api) {
  std::string host = api.host;
  if (host.empty() || host == "0.0.0.0") host = "127.0.0.1";
  if (host == "::") host = "::1";
  const bool brackets = host.find(':') != std::string::npos;
  return fmt::format(fmt::runtime(brackets ? "http://[{}]:{}" : "http://{}:{}"), host, api.port);
}

std::string server_of(const Loaded& loaded, const config::Environment& environment) {
  std::string server;
  if (const auto* given = loaded.flags.last("server")) {
    server = *given;
  } else if (const auto it = environment.find(std::string(kServerVariable));
             it != environment.end() && !it->second.empty()) {
    server = it->second;
  } else {
    return here(loaded.settings.api);
  }
  if (server.find("://") == std::string::npos) server.insert(0, "http://");
  while (server.ends_with('/')) server.pop_back();
  return server;
}

ErrorCode code_of(int status) {
  switch (status) {
    case 400:
      return ErrorCode::kInvalidArgument;
    case 401:
    case 403:
      return ErrorCode::kPermissionDenied;
    case 404:
      return ErrorCode::kNotFound;
    default:
      return ErrorCode::kInternal;
  }
}

Task<> send(net::HttpClient& http, net::HttpRequest request, Deadline deadline,
            Result<net::HttpReply>& reply) {
  reply = co_await http.send(std::move(request), deadline);
}

}  // namespace

std::vector<config::FlagSpec> monitor_client_flags() {
  return {{"server", "URL", "The monitor to ask. Without it: where the settings let it listen.", "",
           std::string(kServerVariable), "Server"},
          {"timeout", "duration", "How long to wait for its answer.", "10s", "", "Server"}};
}

Result<MonitorClient> MonitorClient::from(const Loaded& loaded,
                                          const config::Environment& environment) {
  std::chrono::nanoseconds timeout = std::chrono::seconds(10);
  if (const auto* given = loaded.flags.last("timeout")) {
    const auto parsed = parse_duration(*given);
    if (!parsed || *parsed <= std::chrono::nanoseconds(0)) {
      return Error{ErrorCode::kInvalidArgument,
                   fmt::format("--timeout: \"{}\" is no duration; write 10s", *given),
                   Cause::kLocal};
    }
    timeout = *parsed;
  }
  return MonitorClient(server_of(loaded, environment), timeout);
}

Result<json> MonitorClient::ask(std::string method, std::string_view path, std::string body) const {
  Loop loop(1);
  net::Outbound outbound(loop.get_executor());
  net::HttpClient http(outbound);
  net::HttpRequest request{.method = std::move(method),
                           .url = Secret(fmt::format("{}{}", server_, path)),
                           .body = std::move(body),
                           .max_answer = kLargestAnswer};
  if (!request.body.empty()) request.headers.emplace_back("Content-Type", "application/json");
  Result<net::HttpReply> reply;
  std::exception_ptr failure;
  asio::co_spawn(loop,
                 send(http, std::move(request), std::chrono::steady_clock::now() + timeout_, reply),
                 [&](std::exception_ptr exception) { failure = exception; });
  loop.run();
  if (failure) std::rethrow_exception(failure);
  if (!reply) {
    return Error{ErrorCode::kUnavailable,
                 fmt::format("no monitor answers at {}: {}. Is it running? --server=URL names "
                             "another",
                             net::shown_url(Secret(server_)), reply.error().message),
                 Cause::kLocal};
  }
  auto document = json::parse(reply->body, nullptr, false);
  if (document.is_discarded()) {
    return Error{ErrorCode::kInternal,
                 fmt::format("{} answered {} with something that is not JSON: is it a monitor?",
                             net::shown_url(Secret(server_)), reply->status),
                 Cause::kLocal};
  }
  if (reply->status < 400) return document;
  const auto title = document.value("title", fmt::format("HTTP status {}", reply->status));
  return Error{code_of(reply->status), document.value("detail", title), Cause::kLocal};
}

Result<std::vector<std::string>> MonitorClient::clusters() const {
  ETCDMON_TRY(const auto answer, get("/api/v1/clusters"));
  std::vector<std::string> names;
  for (const auto& cluster : answer.value("clusters", json::array()))
    names.push_back(cluster.value("name", ""));
  return names;
}

std::string url_escape(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       std::string_view("-._~").find(c) != std::string_view::npos;
    if (plain) {
      out += c;
    } else {
      fmt::format_to(std::back_inserter(out), "%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return out;
}

}  // namespace etcdmon::app::cli
