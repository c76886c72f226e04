#include "kit/netns.hpp"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <stdexcept>
#include <thread>
#include <unistd.h>

#include <fmt/format.h>
#include <sched.h>

#include "kit/command.hpp"

namespace etcdmon::kit {

Netns Netns::make() {
  int fd = -1;
  int number = 0;
  // On a thread that ends with it: this one stays where it is.
  std::thread([&fd, &number] {
    if (::unshare(CLONE_NEWNET) == 0) fd = ::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
    number = errno;
  }).join();
  if (fd < 0) {
    throw std::runtime_error(
        fmt::format("cannot make a network namespace: {}", std::strerror(number)));
  }
  return Netns(fd);
}

Netns::~Netns() {
  if (fd_ >= 0) ::close(fd_);
}

std::string Netns::path() const {
  return fmt::format("/proc/{}/fd/{}", ::getpid(), fd_);
}

std::vector<std::string> Netns::enter() const {
  return {"nsenter", "--net=" + path()};
}

std::string Netns::must(std::vector<std::string> argv, std::string input) const {
  auto inside = enter();
  for (auto& word : argv) inside.push_back(std::move(word));
  return kit::must(std::move(inside), std::move(input));
}

}  // namespace etcdmon::kit
