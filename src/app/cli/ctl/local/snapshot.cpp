// `ctl snapshot status` and `ctl snapshot restore`: from a file, without a server.
#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <string>
#include <unistd.h>
#include <vector>

#include <fmt/format.h>

#include "app/cli/ctl/bolt/bolt_file.hpp"
#include "app/cli/ctl/bolt/snapshot_status.hpp"
#include "app/cli/ctl/line/command_table.hpp"
#include "app/cli/ctl/local/local.hpp"
#include "app/cli/ctl/print/output.hpp"

namespace etcdmon::app::cli::ctl {

namespace {

constexpr std::string_view kWrongSum =
    "the file's SHA-256 is not that of its content: it is damaged, or was cut off";

// Etcd's own programs that can restore, best first.
constexpr std::array<const char*, 2> kRestorers = {"etcdutl", "etcdctl"};

bool is_in_path(std::string_view program) {
  const char* const path = std::getenv("PATH");
  if (path == nullptr) return false;
  std::string_view rest = path;
  while (!rest.empty()) {
    const auto folder = rest.substr(0, rest.find(':'));
    rest.remove_prefix(std::min(folder.size() + 1, rest.size()));
    if (access((std::filesystem::path(folder) / program).c_str(), X_OK) == 0) return true;
  }
  return false;
}

std::vector<std::string> restore_command(const char* program, const Request& request) {
  std::vector<std::string> words{program, "snapshot", "restore", request.arguments[0]};
  for (const auto& flag : find_command_spec("snapshot restore")->flags) {
    if (!request.flags.is_set(flag.name)) continue;
    words.push_back(fmt::format("--{}={}", flag.name, request.flags.text(flag.name)));
  }
  return words;
}

}  // namespace

Exit run_snapshot_status(const Request& request, Printer& printer) {
  if (request.arguments.size() != 1) {
    return bad_arguments("snapshot status requires exactly one argument");
  }
  const auto file = MappedFile::open(request.arguments[0]);
  if (!file) return failed(file.error());
  const auto compat = parse_compat(request.flags.text("compat"));
  if (!compat) return failed(compat.error());
  const auto status = snapshot_status(file->bytes(), *compat);
  if (!status) return failed(with_context(status.error(), request.arguments[0]));
  if (checksum_of(file->bytes()) == Checksum::kWrong) {
    return failed({ErrorCode::kDataLoss, fmt::format("{}: {}", request.arguments[0], kWrongSum)});
  }
  printer.snapshot_status(*status);
  return printer.error().empty() ? Exit{} : Exit{ExitCode::kBadFeature, printer.error()};
}

// Writing a member's log and database is etcd's business: this checks the file and hands over.
Exit run_snapshot_restore(const Request& request, Printer& printer) {
  if (request.arguments.size() != 1) {
    return bad_arguments("snapshot restore requires exactly one argument");
  }
  const auto& flags = request.flags;
  if ((flags.number("bump-revision") > 0) != flags.on("mark-compacted")) {
    return bad_arguments("--mark-compacted required if --revision-bump > 0");
  }
  const auto file = MappedFile::open(request.arguments[0]);
  if (!file) return failed(file.error());
  if (const auto status = snapshot_status(file->bytes(), Compat::k3_6); !status) {
    return failed(with_context(status.error(), request.arguments[0]));
  }
  const auto sum = checksum_of(file->bytes());
  if (sum == Checksum::kWrong && !flags.on("skip-hash-check")) {
    return failed({ErrorCode::kDataLoss, fmt::format("{}: {}", request.arguments[0], kWrongSum)});
  }
  if (sum == Checksum::kNone && !flags.on("skip-hash-check")) {
    return failed({ErrorCode::kFailedPrecondition,
                   fmt::format("{} has no checksum; where it comes from a data folder, say "
                               "--skip-hash-check",
                               request.arguments[0])});
  }
  const auto* const program = std::ranges::find_if(kRestorers, &is_in_path);
  if (program == kRestorers.end()) {
    return failed({ErrorCode::kUnavailable,
                   "the file is whole, but restoring it takes etcdutl (etcd 3.5 and later) or the "
                   "etcdctl of 3.4 or 3.5, and neither is in PATH"});
  }
  printer.flush();
  auto words = restore_command(*program, request);
  std::vector<char*> argv;
  for (auto& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  ::setenv("ETCDCTL_API", "3", 1);
  ::execvp(*program, argv.data());
  return failed({ErrorCode::kUnavailable, fmt::format("{}: {}", *program, std::strerror(errno))});
}

}  // namespace etcdmon::app::cli::ctl
