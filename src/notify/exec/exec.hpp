// notify/exec/exec.hpp: alerts to a program, as JSON on its standard input.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "notify/channel.hpp"
#include "notify/common_options.hpp"

namespace etcdmon::notify {

struct ExecOptions : CommonOptions {
  std::vector<std::string> command;

  static const config::Schema& schema();
  std::vector<config::Complaint> check() const;
};

/// Exit code 0 is delivered; 65 (EX_DATAERR) says that this message will never be taken; every
/// other one, a signal and a time-out are tried again. The program gets the webhook's JSON.
std::unique_ptr<Channel> make_exec(const ExecOptions& options, const Services& services);

}  // namespace etcdmon::notify
