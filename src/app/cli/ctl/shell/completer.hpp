// app/cli/ctl/shell/completer.hpp: what may be typed next in `ctl shell`.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace etcdmon::app::cli::ctl {

/// Keys that begin so, few of them.
using KeySource = std::function<std::vector<std::string>(const std::string& prefix)>;

/// The words that `word`, the last of `line`, may become: commands, flags, or keys where a command
/// takes keys. Sorted.
std::vector<std::string> completions(std::string_view line, const std::string& word,
                                     const KeySource& keys);

/// What a line of the shell asks for: without a leading `etcdctl` or `ctl`, as it is pasted from
/// elsewhere.
std::vector<std::string> without_program(std::vector<std::string> words);

/// Lines with a password are not for the history file.
bool may_be_kept(std::string_view line);

}  // namespace etcdmon::app::cli::ctl
