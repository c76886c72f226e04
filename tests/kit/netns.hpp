// kit/netns.hpp: network namespaces without a name: they vanish with the process that made them.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace etcdmon::kit {

/// A network of its own, held by a descriptor. Nothing is left behind in the file system, not even
/// by a process that is killed; links between namespaces go with them.
class Netns {
 public:
  /// Throws std::runtime_error where this process may not make one.
  static Netns make();

  Netns(Netns&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Netns& operator=(Netns&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Netns();

  /// Names it to programs started by this process: "/proc/PID/fd/N".
  std::string path() const;
  /// Put before a program, this runs it inside.
  std::vector<std::string> enter() const;
  /// What the program printed, run inside. Throws std::runtime_error.
  std::string must(std::vector<std::string> argv, std::string input = {}) const;
  /// Several commands of ip(8), one a line.
  void ip(const std::string& batch) const { must({"ip", "-batch", "-"}, batch); }

 private:
  explicit Netns(int fd) : fd_(fd) {}
  int fd_;
};

}  // namespace etcdmon::kit
