// app/load_settings.hpp: from a command line, the environment and a file to settings.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "app/settings.hpp"
#include "config/flags.hpp"
#include "config/issue.hpp"
#include "config/loader.hpp"

namespace etcdmon::app {

/// Read when there is no --config, if it is there.
constexpr std::string_view kDefaultConfigFile = "config.yaml";

/// Watched when nobody names a cluster, as etcdctl does it.
constexpr std::string_view kDefaultEndpoint = "127.0.0.1:2379";

struct LoadRequest {
  std::vector<std::string> arguments;  ///< without the program and the command
  config::Environment environment;
  config::ReadFile read_file = config::read_file;
  std::vector<config::FlagSpec> extra_flags =
      {};                        ///< of the command itself; their values are left in Loaded::flags
  bool takes_arguments = false;  ///< false: a word that is no flag is an issue
  /// What is wrong with the command's own flags and arguments, told with all the rest. May be
  /// empty.
  std::function<std::vector<config::Issue>(const config::ParsedFlags&)> check_flags = {};
};

struct Loaded {
  Settings settings;                  ///< only where issues is empty
  config::ParsedFlags flags;          ///< all that were given, and the arguments
  std::vector<config::Issue> issues;  ///< not empty: nothing may start, exit code 2
  std::vector<std::string> warnings;  ///< to be logged at start
  std::vector<std::string>
      files;  ///< configuration and secrets that were read: worth a reload when they change
  bool wants_help = false;  ///< --help or --version: nothing else was read
  bool wants_version = false;
};

/// Pure but for `read_file`. A reload is the same request again, and config::diff() of the
/// settings.
Loaded load_settings(const LoadRequest& request);

/// Every flag that load_settings() knows: the settings' own, --config, --version and --help.
std::vector<config::FlagSpec> settings_flags();

/// This process's environment.
config::Environment process_environment();

}  // namespace etcdmon::app
