// app/cli/detail/monitor_client.hpp: asks a monitor that runs.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "app/load_settings.hpp"
#include "base/result.hpp"
#include "config/flags.hpp"

namespace etcdmon::app::cli {

/// --server and --timeout.
std::vector<config::FlagSpec> monitor_client_flags();

/// The REST API of a running monitor. Every question blocks until it is answered.
class MonitorClient {
 public:
  /// Where the flags say, else ETCD_MONITOR_SERVER, else where the settings let it listen on this
  /// machine. Errors: kInvalidArgument.
  static Result<MonitorClient> from(const Loaded& loaded, const config::Environment& environment);

  /// Errors: kUnavailable: nobody answers there; kNotFound, kInvalidArgument, kPermissionDenied and
  /// kInternal as the API answered, in its words.
  Result<nlohmann::json> get(std::string_view path) const { return ask("GET", path, {}); }
  Result<nlohmann::json> post(std::string_view path, const nlohmann::json& body) const {
    return ask("POST", path, body.dump());
  }
  Result<nlohmann::json> remove(std::string_view path) const { return ask("DELETE", path, {}); }

  /// The names of the clusters that it watches.
  Result<std::vector<std::string>> clusters() const;

 private:
  MonitorClient(std::string server, std::chrono::nanoseconds timeout)
      : server_(std::move(server)), timeout_(timeout) {}

  Result<nlohmann::json> ask(std::string method, std::string_view path, std::string body) const;

  std::string server_;  ///< "http://127.0.0.1:8080"
  std::chrono::nanoseconds timeout_;
};

/// "a b/c" as it may stand in a path or behind "?x=".
std::string url_escape(std::string_view text);

}  // namespace etcdmon::app::cli
