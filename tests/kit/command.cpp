#include "kit/command.hpp"

#include <stdexcept>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "kit/run.hpp"

namespace etcdmon::kit {

async::Captured command(std::vector<std::string> argv, std::string input,
                        std::chrono::nanoseconds limit) {
  async::Subprocess::Options options;
  options.argv = std::move(argv);
  auto said = run(async::capture(std::move(options), std::move(input),
                                 std::chrono::steady_clock::now() + limit));
  if (!said) throw std::runtime_error(said.error().message);
  return *std::move(said);
}

std::string must(std::vector<std::string> argv, std::string input) {
  const std::string line = fmt::format("{}", fmt::join(argv, " "));
  auto said = command(std::move(argv), std::move(input));
  if (!said.status.ok()) {
    throw std::runtime_error(
        fmt::format("{}: {}: {}{}", line, to_string(said.status), said.err, said.out));
  }
  return std::move(said.out);
}

bool has_program(const std::string& name) {
  return command({"sh", "-c", "command -v \"$1\"", "sh", name}).status.ok();
}

}  // namespace etcdmon::kit
