// app/demo/scratch_dir.hpp: a folder that goes with the process that made it.
#pragma once

#include <filesystem>
#include <utility>

#include "base/result.hpp"

namespace etcdmon::app::demo {

/// A new folder "etcdmon-XXXXXX", removed with everything in it on destruction. It is locked while
/// its owner lives: make() removes the folders whose owner was killed, so that nothing piles up.
class ScratchDir {
 public:
  enum class Fate { kRemove, kKeep };

  /// `parent` empty: the system's folder for temporary files.
  /// A kept one is named "etcdmon-kept-XXXXXX" and never removed.
  /// Errors: kNotFound, kPermissionDenied, kResourceExhausted, as mkdtemp says.
  static Result<ScratchDir> make(std::filesystem::path parent, Fate fate);

  ScratchDir(ScratchDir&& other) noexcept
      : path_(std::exchange(other.path_, {})),
        lock_(std::exchange(other.lock_, -1)),
        fate_(other.fate_) {}
  ScratchDir& operator=(ScratchDir&& other) noexcept;
  ~ScratchDir() { remove(); }

  const std::filesystem::path& path() const { return path_; }

 private:
  ScratchDir(std::filesystem::path path, int lock, Fate fate)
      : path_(std::move(path)), lock_(lock), fate_(fate) {}
  void remove();

  std::filesystem::path path_;
  int lock_ = -1;
  Fate fate_ = Fate::kRemove;
};

}  // namespace etcdmon::app::demo
