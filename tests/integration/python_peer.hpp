// integration/python_peer.hpp: a server of tests/kit/python, run for one test.
#pragma once

#include <chrono>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "async/subprocess.hpp"
#include "kit/run.hpp"

namespace etcdmon {

/// Lifetime: `loop` must outlive it. The server ends with it.
class PythonPeer {
 public:
  PythonPeer(Loop& loop, const std::string& script, std::vector<std::string> arguments = {})
      : process_(start(loop, std::string(ETCDMON_SOURCE_DIR "/tests/kit/python/") + script,
                       std::move(arguments))) {
    const auto line = kit::run(loop, process_.read_line(async::Subprocess::Output::kOut));
    if (!line || !*line) throw std::runtime_error(script + " said nothing");
    ports_ = nlohmann::json::parse(**line);
  }

  std::uint16_t port(const std::string& name) const { return ports_.at(name).get<std::uint16_t>(); }
  async::Subprocess& process() { return process_; }

 private:
  static async::Subprocess start(Loop& loop, const std::string& path,
                                 std::vector<std::string> arguments) {
    async::Subprocess::Options options;
    // Debian's modules are found by Debian's interpreter only.
    options.argv = {"/usr/bin/python3", path};
    for (auto& argument : arguments) options.argv.push_back(std::move(argument));
    options.in = async::Stdio::pipe();
    options.out = async::Stdio::pipe();
    auto process = async::Subprocess::start(loop.get_executor(), std::move(options));
    if (!process) throw std::runtime_error(process.error().message);
    return *std::move(process);
  }

  async::Subprocess process_;
  nlohmann::json ports_;
};

}  // namespace etcdmon
