// kit/command.hpp: runs a program to its end, blocking.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "async/subprocess.hpp"

namespace etcdmon::kit {

/// What the program said. Throws std::runtime_error when it could not be run or took too long.
async::Captured command(std::vector<std::string> argv, std::string input = {},
                        std::chrono::nanoseconds limit = std::chrono::seconds(30));

/// Its standard output; an exit code other than 0 is thrown too, with what it said.
std::string must(std::vector<std::string> argv, std::string input = {});

/// Whether a program of this name is in PATH.
bool has_program(const std::string& name);

}  // namespace etcdmon::kit
