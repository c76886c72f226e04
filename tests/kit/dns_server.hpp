// kit/dns_server.hpp: the DNS of a test: names that lead where it says, until they do not.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "kit/netns.hpp"

namespace etcdmon::kit {

/// Answers questions for A, AAAA and SRV records at 127.0.0.1:53 of a network namespace; names that
/// it does not know do not exist. Throws std::runtime_error when it cannot listen there.
///
/// Threads: any; it answers on a thread of its own, and a change holds when its function returns.
class DnsServer {
 public:
  explicit DnsServer(const Netns& net);
  ~DnsServer();

  void address(const std::string& name, const std::string& ipv4);
  void service(const std::string& name, const std::string& target, std::uint16_t port);
  void forget(const std::string& name);
  /// Whether questions are taken and never answered.
  void ignore(bool on);

  /// Programs put after this one find the server: it gives them their own /etc/resolv.conf. Needs
  /// a mount namespace; `folder` must outlive the programs.
  static std::vector<std::string> resolve_there(const std::string& folder);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace etcdmon::kit
