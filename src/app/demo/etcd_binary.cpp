#include "app/demo/etcd_binary.hpp"

#include <cstdlib>
#include <filesystem>
#include <string_view>
#include <unistd.h>
#include <vector>

#include <fmt/format.h>

#include "async/subprocess.hpp"

namespace etcdmon::app::demo {

namespace fs = std::filesystem;

namespace {

bool is_program(const fs::path& path) {
  std::error_code ignored;
  return fs::is_regular_file(path, ignored) && ::access(path.c_str(), X_OK) == 0;
}

std::vector<std::string> candidates() {
  std::vector<std::string> result;
  if (const char* chosen = std::getenv("ETCD_BIN"); chosen != nullptr && *chosen != '\0') {
    // What was asked for by name is used or refused; another version would be a surprise.
    return {chosen};
  }
  const char* path = std::getenv("PATH");
  std::string_view rest = path != nullptr ? path : "";
  while (!rest.empty()) {
    const auto colon = rest.find(':');
    result.push_back(fmt::format("{}/etcd", rest.substr(0, colon)));
    rest = colon == std::string_view::npos ? std::string_view{} : rest.substr(colon + 1);
  }
  result.emplace_back(".deps/etcd-3.5/usr/bin/etcd");
  return result;
}

// "etcd Version: 3.4.23\nGit SHA: …"
bool read_version(std::string_view text, EtcdBinary& binary) {
  constexpr std::string_view kIntro = "etcd Version: ";
  const auto start = text.find(kIntro);
  if (start == std::string_view::npos) return false;
  text.remove_prefix(start + kIntro.size());
  binary.version = text.substr(0, text.find('\n'));
  return std::sscanf(binary.version.c_str(), "%d.%d", &binary.major, &binary.minor) == 2;
}

}  // namespace

Task<Result<EtcdBinary>> query_etcd(std::string path, Deadline deadline) {
  EtcdBinary binary;
  std::error_code ignored;
  const fs::path program =
      fs::is_directory(path, ignored) ? fs::path(path) / "etcd" : fs::path(path);
  if (!is_program(program)) {
    co_return Error{ErrorCode::kNotFound, fmt::format("there is no etcd at {}", program.string())};
  }
  binary.etcd = fs::absolute(program).lexically_normal().string();
  binary.etcdctl = (fs::path(binary.etcd).parent_path() / "etcdctl").string();
  if (!is_program(binary.etcdctl)) {
    co_return Error{ErrorCode::kNotFound,
                    fmt::format("there is no etcdctl beside {}", binary.etcd)};
  }
  async::Subprocess::Options options;
  options.argv = {binary.etcd, "--version"};
  options.unset = {"ETCD_*"};
  auto said = co_await async::capture(std::move(options), "", deadline);
  if (!said) co_return said.error();
  if (!said->status.ok() || !read_version(said->out, binary)) {
    co_return Error{ErrorCode::kFailedPrecondition,
                    fmt::format("{} --version does not answer like etcd", binary.etcd)};
  }
  co_return binary;
}

Task<Result<EtcdBinary>> find_etcd(Deadline deadline) {
  const auto paths = candidates();
  for (const auto& path : paths) {
    std::error_code ignored;
    if (paths.size() > 1 && !is_program(path)) continue;
    co_return co_await query_etcd(path, deadline);
  }
  co_return Error{ErrorCode::kNotFound,
                  "no etcd found: not in $ETCD_BIN, not in PATH, not in .deps/etcd-3.5"};
}

}  // namespace etcdmon::app::demo
