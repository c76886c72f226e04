#include "app/demo/scratch_dir.hpp"

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <string>
#include <sys/file.h>
#include <unistd.h>

#include <fmt/format.h>

namespace etcdmon::app::demo {

namespace fs = std::filesystem;

namespace {

using namespace std::chrono_literals;

constexpr std::string_view kPrefix = "etcdmon-";
constexpr std::string_view kKeptPrefix = "etcdmon-kept-";

// The lock, or -1 while its owner lives. It ends with the process, also with one in another pid
// namespace.
int lock_folder(const fs::path& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0 || ::flock(fd, LOCK_EX | LOCK_NB) == 0) return fd;
  ::close(fd);
  return -1;
}

void remove_orphans(const fs::path& parent) {
  std::error_code ignored;
  for (fs::directory_iterator entry(parent, ignored), end; entry != end; entry.increment(ignored)) {
    const std::string name = entry->path().filename().string();
    if (!name.starts_with(kPrefix) || name.starts_with(kKeptPrefix)) continue;
    // A young one may not have been locked yet.
    const auto changed = fs::last_write_time(entry->path(), ignored);
    if (ignored || fs::file_time_type::clock::now() - changed < 60s) continue;
    const int lock = lock_folder(entry->path());
    if (lock < 0) continue;
    fs::remove_all(entry->path(), ignored);
    ::close(lock);
  }
}

}  // namespace

Result<ScratchDir> ScratchDir::make(fs::path parent, Fate fate) {
  std::error_code error;
  if (parent.empty()) parent = fs::temp_directory_path(error);
  remove_orphans(parent);
  std::string pattern =
      fmt::format("{}/{}XXXXXX", parent.string(), fate == Fate::kKeep ? kKeptPrefix : kPrefix);
  if (::mkdtemp(pattern.data()) == nullptr) {
    const auto code = errno == ENOENT   ? ErrorCode::kNotFound
                      : errno == EACCES ? ErrorCode::kPermissionDenied
                                        : ErrorCode::kResourceExhausted;
    return Error{code,
                 fmt::format("making a folder in {}: {}", parent.string(), std::strerror(errno))};
  }
  return ScratchDir(pattern, lock_folder(pattern), fate);
}

ScratchDir& ScratchDir::operator=(ScratchDir&& other) noexcept {
  remove();
  path_ = std::exchange(other.path_, {});
  lock_ = std::exchange(other.lock_, -1);
  fate_ = other.fate_;
  return *this;
}

void ScratchDir::remove() {
  if (path_.empty()) return;
  std::error_code ignored;
  if (fate_ == Fate::kRemove) fs::remove_all(path_, ignored);
  if (lock_ >= 0) ::close(lock_);
  path_.clear();
}

}  // namespace etcdmon::app::demo
