// app/state_directory.hpp: where the monitor keeps what survives a restart.
#pragma once

#include <string>

#include "app/settings.hpp"
#include "base/result.hpp"

namespace etcdmon::app {

/// storage.directory, else systemd's state directory, else ./data where a channel is enabled; it is
/// made where it is missing. Empty: nothing is kept.
/// Errors: kPermissionDenied.
Result<std::string> state_directory(const Settings& settings);

}  // namespace etcdmon::app
