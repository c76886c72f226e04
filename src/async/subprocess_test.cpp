#include "async/subprocess.hpp"

#include <csignal>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/posix/basic_stream_descriptor.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "async/timeout.hpp"

namespace etcdmon::async {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

Deadline in(std::chrono::nanoseconds time) {
  return std::chrono::steady_clock::now() + time;
}

template <class T>
T run(Loop& loop, Task<T> task) {
  std::exception_ptr failure;
  std::optional<T> value;
  asio::co_spawn(loop, std::move(task), [&](std::exception_ptr e, T v) {
    failure = e;
    value = std::move(v);
  });
  loop.restart();
  loop.run();
  if (failure) std::rethrow_exception(failure);
  return std::move(*value);
}

Subprocess::Options shell(std::string script) {
  return {.argv = {"sh", "-c", std::move(script)}};
}

class SubprocessTest : public testing::Test {
 protected:
  Result<Captured> capture_shell(std::string script, std::string input) {
    return run(loop_, capture(shell(std::move(script)), std::move(input), in(10s)));
  }
  Subprocess start(Subprocess::Options options) {
    auto process = Subprocess::start(loop_.get_executor(), std::move(options));
    if (!process) throw std::runtime_error(process.error().message);
    return *std::move(process);
  }

  Loop loop_;
};

TEST_F(SubprocessTest, CapturesBothStreamsAndTheExitCode) {
  const auto result = capture_shell("cat; echo oops >&2; exit 3", "in\nput");
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(result->out, "in\nput");
  EXPECT_EQ(result->err, "oops\n");
  EXPECT_EQ(to_string(result->status), "exit code 3");
}

TEST_F(SubprocessTest, CarriesMoreThanAPipeHoldsBothWays) {
  const std::string much(1'000'000, 'x');
  const auto result = capture_shell("cat", much);
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(result->out, much);
}

TEST_F(SubprocessTest, AChildThatIgnoresItsInputIsNoFailure) {
  const auto result = capture_shell("exec true", std::string(1'000'000, 'x'));
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_TRUE(result->status.ok());
}

TEST_F(SubprocessTest, SaysWhyNothingWasStarted) {
  const auto executor = loop_.get_executor();
  const auto missing = Subprocess::start(executor, {.argv = {"no-such-program-here"}});
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, ErrorCode::kNotFound);
  EXPECT_THAT(missing.error().message, HasSubstr("no-such-program-here"));
  const auto data = Subprocess::start(executor, {.argv = {"/etc/passwd"}});
  ASSERT_FALSE(data);
  EXPECT_EQ(data.error().code, ErrorCode::kPermissionDenied);
  const auto nowhere =
      Subprocess::start(executor, {.argv = {"true"}, .working_directory = "/none"});
  ASSERT_FALSE(nowhere);
  EXPECT_EQ(nowhere.error().code, ErrorCode::kNotFound);
}

TEST_F(SubprocessTest, ChangesTheEnvironmentAndTheDirectory) {
  ::setenv("KITTEN_ONE", "1", 1);
  ::setenv("KITTEN_TWO", "2", 1);
  auto options = shell("echo ${KITTEN_ONE-unset} ${KITTEN_TWO-unset} $CAT; pwd");
  options.unset = {"KITTEN_*"};
  options.environment = {{"CAT", "3"}, {"KITTEN_TWO", "4"}};
  options.working_directory = "/";
  const auto result = run(loop_, capture(std::move(options), "", in(10s)));
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(result->out, "unset 4 3\n/\n");
}

TEST_F(SubprocessTest, PassesOnNoDescriptor) {
  const auto result = capture_shell("ls /proc/self/fd | wc -l", "");
  ASSERT_TRUE(result) << result.error().message;
  // Three streams, and the one with which ls reads the folder.
  EXPECT_EQ(result->out, "4\n");
}

// What is ignored in this process while it lives.
class Ignored {
 public:
  explicit Ignored(int number) : number_(number) {
    struct sigaction ignore{};
    ignore.sa_handler = SIG_IGN;
    ::sigaction(number_, &ignore, &before_);
  }
  ~Ignored() { ::sigaction(number_, &before_, nullptr); }
  Ignored(const Ignored&) = delete;
  Ignored& operator=(const Ignored&) = delete;

 private:
  int number_;
  struct sigaction before_{};
};

// Whoever starts the tests may ignore more of them.
TEST_F(SubprocessTest, PassesOnIgnoredSignalsButNotThatOfABrokenPipe) {
  const Ignored pipe(SIGPIPE);
  const Ignored hang_up(SIGHUP);
  const auto result = capture_shell("grep SigIgn /proc/self/status | tr -dc 0-9a-f", "");
  ASSERT_TRUE(result) << result.error().message;
  const auto ignored = std::stoull(result->out, nullptr, 16);
  EXPECT_EQ(ignored >> (SIGPIPE - 1) & 1U, 0U) << result->out;
  EXPECT_EQ(ignored >> (SIGHUP - 1) & 1U, 1U) << result->out;
}

Task<std::vector<std::string>> lines(Subprocess& process) {
  std::vector<std::string> result;
  for (;;) {
    auto line = co_await process.read_line(Subprocess::Output::kOut);
    if (!line || !*line) break;
    result.push_back(**std::move(line));
  }
  co_await process.wait();
  co_return result;
}

TEST_F(SubprocessTest, ReadsLines) {
  auto options = shell("printf 'one\\n\\nthree\\nrest'");
  options.out = Stdio::pipe();
  auto process = start(std::move(options));
  EXPECT_THAT(run(loop_, lines(process)), testing::ElementsAre("one", "", "three", "rest"));
  EXPECT_EQ(process.poll(), ExitStatus{});
  EXPECT_EQ(process.signal(SIGTERM).error().code, ErrorCode::kNotFound);
}

TEST_F(SubprocessTest, CutsAnEndlessLine) {
  auto options = shell("head -c 100000 /dev/zero | tr '\\0' x");
  options.out = Stdio::pipe();
  auto process = start(std::move(options));
  const auto got = run(loop_, lines(process));
  ASSERT_EQ(got.size(), 2U);
  EXPECT_EQ(got[0].size() + got[1].size(), 100'000U);
}

TEST_F(SubprocessTest, StopsPolitelyThenKills) {
  auto polite = start({.argv = {"sleep", "100"}});
  EXPECT_EQ(to_string(run(loop_, polite.stop(10s))), "killed by SIGTERM");
  auto options = shell("trap '' TERM; echo ready; while :; do sleep 0.01; done");
  options.out = Stdio::pipe();
  auto stubborn = start(std::move(options));
  EXPECT_TRUE(run(loop_, stubborn.read_line(Subprocess::Output::kOut)));
  EXPECT_EQ(to_string(run(loop_, stubborn.stop(1ms))), "killed by SIGKILL");
}

Task<bool> wait_is_cancelled(Subprocess& process) {
  const auto ended = co_await with_deadline(process.wait(), in(1ms));
  co_return !ended;
}

TEST_F(SubprocessTest, ACancelledWaitLeavesItRunning) {
  auto process = start({.argv = {"sleep", "100"}});
  EXPECT_TRUE(run(loop_, wait_is_cancelled(process)));
  EXPECT_EQ(process.poll(), std::nullopt);
  ASSERT_TRUE(process.signal(SIGINT));
  EXPECT_EQ(run(loop_, process.wait()).signal, SIGINT);
}

TEST_F(SubprocessTest, AStoppedGroupTakesItsChildrenAlong) {
  auto options = shell("sleep 100 & echo ready; wait");
  options.out = Stdio::pipe();
  options.own_group = true;
  auto process = start(std::move(options));
  ASSERT_TRUE(run(loop_, process.read_line(Subprocess::Output::kOut)));
  run(loop_, process.stop(10s));
  // The pipe ends once the last of the group has gone, not after 100 s.
  const auto rest =
      run(loop_, with_deadline(process.read_to_end(Subprocess::Output::kOut, 100), in(10s)));
  EXPECT_TRUE(rest);
}

TEST_F(SubprocessTest, DestructionKillsAndReaps) {
  pid_t pid = 0;
  {
    const auto process = start({.argv = {"sleep", "100"}});
    pid = process.pid();
  }
  EXPECT_EQ(::kill(pid, 0), -1);
}

TEST_F(SubprocessTest, CaptureHasADeadline) {
  const auto result = run(loop_, capture(shell("sleep 100"), "", in(5ms)));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::kDeadlineExceeded);
}

TEST_F(SubprocessTest, DiesWithItsParent) {
  std::array<int, 2> pair{};
  ASSERT_EQ(::pipe(pair.data()), 0);
  const pid_t parent = ::fork();
  if (parent == 0) {
    Loop loop;
    const auto child =
        Subprocess::start(loop.get_executor(), {.argv = {"sleep", "100"}, .out = Stdio::inherit()});
    const pid_t pid = child ? child->pid() : 0;
    const auto written = ::write(pair[1], &pid, sizeof pid);
    ::_exit(written == sizeof pid ? 0 : 1);
  }
  ::close(pair[1]);
  pid_t child = 0;
  ASSERT_EQ(::read(pair[0], &child, sizeof child), static_cast<ssize_t>(sizeof child));
  ::close(pair[0]);
  ::waitpid(parent, nullptr, 0);
  ASSERT_GT(child, 0);
  // An orphan of ours is reaped by init: until then it is a zombie.
  const int descriptor = static_cast<int>(::syscall(SYS_pidfd_open, child, 0));
  if (descriptor < 0) return;
  asio::posix::basic_stream_descriptor<Executor> ended(loop_.get_executor(), descriptor);
  bool gone = false;
  ended.async_wait(asio::posix::descriptor_base::wait_read,
                   [&](boost::system::error_code error) { gone = !error; });
  loop_.run_for(10s);
  EXPECT_TRUE(gone);
}

}  // namespace
}  // namespace etcdmon::async
