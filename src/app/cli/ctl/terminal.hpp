// app/cli/ctl/terminal.hpp: standard input, line by line, and the person in front of it.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "async/blocking_pool.hpp"
#include "async/task.hpp"
#include "base/secret.hpp"

namespace etcdmon::app::cli::ctl {

/// Reading waits on a thread of its own, so that Ctrl-C is heard meanwhile.
///
/// Threads: the loop only.
/// Cancel:  at once; what the thread reads later is lost.
class Terminal {
 public:
  Terminal();
  ~Terminal();

  /// Somebody can be asked: input and the place where questions go are a terminal.
  bool somebody_is_there() const;

  /// Without the newline; nullopt at the end of the input.
  Task<Result<std::optional<std::string>>> read_line();
  /// All that is left of the input, as it is.
  Task<Result<std::string>> read_rest();
  /// Asks on standard error, without showing what is typed.
  Task<Result<Secret>> read_password(std::string prompt);
  /// Asks a question on standard error; true for "y" or "yes".
  Task<bool> agrees(std::string question);

  /// A line on standard error.
  static void note(std::string_view line);

 private:
  struct Input;

  std::shared_ptr<Input> input_;
  std::optional<async::BlockingPool> pool_;  ///< made when something is read
};

}  // namespace etcdmon::app::cli::ctl
