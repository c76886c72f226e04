// rpc/metadata.hpp: header fields that go with a call, such as etcd's "token".
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace etcdmon::rpc {

/// Names in lower case; values as they are sent.
using Metadata = std::vector<std::pair<std::string, std::string>>;

}  // namespace etcdmon::rpc
