#include "app/cli/ctl/ctl.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <unistd.h>
#include <utility>

#include <fmt/format.h>

#include "app/cli/command.hpp"
#include "app/cli/ctl/command.hpp"
#include "app/cli/ctl/local/local.hpp"
#include "app/cli/ctl/print/reply_printer.hpp"
#include "app/load_settings.hpp"

namespace etcdmon::app::cli::ctl {

namespace {

bool write_all(int descriptor, std::string_view text) {
  while (!text.empty()) {
    const auto written = ::write(descriptor, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return false;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

int refuse(ExitCode code, std::string_view message) {
  fmt::print(stderr, "Error: {}\n", message);
  return static_cast<int>(code);
}

// What the flags say about printing; an Exit says what is wrong with them.
tl::expected<Output, Exit> output_of(const FlagValues& flags) {
  const auto format = parse_format(flags.text("write-out"));
  if (!format) return tl::unexpected(Exit{ExitCode::kBadFeature, format.error().message});
  const auto compat = parse_compat(flags.text("compat"));
  if (!compat) return tl::unexpected(Exit{ExitCode::kBadFeature, compat.error().message});
  const bool root = geteuid() == 0;
  if (flags.on("show-secrets") && !root) {
    return tl::unexpected(
        Exit{ExitCode::kError, "only root may print values below /registry/secrets/"});
  }
  return Output{
      .format = *format,
      .compat = *compat,
      .hex = flags.on("hex"),
      .value_only = flags.find("print-value-only") != nullptr && flags.on("print-value-only"),
      .show_secrets = flags.on("show-secrets")};
}

}  // namespace

int run_line(const std::vector<std::string>& words, Environment environment) {
  auto line = parse_command_line(words, environment);
  if (!line) {
    refuse(ExitCode::kError, line.error().message);
    fmt::print(stderr, "Run 'etcd-monitor ctl help' for usage.\n");
    return static_cast<int>(ExitCode::kError);
  }
  for (const auto& remark : line->remarks) fmt::print(stderr, "Warning: {}\n", remark);
  if (!line->help.empty()) {
    fmt::print("{}", line->help);
    return 0;
  }
  const auto output = output_of(line->flags);
  if (!output) return refuse(output.error().code, output.error().message);
  ReplyPrinter printer(*output,
                       {[](std::string_view text) { return write_all(STDOUT_FILENO, text); },
                        [](std::string_view text) { return write_all(STDERR_FILENO, text); }});
  std::fflush(stdout);
  Request request{std::move(line->flags), std::move(line->arguments), line->dashes};
  const auto path = line->command->path;
  const auto local = std::ranges::find(local_commands(), path, &LocalCommand::path);
  if (local != local_commands().end()) {
    const auto exit = local->run(request, printer);
    const bool told = printer.flush();
    if (!exit.message.empty()) return refuse(exit.code, exit.message);
    if (!told) return refuse(ExitCode::kIo, "standard output does not take any more");
    return static_cast<int>(exit.code);
  }
  const auto command = std::ranges::find(commands(), path, &Command::path);
  if (command == commands().end()) {
    return refuse(ExitCode::kError, fmt::format("{} cannot be done by this program", path));
  }
  return execute(*command, std::move(request), printer);
}

}  // namespace etcdmon::app::cli::ctl

namespace etcdmon::app::cli {

int run_ctl(const std::vector<std::string>& arguments) {
  const auto environment = process_environment();
  const std::vector<std::pair<std::string, std::string>> variables(environment.begin(),
                                                                   environment.end());
  return ctl::run_line(arguments, variables);
}

}  // namespace etcdmon::app::cli
