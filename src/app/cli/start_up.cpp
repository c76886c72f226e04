#include "app/cli/start_up.hpp"

#include <cstdio>
#include <utility>

#include <fmt/format.h>

#include "app/cli/command.hpp"
#include "config/flags.hpp"

namespace etcdmon::app::cli {

namespace {

void print_help(const Usage& usage, const std::vector<config::FlagSpec>& extra) {
  fmt::print("Usage: {}\n\n{}\n\n", usage.line, usage.about);
  if (!usage.examples.empty()) fmt::print("Examples:\n{}\n", usage.examples);
  auto flags = extra;
  for (auto& flag : settings_flags()) flags.push_back(std::move(flag));
  fmt::print("{}", config::flag_help(flags));
}

}  // namespace

StartUpResult start_up(const std::vector<std::string>& arguments, const Usage& usage,
                       std::vector<config::FlagSpec> extra_flags, bool takes_arguments,
                       CheckFlags check_flags) {
  StartUp out;
  out.request.arguments = arguments;
  out.request.environment = process_environment();
  out.request.extra_flags = std::move(extra_flags);
  out.request.takes_arguments = takes_arguments;
  out.request.check_flags = std::move(check_flags);
  out.loaded = load_settings(out.request);
  if (out.loaded.wants_help) {
    print_help(usage, out.request.extra_flags);
    return {std::nullopt, kOk};
  }
  if (out.loaded.wants_version) return {std::nullopt, run_version({})};
  if (!out.loaded.issues.empty()) {
    fmt::print(stderr, "{}", config::to_string(out.loaded.issues));
    fmt::print(stderr, "etcd-monitor: nothing was started; see {} --help\n",
               usage.line.substr(0, usage.line.find(" [")));
    return {std::nullopt, kUsage};
  }
  return {std::move(out), kOk};
}

Logger make_logger(const LoggingSettings& settings) {
  return Logger(log::stderr_sink(settings.level, settings.format));
}

}  // namespace etcdmon::app::cli
