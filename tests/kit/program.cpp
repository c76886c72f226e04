#include "kit/program.hpp"

#include <csignal>
#include <stdexcept>

#include "async/timeout.hpp"
#include "kit/command.hpp"
#include "kit/run.hpp"
#include "kit/temp_dir.hpp"

namespace etcdmon::kit {

struct Program::State {
  TempDir dir;
  Loop loop{1};
  std::optional<async::Subprocess> process;
};

Program::Program(std::vector<std::string> argv,
                 std::vector<std::pair<std::string, std::string>> environment)
    : state_(std::make_unique<State>()) {
  async::Subprocess::Options options;
  options.argv = std::move(argv);
  options.environment = std::move(environment);
  options.out = async::Stdio::file(state_->dir.file("out"));
  options.err = async::Stdio::file(state_->dir.file("err"));
  options.own_group = true;
  auto started = async::Subprocess::start(state_->loop.get_executor(), std::move(options));
  if (!started) throw std::runtime_error(started.error().message);
  state_->process = *std::move(started);
}

Program::~Program() = default;

pid_t Program::pid() const {
  return state_->process->pid();
}
std::string Program::out() const {
  return state_->dir.read("out");
}
std::string Program::err() const {
  return state_->dir.read("err");
}

bool Program::await_text(std::string_view text, std::chrono::nanoseconds limit) const {
  return eventually(
      [&] {
        return out().find(text) != std::string::npos || err().find(text) != std::string::npos;
      },
      limit);
}

void Program::signal(int number) {
  const auto sent = state_->process->signal(number);
  if (!sent) throw std::runtime_error(sent.error().message);
}

std::optional<async::ExitStatus> Program::wait(std::chrono::nanoseconds limit) {
  return run(state_->loop, async::with_deadline(state_->process->wait(),
                                                std::chrono::steady_clock::now() + limit));
}

std::optional<async::ExitStatus> Program::terminate(std::chrono::nanoseconds limit) {
  signal(SIGTERM);
  return wait(limit);
}

Fetched fetch(const std::string& url, std::vector<std::string> more) {
  const TempDir dir;
  std::vector<std::string> curl{"curl", "-sS",         "--noproxy",         "*",  "--max-time",
                                "10",   "-D",          dir.file("headers"), "-o", dir.file("body"),
                                "-w",   "%{http_code}"};
  curl.insert(curl.end(), more.begin(), more.end());
  curl.push_back(url);
  auto said = command(std::move(curl));
  Fetched fetched;
  fetched.status = said.out.empty() ? 0 : std::stoi(said.out);
  fetched.body = dir.read("body");
  fetched.headers = dir.read("headers");
  fetched.error = std::move(said.err);
  return fetched;
}

}  // namespace etcdmon::kit
