// kit/redis_server.hpp: a real redis-server that can be killed and come back.
#pragma once

#include <csignal>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "app/demo/reserved_port.hpp"
#include "kit/command.hpp"
#include "kit/program.hpp"
#include "kit/temp_dir.hpp"

namespace etcdmon::kit {

/// On a free port of 127.0.0.1, which stays its own while it is away; what it took is on its disk.
/// Throws std::runtime_error when it does not serve.
class RedisServer {
 public:
  /// `more` is put on its command line; it takes the port by --tls-port where `tls` is set. Does
  /// not start it.
  explicit RedisServer(bool tls = false, std::vector<std::string> more = {}) {
    auto port = app::demo::ReservedPort::take("127.0.0.1");
    if (!port) throw std::runtime_error(port.error().message);
    port_ = *std::move(port);
    argv_ = {"redis-server",       "--bind",       "127.0.0.1", "--save",        "",      "--dir",
             dir_.path().string(), "--appendonly", "yes",       "--appendfsync", "always"};
    const auto number = std::to_string(port_.number());
    if (tls) argv_.insert(argv_.end(), {"--port", "0"});
    argv_.insert(argv_.end(), {tls ? "--tls-port" : "--port", number});
    argv_.insert(argv_.end(), more.begin(), more.end());
  }

  void start() {
    server_.emplace(argv_);
    if (!server_->await_text("Ready to accept connections"))
      throw std::runtime_error("no redis-server: " + server_->out() + server_->err());
  }
  void kill() {
    server_->signal(SIGKILL);
    server_->wait();
  }

  std::uint16_t port() const { return port_.number(); }
  std::string url() const { return "redis://127.0.0.1:" + std::to_string(port()); }
  std::string cli(std::vector<std::string> words) const {
    words.insert(words.begin(), {"redis-cli", "-p", std::to_string(port())});
    return must(std::move(words));
  }

 private:
  TempDir dir_;
  app::demo::ReservedPort port_;
  std::vector<std::string> argv_;
  std::optional<Program> server_;
};

}  // namespace etcdmon::kit
