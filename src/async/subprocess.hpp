// async/subprocess.hpp: a child process on the loop: its end, its streams, and a polite way to stop
// it.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <utility>
#include <vector>

#include "async/task.hpp"
#include "base/clock.hpp"
#include "base/result.hpp"

namespace etcdmon::async {

/// How a process ended.
struct ExitStatus {
  int code = 0;    ///< its exit code; 128 + signal where a signal ended it, as shells count
  int signal = 0;  ///< 0: it ended by itself

  bool ok() const { return code == 0; }
  bool operator==(const ExitStatus&) const = default;
};

/// "exit code 2", "killed by SIGKILL".
std::string to_string(ExitStatus status);

/// What one of the child's three standard streams is connected to.
struct Stdio {
  enum class Kind { kNull, kInherit, kPipe, kFile };

  Kind kind = Kind::kNull;
  std::string path;  ///< of a kFile: appended to, created where it is missing; read for input

  static Stdio null() { return {}; }
  static Stdio inherit() { return {Kind::kInherit, {}}; }
  static Stdio pipe() { return {Kind::kPipe, {}}; }
  static Stdio file(std::string path) { return {Kind::kFile, std::move(path)}; }
};

/// A child process. Nothing but its standard streams is passed on to it: no descriptor, no
/// ignored SIGPIPE, no blocked signal.
///
/// Threads:  the loop only. The kernel kills the child with the *thread* that started it, so
///           start it on a thread that lives as long as it should.
/// Lifetime: must outlive its waiters and readers. Destroying it kills what still runs
///           (the whole group, where it has its own) and reaps it.
/// Cancel:   a cancelled wait, read or write leaves the process running and readable.
class Subprocess {
 public:
  enum class Output { kOut, kErr };

  struct Options {
    /// The program and its arguments. A program without a slash is looked up in PATH.
    std::vector<std::string> argv{};
    /// Names to take out of the environment; "ETCD_*" takes all that start so.
    std::vector<std::string> unset{};
    /// Added to the environment, replacing what has the same name.
    std::vector<std::pair<std::string, std::string>> environment{};
    std::string working_directory{};  ///< empty: ours
    Stdio in{};
    Stdio out = Stdio::inherit();
    Stdio err = Stdio::inherit();
    /// Signals and stop() then reach the children of the child too.
    bool own_group = false;
    /// False: the child outlives us if we die without a destructor having run.
    bool die_with_us = true;
  };

  /// Returns once the program runs; blocks for the fork and exec (about a millisecond).
  /// Errors: kNotFound: no such program or directory; kPermissionDenied: not executable;
  ///         kResourceExhausted, kInternal: no process or descriptor to be had.
  static Result<Subprocess> start(Executor executor, Options options);

  Subprocess(Subprocess&&) noexcept;
  Subprocess& operator=(Subprocess&&) noexcept;
  ~Subprocess();

  pid_t pid() const;
  /// How it ended, as far as known by now; nullopt while it runs.
  std::optional<ExitStatus> poll();
  Task<ExitStatus> wait();

  /// Errors: kNotFound once it has ended (never the signal of another process with its pid).
  Result<void> signal(int number);
  /// `first`, then SIGKILL once `grace` is over; returns when it has ended.
  Task<ExitStatus> stop(std::chrono::nanoseconds grace, int first);
  Task<ExitStatus> stop(std::chrono::nanoseconds grace);  ///< with SIGTERM

  /// The next line without its newline, nullopt at the end. A last line without a newline counts;
  /// one above 64 KiB comes in pieces. One reader per stream at a time; the stream must be a pipe.
  Task<Result<std::optional<std::string>>> read_line(Output from);
  /// All up to the end. Errors: kResourceExhausted above `limit` bytes.
  Task<Result<std::string>> read_to_end(Output from, std::size_t limit);
  /// Errors: kUnavailable when the child closed its input.
  Task<Result<void>> write(std::string data);
  void close_input();

 private:
  struct State;
  explicit Subprocess(std::unique_ptr<State> state);

  std::unique_ptr<State> state_;
};

/// What a program that was run to its end has said.
struct Captured {
  ExitStatus status;
  std::string out;
  std::string err;
};

/// Runs a program to its end with `input` on its standard input. Streams set in `options` are
/// replaced; the program gets a process group of its own.
/// Errors: those of Subprocess::start; kDeadlineExceeded (it is killed then); kResourceExhausted
///         above 64 MiB of output. An exit code other than 0 is not an error.
/// Cancel: kills the program.
Task<Result<Captured>> capture(Subprocess::Options options, std::string input, Deadline deadline);

}  // namespace etcdmon::async
