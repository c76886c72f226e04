#include "rpc/detail/calls.hpp"

#include <utility>

#include "base/assert.hpp"

namespace etcdmon::rpc {

UnaryCall::UnaryCall(std::shared_ptr<Link> link, const Call& call) : link_(std::move(link)) {
  path = call.path;
  request = call.request;
  metadata = call.metadata;
  deadline = call.deadline;
  link_->submit(*this);
}

UnaryCall::~UnaryCall() {
  if (!done()) link_->cancel(*this);
}

Result<std::string> UnaryCall::take() {
  if (error()) return *error();
  return std::move(answer);
}

// One coroutine's wait for ready(). Leaving it by cancellation gives the whole stream up.
class StreamCall::Wait {
 public:
  Wait(StreamCall& call, Shot*& place) : call_(call), place_(place) {
    ETCDMON_ASSERT(place_ == nullptr);
    place_ = &shot_;
  }
  ~Wait() {
    place_ = nullptr;
    if (!ended_ && !call_.done()) call_.link_->cancel(call_);
  }
  Wait(const Wait&) = delete;
  Wait& operator=(const Wait&) = delete;

  auto once() { return shot_.wait(); }
  void ended() { ended_ = true; }

 private:
  StreamCall& call_;
  Shot*& place_;
  Shot shot_;
  bool ended_ = false;
};

StreamCall::StreamCall(std::shared_ptr<Link> link, Call call, Connection::HalfClose half_close)
    : link_(std::move(link)) {
  path = call.path;
  metadata = call.metadata;
  deadline = call.deadline;
  const bool only_one = half_close == Connection::HalfClose::kYes;
  std::optional<std::string> first;
  if (only_one || !call.request.empty()) first = std::move(call.request);
  link_->submit(*this, std::move(first),
                only_one ? Session::HalfClose::kYes : Session::HalfClose::kNo);
}

StreamCall::~StreamCall() {
  link_->cancel(*this);
}

void StreamCall::ready() {
  // The coroutine that is resumed first may destroy this.
  Shot* const writer = std::exchange(writer_, nullptr);
  Shot* const reader = std::exchange(reader_, nullptr);
  if (writer == nullptr) {
    if (reader != nullptr) reader->set({});
    return;
  }
  writer->set({});
  if (reader != nullptr) reader->set({});
}

Task<Result<void>> StreamCall::opened() {
  while (!submitted() && !done()) {
    Wait wait(*this, writer_);
    co_await wait.once();
    wait.ended();
  }
  if (done() && error() && !has_message()) co_return *error();
  co_return Result<void>{};
}

Task<Result<std::optional<std::string>>> StreamCall::next() {
  for (;;) {
    if (auto message = link_->take_message(*this)) co_return std::move(message);
    if (done()) {
      if (error()) co_return *error();
      co_return std::optional<std::string>{};
    }
    Wait wait(*this, reader_);
    co_await wait.once();
    wait.ended();
  }
}

Task<Result<void>> StreamCall::send(std::string message) {
  ETCDMON_ASSERT(!sending());
  if (!done()) link_->send(*this, std::move(message));
  while (sending() && !done()) {
    Wait wait(*this, writer_);
    co_await wait.once();
    wait.ended();
  }
  if (!done()) co_return Result<void>{};
  if (error()) co_return *error();
  co_return Error{ErrorCode::kFailedPrecondition, "the server has ended the stream", Cause::kNone};
}

void StreamCall::finish_sending() {
  link_->finish_sending(*this);
}

}  // namespace etcdmon::rpc
