#include "app/load_settings.hpp"

#include <algorithm>
#include <array>
#include <string_view>
#include <unistd.h>
#include <utility>

#include <fmt/format.h>

#include "alert/rule_file.hpp"
#include "app/named_files.hpp"

namespace etcdmon::app {

namespace {

std::vector<config::FlagSpec> general_flags() {
  return {
      {"config", "file", "Configuration file. Without it, ./config.yaml is read if it is there.",
       "", "ETCD_MONITOR_CONFIG", "General"},
      {"run-benchmark", "",
       "Measure the cluster's performance and exit: the same as `etcd-monitor bench`, whose flags "
       "it takes.",
       "", "", "Benchmark"},
      {"version", "", "Print the version and exit.", "", "", "General"},
      {"help", "", "Print this and exit.", "", "", "General"}};
}

std::string variable(std::string_view name) {
  return fmt::format("{}{}", config::kEnvironmentPrefix, name);
}

// "name:password", as etcdctl takes it, where the password is not given otherwise.
void split_user_flag(std::vector<config::FlagValue>& flags) {
  const auto is_password = [](const config::FlagValue& flag) {
    return flag.name == "password" || flag.name == "password-file";
  };
  if (std::ranges::any_of(flags, is_password)) return;
  const auto user = std::find_if(flags.rbegin(), flags.rend(),
                                 [](const config::FlagValue& flag) { return flag.name == "user"; });
  if (user == flags.rend()) return;
  const auto colon = user->value.find(':');
  if (colon == std::string::npos) return;
  config::FlagValue password{"password", user->value.substr(colon + 1)};
  user->value.resize(colon);
  flags.push_back(std::move(password));
}

void split_user_variable(config::Environment& environment) {
  const auto given = [&environment](const std::string& name) {
    const auto it = environment.find(name);
    return it != environment.end() && !it->second.empty();
  };
  if (given(variable("PASSWORD")) || given(variable("PASSWORD_FILE"))) return;
  const auto user = environment.find(variable("USER"));
  if (user == environment.end()) return;
  const auto colon = user->second.find(':');
  if (colon == std::string::npos) return;
  environment[variable("PASSWORD")] = user->second.substr(colon + 1);
  user->second.resize(colon);
}

// The file's name and how it was asked for; an empty name stands for "if it is there".
struct ConfigFile {
  std::string path;
  std::string asked_by;
};

ConfigFile config_file(const Loaded& loaded, const config::Environment& environment) {
  if (const auto* path = loaded.flags.last("config")) return {*path, "--config"};
  const auto it = environment.find(variable("CONFIG"));
  if (it != environment.end() && !it->second.empty()) return {it->second, it->first};
  return {std::string(kDefaultConfigFile), {}};
}

void apply_file(const LoadRequest& request, Loaded& loaded, config::Loader& loader) {
  const auto [path, asked_by] = config_file(loaded, request.environment);
  const auto text = request.read_file(path);
  if (text) {
    loader.apply_yaml(*text, path);
    loaded.files.push_back(path);
    return;
  }
  if (asked_by.empty() && text.error().code == ErrorCode::kNotFound) return;
  loaded.issues.push_back(config::Issue{{asked_by, 0}, {}, text.error().message});
}

// A cluster that no file mentions is the one on this machine, unless flags say where it is.
void complete_clusters(Settings& settings, const config::Loader& loader) {
  if (settings.clusters.empty()) settings.clusters.emplace_back();
  const auto in_file = [&loader](const char* path) {
    return !loader.origin_of(path).source.empty();
  };
  if (in_file("clusters[0]") || in_file("etcd")) return;
  auto& only = settings.clusters.front();
  if (only.endpoints.empty() && only.discovery_srv.empty())
    only.endpoints.emplace_back(kDefaultEndpoint);
}

void read_rule_files(const LoadRequest& request, Loaded& loaded) {
  auto& alerts = loaded.settings.alerts;
  alerts.file_rules.clear();
  for (std::size_t i = 0; i < alerts.rule_files.size(); ++i) {
    for (const auto& name : files_named(alerts.rule_files[i])) {
      const auto text = request.read_file(name);
      if (!text) {
        loaded.issues.push_back(
            {{name, 0}, fmt::format("alerts.rule_files[{}]", i), text.error().message});
        continue;
      }
      loaded.files.push_back(name);
      auto file = alert::parse_rule_file(*text, name);
      for (auto& issue : file.issues) loaded.issues.push_back(std::move(issue));
      for (auto& rule : file.rules) alerts.file_rules.push_back(std::move(rule));
    }
  }
}

template <class T>
void append(std::vector<T>& to, const std::vector<T>& more) {
  to.insert(to.end(), more.begin(), more.end());
}

}  // namespace

std::vector<config::FlagSpec> settings_flags() {
  auto flags = config::flags_of(Settings::schema());
  append(flags, general_flags());
  return flags;
}

Loaded load_settings(const LoadRequest& request) {
  Loaded loaded;
  auto known = settings_flags();
  append(known, request.extra_flags);
  loaded.flags = config::parse_flags(known, request.arguments);
  loaded.wants_help = loaded.flags.is_on("help");
  loaded.wants_version = loaded.flags.is_on("version");
  if (loaded.wants_help || loaded.wants_version) return loaded;

  auto flags = loaded.flags.values;
  split_user_flag(flags);
  auto environment = request.environment;
  split_user_variable(environment);

  config::Loader loader(loaded.settings, request.read_file);
  apply_file(request, loaded, loader);
  loader.apply_environment(environment);
  loader.apply_flags(flags);
  complete_clusters(loaded.settings, loader);
  loader.check();

  append(loaded.issues, loader.issues());
  append(loaded.issues, loaded.flags.issues);
  if (!request.takes_arguments) {
    for (const auto& argument : loaded.flags.arguments) {
      loaded.issues.push_back(
          config::Issue{{argument, 0}, {}, "unexpected argument; flags begin with --"});
    }
  }
  if (request.check_flags) append(loaded.issues, request.check_flags(loaded.flags));
  append(loaded.files, loader.files());
  read_rule_files(request, loaded);
  loaded.warnings = loader.warnings();
  return loaded;
}

config::Environment process_environment() {
  config::Environment environment;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    const auto equals = text.find('=');
    if (equals != std::string_view::npos)
      environment.emplace(text.substr(0, equals), text.substr(equals + 1));
  }
  return environment;
}

}  // namespace etcdmon::app
