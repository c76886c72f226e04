#include "async/subprocess.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/asio/posix/basic_stream_descriptor.hpp>
#include <boost/asio/this_coro.hpp>
#include <fmt/format.h>

#include "async/timeout.hpp"
#include "async/when_all.hpp"
#include "base/assert.hpp"

namespace etcdmon::async {

namespace {

using Descriptor = asio::posix::basic_stream_descriptor<Executor>;

constexpr std::size_t kLongestLine = 64U << 10U;
constexpr std::size_t kMostOutput = 64U << 20U;

// A descriptor that is closed with its scope.
class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(other.release()) {}
  Fd& operator=(Fd&& other) noexcept {
    reset();
    fd_ = other.release();
    return *this;
  }
  ~Fd() { reset(); }

  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }
  int release() { return std::exchange(fd_, -1); }
  void reset() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }

 private:
  int fd_ = -1;
};

Error system_error(std::string_view doing, int number) {
  auto code = ErrorCode::kInternal;
  if (number == ENOENT || number == ENOTDIR) code = ErrorCode::kNotFound;
  if (number == EACCES || number == EPERM || number == ENOEXEC) code = ErrorCode::kPermissionDenied;
  if (number == EAGAIN || number == ENOMEM || number == EMFILE || number == ENFILE) {
    code = ErrorCode::kResourceExhausted;
  }
  return Error{code, fmt::format("{}: {}", doing, std::strerror(number)), Cause::kLocal};
}

Result<std::string> find_program(const std::string& name) {
  if (name.find('/') != std::string::npos) return name;
  const char* path = std::getenv("PATH");
  std::string_view rest = path != nullptr ? path : "/usr/local/bin:/usr/bin:/bin";
  while (!rest.empty()) {
    const auto colon = rest.find(':');
    const auto folder = rest.substr(0, colon);
    rest = colon == std::string_view::npos ? std::string_view{} : rest.substr(colon + 1);
    std::string candidate = fmt::format("{}/{}", folder.empty() ? "." : folder, name);
    if (::access(candidate.c_str(), X_OK) == 0 && !std::filesystem::is_directory(candidate)) {
      return candidate;
    }
  }
  return Error{ErrorCode::kNotFound, fmt::format("starting {}: it is not in PATH", name),
               Cause::kLocal};
}

bool is_unset(std::string_view name, const std::vector<std::string>& unset) {
  return std::ranges::any_of(unset, [name](std::string_view pattern) {
    if (pattern.ends_with('*')) return name.starts_with(pattern.substr(0, pattern.size() - 1));
    return name == pattern;
  });
}

std::vector<std::string> make_environment(const Subprocess::Options& options) {
  std::vector<std::string> result;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    const auto name = text.substr(0, text.find('='));
    const bool replaced = std::ranges::any_of(
        options.environment, [name](const auto& added) { return added.first == name; });
    if (!replaced && !is_unset(name, options.unset)) result.emplace_back(text);
  }
  for (const auto& [name, value] : options.environment)
    result.push_back(fmt::format("{}={}", name, value));
  return result;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> result;
  result.reserve(texts.size() + 1);
  for (auto& text : texts) result.push_back(text.data());
  result.push_back(nullptr);
  return result;
}

// All that the child needs, made before the fork: after it only async-signal-safe calls may be
// made.
struct Plan {
  const char* program;
  char* const* argv;
  char* const* environment;
  const char* directory;     // nullptr: stay
  std::array<int, 3> stdio;  // -1: inherit
  int report;                // the write end that tells why exec failed
  pid_t parent;
  bool own_group;
  bool die_with_us;
};

void reset_signals() {
  for (int number = 1; number < NSIG; ++number) {
    struct sigaction action{};
    if (::sigaction(number, nullptr, &action) != 0) continue;
    // What is ignored on purpose stays so (nohup); SIGPIPE only daemons want ignored.
    if (action.sa_handler == SIG_IGN && number != SIGPIPE) continue;
    action = {};
    action.sa_handler = SIG_DFL;
    ::sigaction(number, &action, nullptr);
  }
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

bool connect_streams(Plan& plan) {
  // Out of the way first: the three streams of the parent may have been closed and reused.
  plan.report = ::fcntl(plan.report, F_DUPFD_CLOEXEC, 10);
  for (auto& fd : plan.stdio) {
    if (fd < 0) continue;
    fd = ::fcntl(fd, F_DUPFD_CLOEXEC, 10);
    if (fd < 0) return false;
  }
  for (int i = 0; i < 3; ++i) {
    const int fd = plan.stdio[static_cast<std::size_t>(i)];
    if (fd >= 0 && ::dup2(fd, i) < 0) return false;
  }
  return ::close_range(3, ~0U, CLOSE_RANGE_CLOEXEC) == 0;
}

bool become(Plan& plan) {
  if (plan.die_with_us) {
    if (::prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) return false;
    // The parent may have died before the call took effect.
    if (::getppid() != plan.parent) ::_exit(127);
  }
  if (plan.own_group && ::setpgid(0, 0) != 0) return false;
  if (!connect_streams(plan)) return false;
  if (plan.directory != nullptr && ::chdir(plan.directory) != 0) return false;
  reset_signals();
  ::execve(plan.program, plan.argv, plan.environment);
  return false;
}

pid_t fork_and_become(Plan& plan) {
  // No handler of ours may run in the child: it would write into pipes that both share.
  sigset_t all;
  sigset_t before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  plan.parent = ::getpid();
  const pid_t pid = ::fork();
  if (pid == 0) {
    become(plan);
    const int number = errno;
    const auto written = ::write(plan.report, &number, sizeof number);
    ::_exit(written < 0 ? 126 : 127);
  }
  const int number = errno;
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  errno = number;
  return pid;
}

// 0 once exec has happened (the pipe closes with it), else its errno.
int read_report(int fd) {
  int number = 0;
  ssize_t got = 0;
  do {
    got = ::read(fd, &number, sizeof number);
  } while (got < 0 && errno == EINTR);
  return got == sizeof number ? number : 0;
}

struct Ends {
  Fd ours;
  Fd childs;
};

Result<Ends> open_stream(const Stdio& stdio, int number) {
  Ends ends;
  const bool input = number == 0;
  if (stdio.kind == Stdio::Kind::kPipe) {
    std::array<int, 2> pair{};
    if (::pipe2(pair.data(), O_CLOEXEC) != 0) return system_error("making a pipe", errno);
    ends.ours = Fd(pair[input ? 1 : 0]);
    ends.childs = Fd(pair[input ? 0 : 1]);
  } else if (stdio.kind == Stdio::Kind::kNull) {
    ends.childs = Fd(::open("/dev/null", O_RDWR | O_CLOEXEC));
    if (!ends.childs) return system_error("opening /dev/null", errno);
  } else if (stdio.kind == Stdio::Kind::kFile) {
    const int flags = input ? O_RDONLY : O_WRONLY | O_CREAT | O_APPEND;
    ends.childs = Fd(::open(stdio.path.c_str(), flags | O_CLOEXEC, 0644));
    if (!ends.childs) return system_error(fmt::format("opening {}", stdio.path), errno);
  }
  return ends;
}

// A child that has closed its input must cost an error, not our life: SIGPIPE is held back and
// eaten.
ssize_t write_without_signal(int fd, std::string_view data) {
  sigset_t broken_pipe;
  sigset_t before;
  sigset_t pending;
  ::sigemptyset(&broken_pipe);
  ::sigaddset(&broken_pipe, SIGPIPE);
  ::sigpending(&pending);
  ::pthread_sigmask(SIG_BLOCK, &broken_pipe, &before);
  const ssize_t written = ::write(fd, data.data(), data.size());
  const int number = errno;
  if (written < 0 && number == EPIPE && ::sigismember(&pending, SIGPIPE) == 0) {
    const timespec at_once{};
    ::sigtimedwait(&broken_pipe, nullptr, &at_once);
  }
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  errno = number;
  return written;
}

void throw_cancelled() {
  throw boost::system::system_error(asio::error::operation_aborted);
}

}  // namespace

struct Subprocess::State {
  State(Executor executor, pid_t child, int pid_descriptor, bool group)
      : pid(child),
        own_group(group),
        ended(executor, pid_descriptor),
        in(executor),
        out(executor),
        err(executor) {}

  struct Source {
    explicit Source(Executor executor) : pipe(executor) {}
    Descriptor pipe;
    std::string buffer;
    bool at_end = false;
  };

  Source& source(Output from) { return from == Output::kOut ? out : err; }

  // Whether it has ended; collects its status if so.
  bool reap() {
    if (status) return true;
    siginfo_t peek{};
    if (::waitid(P_PID, static_cast<id_t>(pid), &peek, WEXITED | WNOHANG | WNOWAIT) != 0 ||
        peek.si_pid == 0) {
      return false;
    }
    // While the leader is a zombie its group id cannot belong to others.
    if (stopping && own_group) ::kill(-pid, SIGKILL);
    siginfo_t info{};
    ::waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOHANG);
    if (info.si_code == CLD_EXITED) {
      status = ExitStatus{.code = info.si_status, .signal = 0};
    } else {
      status = ExitStatus{.code = 128 + info.si_status, .signal = info.si_status};
    }
    return true;
  }

  Result<void> send(int number) {
    if (reap()) return Error{ErrorCode::kNotFound, "the process has ended"};
    const int failed = own_group
                           ? ::kill(-pid, number)
                           : static_cast<int>(::syscall(SYS_pidfd_send_signal,
                                                        ended.native_handle(), number, nullptr, 0));
    if (failed != 0) return system_error("sending a signal", errno);
    return {};
  }

  // Reads what is there into the source's buffer. Errors: other than the end of the stream.
  Task<Result<void>> fill(Source& from) {
    std::array<char, 16384> chunk;
    auto [error, size] = co_await from.pipe.async_read_some(asio::buffer(chunk), as_result);
    if (error == asio::error::operation_aborted) throw_cancelled();
    from.buffer.append(chunk.data(), size);
    if (error) from.at_end = true;
    if (error && error != asio::error::eof) {
      co_return Error{ErrorCode::kInternal, "reading a child's output: " + error.message()};
    }
    co_return Result<void>{};
  }

  pid_t pid;
  bool own_group;
  bool stopping = false;
  std::optional<ExitStatus> status;
  Descriptor ended;  // a pidfd: readable once the process has ended
  Descriptor in;
  Source out;
  Source err;
};

Subprocess::Subprocess(std::unique_ptr<State> state) : state_(std::move(state)) {}
Subprocess::Subprocess(Subprocess&&) noexcept = default;

Subprocess& Subprocess::operator=(Subprocess&& other) noexcept {
  // Through a temporary, so that the old process is killed and reaped.
  Subprocess old(std::exchange(state_, std::move(other.state_)));
  return *this;
}

Subprocess::~Subprocess() {
  if (!state_ || state_->reap()) return;
  state_->stopping = true;
  // A stopped process dies of SIGKILL too. One that hangs in the kernel is left to init.
  (void)state_->send(SIGKILL);
  pollfd wanted{.fd = state_->ended.native_handle(), .events = POLLIN, .revents = 0};
  ::poll(&wanted, 1, 1000);
  state_->reap();
}

Result<Subprocess> Subprocess::start(Executor executor, Options options) {
  ETCDMON_ASSERT(!options.argv.empty());
  ETCDMON_TRY(const auto program, find_program(options.argv.front()));
  auto environment = make_environment(options);
  const auto argv_pointers = pointers(options.argv);
  const auto environment_pointers = pointers(environment);
  ETCDMON_TRY(auto in, open_stream(options.in, 0));
  ETCDMON_TRY(auto out, open_stream(options.out, 1));
  ETCDMON_TRY(auto err, open_stream(options.err, 2));
  std::array<int, 2> report{};
  if (::pipe2(report.data(), O_CLOEXEC) != 0) return system_error("making a pipe", errno);
  const Fd report_read(report[0]);
  Fd report_write(report[1]);

  Plan plan{
      .program = program.c_str(),
      .argv = argv_pointers.data(),
      .environment = environment_pointers.data(),
      .directory = options.working_directory.empty() ? nullptr : options.working_directory.c_str(),
      .stdio = {in.childs.get(), out.childs.get(), err.childs.get()},
      .report = report_write.get(),
      .parent = 0,
      .own_group = options.own_group,
      .die_with_us = options.die_with_us};
  const pid_t pid = fork_and_become(plan);
  if (pid < 0) return system_error("making a process", errno);
  report_write.reset();
  const int failure = read_report(report_read.get());
  if (failure != 0) {
    ::waitpid(pid, nullptr, 0);
    return system_error(fmt::format("starting {}", program), failure);
  }
  const int pid_descriptor = static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
  if (pid_descriptor < 0) {
    const int number = errno;
    ::kill(pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
    return system_error(fmt::format("watching {}", program), number);
  }
  auto state = std::make_unique<State>(executor, pid, pid_descriptor, options.own_group);
  if (in.ours) {
    state->in.assign(in.ours.release());
    state->in.native_non_blocking(true);
  }
  if (out.ours) state->out.pipe.assign(out.ours.release());
  if (err.ours) state->err.pipe.assign(err.ours.release());
  return Subprocess(std::move(state));
}

pid_t Subprocess::pid() const {
  return state_->pid;
}

std::optional<ExitStatus> Subprocess::poll() {
  state_->reap();
  return state_->status;
}

Task<ExitStatus> Subprocess::wait() {
  while (!state_->reap()) {
    auto [error] = co_await state_->ended.async_wait(Descriptor::wait_read, as_result);
    if (error) throw_cancelled();
  }
  co_return *state_->status;
}

Result<void> Subprocess::signal(int number) {
  return state_->send(number);
}

Task<ExitStatus> Subprocess::stop(std::chrono::nanoseconds grace) {
  return stop(grace, SIGTERM);
}

Task<ExitStatus> Subprocess::stop(std::chrono::nanoseconds grace, int first) {
  state_->stopping = true;
  (void)state_->send(first);
  const auto status = co_await with_deadline(wait(), std::chrono::steady_clock::now() + grace);
  if (status) co_return *status;
  (void)state_->send(SIGKILL);
  co_return co_await wait();
}

Task<Result<std::optional<std::string>>> Subprocess::read_line(Output from) {
  auto& source = state_->source(from);
  ETCDMON_ASSERT(source.pipe.is_open());
  for (std::size_t searched = 0;;) {
    const auto newline = source.buffer.find('\n', searched);
    if (newline != std::string::npos || source.buffer.size() >= kLongestLine) {
      std::string line = source.buffer.substr(0, std::min(newline, kLongestLine));
      source.buffer.erase(0, newline <= kLongestLine ? newline + 1 : kLongestLine);
      co_return std::optional<std::string>(std::move(line));
    }
    if (source.at_end) break;
    searched = source.buffer.size();
    const auto filled = co_await state_->fill(source);
    if (!filled) co_return filled.error();
  }
  if (source.buffer.empty()) co_return std::optional<std::string>();
  co_return std::optional<std::string>(std::exchange(source.buffer, {}));
}

Task<Result<std::string>> Subprocess::read_to_end(Output from, std::size_t limit) {
  auto& source = state_->source(from);
  ETCDMON_ASSERT(source.pipe.is_open());
  while (!source.at_end) {
    const auto filled = co_await state_->fill(source);
    if (!filled) co_return filled.error();
    if (source.buffer.size() > limit) {
      co_return Error{ErrorCode::kResourceExhausted,
                      fmt::format("a child's output is above {} bytes", limit)};
    }
  }
  co_return std::exchange(source.buffer, {});
}

Task<Result<void>> Subprocess::write(std::string data) {
  ETCDMON_ASSERT(state_->in.is_open());
  std::string_view rest = data;
  while (!rest.empty()) {
    auto [error] = co_await state_->in.async_wait(Descriptor::wait_write, as_result);
    if (error) throw_cancelled();
    const auto written = write_without_signal(state_->in.native_handle(), rest);
    if (written >= 0) {
      rest.remove_prefix(static_cast<std::size_t>(written));
    } else if (errno != EAGAIN && errno != EINTR) {
      co_return Error{ErrorCode::kUnavailable,
                      fmt::format("writing to a child's input: {}", std::strerror(errno))};
    }
  }
  co_return Result<void>{};
}

void Subprocess::close_input() {
  boost::system::error_code ignored;
  state_->in.close(ignored);
}

std::string to_string(ExitStatus status) {
  if (status.signal == 0) return fmt::format("exit code {}", status.code);
  const char* name = ::sigabbrev_np(status.signal);
  return name != nullptr ? fmt::format("killed by SIG{}", name)
                         : fmt::format("killed by signal {}", status.signal);
}

namespace {

// A child that does not read its input is no failure: it ends as it likes.
Task<Result<std::string>> feed(Subprocess& process, std::string input) {
  if (!input.empty()) (void)co_await process.write(std::move(input));
  process.close_input();
  co_return std::string();
}

// All of one stream; without a reader for the rest the child would hang, so it is killed on
// failure.
Task<Result<std::string>> drain(Subprocess& process, Subprocess::Output from) {
  auto text = co_await process.read_to_end(from, kMostOutput);
  if (!text) (void)process.signal(SIGKILL);
  co_return text;
}

Task<Result<Captured>> converse(Subprocess& process, std::string input) {
  std::vector<Task<Result<std::string>>> streams;
  streams.push_back(drain(process, Subprocess::Output::kOut));
  streams.push_back(drain(process, Subprocess::Output::kErr));
  streams.push_back(feed(process, std::move(input)));
  auto texts = co_await when_all(std::move(streams));
  for (const auto& text : texts) {
    if (!text) co_return text.error();
  }
  const auto status = co_await process.wait();
  co_return Captured{status, *std::move(texts[0]), *std::move(texts[1])};
}

}  // namespace

Task<Result<Captured>> capture(Subprocess::Options options, std::string input, Deadline deadline) {
  const std::string program = options.argv.front();
  options.in = Stdio::pipe();
  options.out = Stdio::pipe();
  options.err = Stdio::pipe();
  options.own_group = true;
  const auto executor = co_await asio::this_coro::executor;
  auto process = Subprocess::start(executor, std::move(options));
  if (!process) co_return process.error();
  auto result = co_await with_deadline(converse(*process, std::move(input)), deadline);
  if (result) co_return *std::move(result);
  co_return Error{ErrorCode::kDeadlineExceeded, fmt::format("{} took too long", program),
                  Cause::kTimeout};
}

}  // namespace etcdmon::async
