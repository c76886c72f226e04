// app/cli/check_permissions.hpp: `check permissions`.
#pragma once

#include "app/settings.hpp"

namespace etcdmon::app::cli {

/// Prints, for each cluster, what its logins may ask. Returns the exit code.
int check_permissions(const Settings& settings, bool json_output);

}  // namespace etcdmon::app::cli
