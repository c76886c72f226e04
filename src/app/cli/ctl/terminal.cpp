#include "app/cli/ctl/terminal.hpp"

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <unistd.h>
#include <utility>

#include <fmt/format.h>
#include <termios.h>

namespace etcdmon::app::cli::ctl {

namespace {

// What is typed is not shown while this lives, also when it is left by Ctrl-C.
class Hidden {
 public:
  Hidden() : known_(tcgetattr(STDIN_FILENO, &before_) == 0) {
    if (!known_) return;
    termios hidden = before_;
    hidden.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    hidden.c_lflag |= ECHONL;
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden);
  }
  ~Hidden() {
    if (known_) tcsetattr(STDIN_FILENO, TCSANOW, &before_);
  }
  Hidden(const Hidden&) = delete;
  Hidden& operator=(const Hidden&) = delete;

 private:
  termios before_{};
  bool known_;
};

}  // namespace

// Used by one job at a time.
struct Terminal::Input {
  std::string buffer;
  bool ended = false;

  // False: nothing came any more, see `ended`; errno says why where it did not end.
  bool fill() {
    std::array<char, 65'536> block;
    ssize_t got = 0;
    do {
      got = ::read(STDIN_FILENO, block.data(), block.size());
    } while (got < 0 && errno == EINTR);
    if (got > 0) {
      buffer.append(block.data(), static_cast<std::size_t>(got));
      return true;
    }
    ended = got == 0;
    return false;
  }

  Result<std::optional<std::string>> line() {
    std::size_t searched = 0;
    for (;;) {
      const auto end = buffer.find('\n', searched);
      if (end != std::string::npos) {
        std::string line = buffer.substr(0, end);
        buffer.erase(0, end + 1);
        return std::optional<std::string>(std::move(line));
      }
      searched = buffer.size();
      if (fill()) continue;
      if (!ended) return failed();
      if (buffer.empty()) return std::optional<std::string>{};
      return std::optional<std::string>(std::exchange(buffer, {}));
    }
  }

  Result<std::string> rest() {
    while (fill()) {
    }
    if (!ended) return failed();
    return std::exchange(buffer, {});
  }

  static Error failed() {
    return Error{ErrorCode::kInternal,
                 fmt::format("reading standard input: {}", std::strerror(errno)), Cause::kLocal};
  }
};

Terminal::Terminal() : input_(std::make_shared<Input>()) {}
Terminal::~Terminal() = default;

bool Terminal::somebody_is_there() const {
  return isatty(STDIN_FILENO) == 1 && isatty(STDERR_FILENO) == 1;
}

Task<Result<std::optional<std::string>>> Terminal::read_line() {
  if (!pool_) pool_.emplace(async::BlockingPool::Options{.name = "input", .threads = 1});
  auto job = [input = input_] { return input->line(); };
  return pool_->run(std::move(job));
}

Task<Result<std::string>> Terminal::read_rest() {
  if (!pool_) pool_.emplace(async::BlockingPool::Options{.name = "input", .threads = 1});
  auto job = [input = input_] { return input->rest(); };
  return pool_->run(std::move(job));
}

Task<Result<Secret>> Terminal::read_password(std::string prompt) {
  fmt::print(stderr, "{}", prompt);
  const Hidden hidden;
  auto line = co_await read_line();
  if (!line) co_return std::move(line).error();
  if (!*line) {
    co_return Error{ErrorCode::kInvalidArgument, "no password was given", Cause::kLocal};
  }
  co_return Secret(**std::move(line));
}

Task<bool> Terminal::agrees(std::string question) {
  fmt::print(stderr, "{} [y/N] ", question);
  auto line = co_await read_line();
  co_return line && *line && (**line == "y" || **line == "yes" || **line == "Y");
}

void Terminal::note(std::string_view line) {
  fmt::print(stderr, "{}\n", line);
}

}  // namespace etcdmon::app::cli::ctl
