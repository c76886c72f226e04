// kit/monitor.hpp: the real binary, watching what a test tells it to watch.
#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "kit/command.hpp"
#include "kit/program.hpp"
#include "kit/run.hpp"

namespace etcdmon::kit {

inline std::string monitor_binary() {
  return std::string(ETCDMON_BINARY_DIR) + "/bin/etcd-monitor";
}

/// etcd-monitor as a daemon, with its API on a free port of 127.0.0.1. Throws std::runtime_error,
/// with all it said, when it does not serve within ten seconds.
class Monitor {
 public:
  struct Options {
    std::vector<std::string> flags{};
    std::vector<std::pair<std::string, std::string>> environment{};
    std::vector<std::string> inside{};   ///< put before it, and before curl: nsenter
    std::vector<std::string> before{};   ///< put before it alone: unshare
    std::vector<std::string> command{};  ///< "demo"
  };

  explicit Monitor(const Options& options)
      : inside_(options.inside), program_(argv_of(options), options.environment) {
    const std::string before = options.command.empty() ? "API on http://" : "Open  http://";
    if (!program_.await_text(before)) throw std::runtime_error(said("does not serve"));
    const auto out = program_.out();
    const auto begin = out.find(before) + before.size();
    address_ = out.substr(begin, out.find_first_of("/ \n", begin) - begin);
  }

  Program& program() { return program_; }
  std::string url(const std::string& path = {}) const { return "http://" + address_ + path; }

  nlohmann::json json(const std::string& path) const {
    auto words = inside_;
    words.insert(words.end(), {"curl", "-sS", "--max-time", "10", url(path)});
    return nlohmann::json::parse(must(std::move(words)));
  }
  /// The first status of the cluster that `condition` holds for; throws, with the last one, when
  /// there is none within `limit`.
  template <class Condition>
  nlohmann::json until(Condition condition, std::chrono::nanoseconds limit, const std::string& what,
                       const std::string& path = "/api/v1/cluster/status") const {
    nlohmann::json last;
    const bool met = eventually(
        [&] {
          last = json(path);
          return condition(last);
        },
        limit);
    if (!met) throw std::runtime_error(said("not in time: " + what + "\n" + last.dump(1)));
    return last;
  }
  std::string said(const std::string& about) const {
    return about + "\n--- stdout\n" + program_.out() + "\n--- stderr\n" + program_.err();
  }

 private:
  static std::vector<std::string> argv_of(const Options& options) {
    std::vector<std::string> argv = options.inside;
    argv.insert(argv.end(), options.before.begin(), options.before.end());
    argv.push_back(monitor_binary());
    argv.insert(argv.end(), options.command.begin(), options.command.end());
    argv.insert(argv.end(), {"--api-host=127.0.0.1", "--api-port=0"});
    argv.insert(argv.end(), options.flags.begin(), options.flags.end());
    return argv;
  }

  std::vector<std::string> inside_;
  Program program_;
  std::string address_;
};

}  // namespace etcdmon::kit
