#include "app/cli/ctl/input/watch_language.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "app/cli/ctl/line/command_line.hpp"
#include "app/cli/ctl/text/go_text.hpp"
#include "app/cli/ctl/text/words.hpp"

namespace etcdmon::app::cli::ctl {

namespace {

tl::unexpected<Exit> misused(std::string message) {
  return tl::unexpected(Exit{ExitCode::kBadArguments, std::move(message)});
}

}  // namespace

tl::expected<WatchTarget, Exit> watch_target(const Request& request,
                                             const WatchEnvironment& environment) {
  if (environment.key.empty() && !environment.range_end.empty()) {
    return misused(fmt::format("ETCDCTL_WATCH_KEY is empty but got ETCDCTL_WATCH_RANGE_END={}",
                               go_quoted(environment.range_end)));
  }
  const auto& words = request.arguments;
  const auto count = std::min(request.dashes.value_or(words.size()), words.size());
  WatchTarget target;
  target.command.assign(words.begin() + static_cast<std::ptrdiff_t>(count), words.end());
  if (request.dashes && target.command.empty()) {
    return misused("bad number of arguments (found separator --, but no commands)");
  }
  if (!environment.key.empty()) {
    if (count > 0) {
      return misused("bad number of arguments (found conflicting environment key)");
    }
    target.key = environment.key;
    if (!environment.range_end.empty()) target.range_end = environment.range_end;
  } else {
    if (count < 1 || count > 2) return misused("bad number of arguments");
    target.key = words[0];
    if (count == 2) target.range_end = words[1];
  }
  if (target.range_end && request.flags.on("prefix")) {
    return misused("`range_end` and `--prefix` are mutually exclusive");
  }
  return target;
}

InteractiveLine parse_watch_line(std::string_view line, const WatchEnvironment& environment) {
  auto words = words_of(line);
  if (!words) return Exit{ExitCode::kInvalidInput, words.error().message};
  if (words->empty()) {
    return RefusedLine{fmt::format("Invalid command: {} (watch and progress supported)", line)};
  }
  if (words->front() == "progress") return ProgressLine{};
  if (words->front() != "watch") {
    return RefusedLine{fmt::format("Invalid command {} (only support watch)", line)};
  }
  if (words->size() < 2 && environment.key.empty()) {
    return RefusedLine{
        fmt::format("Invalid command {} (command type or key is not provided)", line)};
  }
  const auto* const command = find_command_spec("watch");
  WatchLine out;
  out.request.flags = FlagValues({command->flags.begin(), command->flags.end()});
  auto arguments = parse_flags(out.request.flags, std::span(*words).subspan(1));
  if (!arguments) return Exit{ExitCode::kBadArguments, arguments.error().message};
  out.request.arguments = std::move(arguments->words);
  out.request.dashes = arguments->dashes;
  auto target = watch_target(out.request, environment);
  if (!target) return std::move(target).error();
  out.target = *std::move(target);
  return out;
}

}  // namespace etcdmon::app::cli::ctl
