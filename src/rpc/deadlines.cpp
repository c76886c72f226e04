#include "rpc/deadlines.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

namespace etcdmon::rpc {

namespace {
constexpr std::int8_t kNowhere = -1;
constexpr std::int8_t kInHeap = 127;
}  // namespace

void Deadlines::add(Exchange& exchange, SteadyTime now) {
  if (exchange.deadline == Deadline::max()) return;
  const auto timeout = std::chrono::ceil<std::chrono::milliseconds>(exchange.deadline - now);
  Fifo* free = nullptr;
  for (auto& fifo : fifos_) {
    if (fifo.waiting.empty()) {
      if (free == nullptr) free = &fifo;
    } else if (fifo.timeout == timeout && fifo.waiting.back().deadline <= exchange.deadline) {
      free = &fifo;
      break;
    }
  }
  if (free != nullptr) {
    free->timeout = timeout;
    free->waiting.push_back(exchange);
    exchange.fifo_ = static_cast<std::int8_t>(free - fifos_.data());
    return;
  }
  exchange.fifo_ = kInHeap;
  heap_.push_back(&exchange);
  exchange.heap_index_ = heap_.size() - 1;
  sift_up(exchange.heap_index_);
}

void Deadlines::remove(Exchange& exchange) {
  if (exchange.fifo_ == kNowhere) return;
  if (std::exchange(exchange.fifo_, kNowhere) != kInHeap) {
    HookList<Exchange, DeadlineTag>::remove(exchange);
    return;
  }
  const auto index = exchange.heap_index_;
  Exchange* last = heap_.back();
  heap_.pop_back();
  if (last == &exchange) return;
  place(index, last);
  sift_up(index);
  sift_down(last->heap_index_);
}

SteadyTime Deadlines::next() const {
  auto earliest = heap_.empty() ? SteadyTime::max() : heap_.front()->deadline;
  for (const auto& fifo : fifos_) {
    if (!fifo.waiting.empty()) earliest = std::min(earliest, fifo.waiting.front().deadline);
  }
  return earliest;
}

Exchange* Deadlines::pop_expired(SteadyTime now) {
  Exchange* expired = nullptr;
  if (!heap_.empty() && heap_.front()->deadline <= now) expired = heap_.front();
  for (auto& fifo : fifos_) {
    if (!fifo.waiting.empty() && fifo.waiting.front().deadline <= now)
      expired = &fifo.waiting.front();
  }
  if (expired != nullptr) remove(*expired);
  return expired;
}

void Deadlines::place(std::size_t index, Exchange* exchange) {
  heap_[index] = exchange;
  exchange->heap_index_ = index;
}

void Deadlines::sift_up(std::size_t index) {
  Exchange* moving = heap_[index];
  while (index > 0 && moving->deadline < heap_[(index - 1) / 2]->deadline) {
    place(index, heap_[(index - 1) / 2]);
    index = (index - 1) / 2;
  }
  place(index, moving);
}

void Deadlines::sift_down(std::size_t index) {
  Exchange* moving = heap_[index];
  for (;;) {
    auto child = 2 * index + 1;
    if (child >= heap_.size()) break;
    if (child + 1 < heap_.size() && heap_[child + 1]->deadline < heap_[child]->deadline) ++child;
    if (moving->deadline <= heap_[child]->deadline) break;
    place(index, heap_[child]);
    index = child;
  }
  place(index, moving);
}

}  // namespace etcdmon::rpc
