// app/demo/etcdctl.hpp: asks a cluster through etcdctl, and reads its answers.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "async/task.hpp"
#include "base/clock.hpp"
#include "base/ids.hpp"
#include "base/result.hpp"
#include "base/secret.hpp"

namespace etcdmon::app::demo {

/// A row of `etcdctl member list`.
struct ListedMember {
  MemberId id;
  bool started = false;
  std::string name{};
  std::string peer_url{};
  std::string client_url{};
  bool learner = false;
};

/// Errors:   kUnknown: etcdctl's exit code was not 0, with what it said; kDeadlineExceeded;
///           those of starting it.
/// Lifetime: must outlive its coroutines.
class Etcdctl {
 public:
  struct Options {
    std::string program{};
    std::vector<std::string> command{};  ///< put before it: nsenter
    std::string ca{};                    ///< empty: plain HTTP, or the system's authorities
    std::string cert{};                  ///< empty: no client certificate
    std::string key{};
  };

  explicit Etcdctl(Options options) : options_(std::move(options)) {}

  /// From now on calls log in with this name and password.
  void log_in(std::string user, Secret password);

  /// What `etcdctl ARGS` printed.
  Task<Result<std::string>> run(std::vector<std::string> endpoints, std::vector<std::string> args,
                                std::string input, Deadline deadline);
  /// Again and again, while it fails and says `while_said`.
  Task<Result<void>> retry(std::vector<std::string> endpoints, std::vector<std::string> args,
                           std::string while_said, Deadline deadline);

  Task<Result<std::vector<ListedMember>>> member_list(std::vector<std::string> endpoints,
                                                      Deadline deadline);
  /// Whether the member at this endpoint says that it leads.
  Task<Result<bool>> leads(std::string endpoint, Deadline deadline);

 private:
  Options options_;
  std::string user_{};
  Secret password_{};
};

/// The rows of `etcdctl member list`, whose fields are separated by commas.
Result<std::vector<ListedMember>> read_member_list(std::string_view text);

}  // namespace etcdmon::app::demo
