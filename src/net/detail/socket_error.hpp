// net/detail/socket_error.hpp: errno in the words and causes of etcd-monitor.
#pragma once

#include <string_view>

#include "base/error.hpp"

namespace etcdmon::net::detail {

/// `doing` is what was tried: "connect 127.0.0.1:2379".
Error socket_error(std::string_view doing, int error_number);

/// Our own deadline, not the kernel's: kDeadlineExceeded with Cause::kTimeout.
Error timeout_error(std::string_view doing, std::string_view what);

}  // namespace etcdmon::net::detail
