// app/cli/start_up.hpp: what every command that reads settings does first.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "app/load_settings.hpp"
#include "base/log.hpp"

namespace etcdmon::app::cli {

/// How a command introduces itself in --help.
struct Usage {
  std::string line;      ///< "etcd-monitor check [flags]"
  std::string about;     ///< a paragraph
  std::string examples;  ///< lines, indented by two
};

struct StartUp {
  LoadRequest request;
  Loaded loaded;
};

/// Loads settings, prints help, version or all issues. An exit code in `exit` means: done.
struct StartUpResult {
  std::optional<StartUp> start_up;
  int exit = 0;
};
/// What is wrong with a command's own flags and arguments.
using CheckFlags = std::function<std::vector<config::Issue>(const config::ParsedFlags&)>;
StartUpResult start_up(const std::vector<std::string>& arguments, const Usage& usage,
                       std::vector<config::FlagSpec> extra_flags = {}, bool takes_arguments = false,
                       CheckFlags check_flags = {});

Logger make_logger(const LoggingSettings& settings);

}  // namespace etcdmon::app::cli
