#include "app/demo/reserved_port.hpp"

#include <cerrno>
#include <cstring>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/ip/tcp.hpp>
#include <fmt/format.h>

#include "async/task.hpp"

namespace etcdmon::app::demo {

Result<ReservedPort> ReservedPort::take(const std::string& address) {
  boost::system::error_code invalid;
  const auto ip = asio::ip::make_address(address, invalid);
  if (invalid) {
    return Error{ErrorCode::kInvalidArgument, fmt::format("{} is not an IP address", address)};
  }
  asio::ip::tcp::endpoint endpoint(ip, 0);
  const int fd = ::socket(endpoint.protocol().family(), SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int yes = 1;
  auto size = static_cast<socklen_t>(endpoint.capacity());
  if (fd < 0 || ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) != 0 ||
      ::bind(fd, endpoint.data(), static_cast<socklen_t>(endpoint.size())) != 0 ||
      ::getsockname(fd, endpoint.data(), &size) != 0) {
    const int number = errno;
    if (fd >= 0) ::close(fd);
    return Error{ErrorCode::kResourceExhausted,
                 fmt::format("taking a port of {}: {}", address, std::strerror(number)),
                 Cause::kLocal};
  }
  return ReservedPort(fd, endpoint.port());
}

ReservedPort::~ReservedPort() {
  if (socket_ >= 0) ::close(socket_);
}

}  // namespace etcdmon::app::demo
