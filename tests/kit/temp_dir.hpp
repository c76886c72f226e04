// kit/temp_dir.hpp: a folder for one test.
#pragma once

#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include "app/demo/scratch_dir.hpp"

namespace etcdmon::kit {

/// Removed with the object. Throws std::runtime_error where no folder can be made.
class TempDir {
 public:
  TempDir() : dir_(make("")) {}
  explicit TempDir(std::filesystem::path parent) : dir_(make(std::move(parent))) {}

  const std::filesystem::path& path() const { return dir_.path(); }
  std::string file(std::string_view name) const { return (path() / name).string(); }

  /// Writes a file and returns its path.
  std::string write(std::string_view name, std::string_view text) const {
    std::ofstream(file(name), std::ios::binary) << text;
    return file(name);
  }
  std::string read(std::string_view name) const {
    std::ifstream in(file(name), std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }

 private:
  static app::demo::ScratchDir make(std::filesystem::path parent) {
    auto dir = app::demo::ScratchDir::make(std::move(parent), app::demo::ScratchDir::Fate::kRemove);
    if (!dir) throw std::runtime_error(dir.error().message);
    return *std::move(dir);
  }

  app::demo::ScratchDir dir_;
};

}  // namespace etcdmon::kit
