#include "app/state_directory.hpp"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <system_error>

#include <fmt/format.h>

#include "notify/registry.hpp"

namespace etcdmon::app {

namespace {

bool any_channel(const AlertSettings& alerts) {
  return std::ranges::any_of(notify::registry(),
                             [&](const auto& row) { return row.common(alerts).enabled; });
}

}  // namespace

Result<std::string> state_directory(const Settings& settings) {
  std::string directory = settings.storage.directory;
  // systemd's StateDirectory=, which it has made and given to our user.
  if (const char* given = std::getenv("STATE_DIRECTORY"); directory.empty() && given != nullptr)
    directory = given;
  if (directory.empty() && !any_channel(settings.alerts)) return std::string();
  if (directory.empty()) directory = "data";
  std::error_code failure;
  std::filesystem::create_directories(directory, failure);
  if (failure) {
    return Error{ErrorCode::kPermissionDenied,
                 fmt::format("cannot make the directory {} ({}): set storage.directory to one that "
                             "the monitor may write to",
                             directory, failure.message()),
                 Cause::kLocal};
  }
  return directory;
}

}  // namespace etcdmon::app
