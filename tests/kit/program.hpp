// kit/program.hpp: a program that runs beside a test, with everything it says kept.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <utility>
#include <vector>

#include "async/subprocess.hpp"

namespace etcdmon::kit {

/// The monitor under test, a server. Killed, with its children, on destruction. Throws
/// std::runtime_error when it cannot be started.
///
/// Threads: one, and the one that made it must live as long.
class Program {
 public:
  explicit Program(std::vector<std::string> argv,
                   std::vector<std::pair<std::string, std::string>> environment = {});
  ~Program();

  pid_t pid() const;
  std::string out() const;  ///< so far
  std::string err() const;
  /// Whether it has written this to either stream, at the latest in `limit`.
  bool await_text(std::string_view text,
                  std::chrono::nanoseconds limit = std::chrono::seconds(10)) const;

  void signal(int number);
  /// How it ended, or nullopt when it still runs after `limit`.
  std::optional<async::ExitStatus> wait(std::chrono::nanoseconds limit = std::chrono::seconds(10));
  /// SIGTERM, then wait(): for tests that a stop is clean and in time.
  std::optional<async::ExitStatus> terminate(
      std::chrono::nanoseconds limit = std::chrono::seconds(10));

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// An answer to an HTTP request, by curl.
struct Fetched {
  int status = 0;  ///< 0: no answer
  std::string body{};
  std::string headers{};  ///< as they came
  std::string error{};    ///< what curl said, where there was no whole answer
};

/// `more`: further arguments of curl: {"-X", "POST"}, {"--cacert", path}, {"-H", "If-None-Match:
/// 1"}.
Fetched fetch(const std::string& url, std::vector<std::string> more = {});

}  // namespace etcdmon::kit
