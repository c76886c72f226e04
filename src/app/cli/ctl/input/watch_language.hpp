// app/cli/ctl/input/watch_language.hpp: what `watch` is asked for: by its arguments, by the
// environment, by the lines of `watch -i`.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <tl/expected.hpp>

#include "app/cli/ctl/command.hpp"

namespace etcdmon::app::cli::ctl {

/// ETCDCTL_WATCH_KEY and ETCDCTL_WATCH_RANGE_END; empty: not set.
struct WatchEnvironment {
  std::string key{};
  std::string range_end{};
};

struct WatchTarget {
  std::string key{};
  std::optional<std::string> range_end{};
  std::vector<std::string> command{};  ///< to run for every event; empty: none
};

/// Errors are etcdctl's, with exit code 128.
tl::expected<WatchTarget, Exit> watch_target(const Request& request,
                                             const WatchEnvironment& environment);

/// The lines of `watch -i`.
struct WatchLine {
  Request request{};
  WatchTarget target{};
};
struct ProgressLine {};
struct RefusedLine {
  std::string message;  ///< for standard error; the next line may be better
};
using InteractiveLine = std::variant<WatchLine, ProgressLine, RefusedLine, Exit>;
InteractiveLine parse_watch_line(std::string_view line, const WatchEnvironment& environment);

}  // namespace etcdmon::app::cli::ctl
