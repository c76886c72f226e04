// app/cli/ctl/line/command_table.hpp: every command of `etcd-monitor ctl` with its flags, as its
// users see them.
#pragma once

#include <span>
#include <string_view>

#include "app/cli/ctl/line/flag.hpp"

namespace etcdmon::app::cli::ctl {

struct CommandSpec {
  std::string_view path;       ///< "lease grant"
  std::string_view arguments;  ///< "<ttl>"
  std::string_view summary;    ///< one line for the list
  std::string_view more{};     ///< paragraphs and examples for its own help
  std::span<const Flag> flags{};
};

/// Sorted by path.
std::span<const CommandSpec> command_specs();
/// nullptr: there is none.
const CommandSpec* find_command_spec(std::string_view path);
/// What all commands have; ETCDCTL_* sets these.
std::span<const Flag> global_flags();

}  // namespace etcdmon::app::cli::ctl
