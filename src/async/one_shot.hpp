// async/one_shot.hpp: a value that one coroutine waits for and plain code delivers, without a
// timer.
#pragma once

#include <optional>
#include <utility>

#include <boost/asio/associated_allocator.hpp>
#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/async_result.hpp>

#include "async/task.hpp"
#include "base/assert.hpp"

namespace etcdmon::async {

/// The hand-over between a sans-I/O machine and the coroutine that waits for its answer.
///
/// set() resumes the waiter before it returns: call it when the machine is in a state in which
/// it may be called again, with nothing of it on the stack. A value set before wait() is kept.
///
/// Threads:  the loop only.
/// Lifetime: must outlive its waiter; destroying it with a waiter inside is a bug.
/// Cancel:   wait() ends with operation_aborted; a value that comes later is dropped by the owner.
template <class T>
class OneShot {
 public:
  OneShot() = default;
  ~OneShot() { ETCDMON_ASSERT(waiter_ == nullptr); }
  OneShot(const OneShot&) = delete;
  OneShot& operator=(const OneShot&) = delete;

  bool waiting() const { return waiter_ != nullptr; }

  void set(T value) {
    if (waiter_ == nullptr) {
      value_ = std::move(value);
      return;
    }
    std::exchange(waiter_, nullptr)->complete({}, std::move(value));
  }

  Task<T> wait() {
    if (value_) co_return *std::exchange(value_, std::nullopt);
    ETCDMON_ASSERT(waiter_ == nullptr);
    // Named, since g++ 12 may destroy a temporary of a co_await expression twice.
    Initiation initiation{this};
    co_return co_await asio::async_initiate<const asio::use_awaitable_t<Executor>&,
                                            void(boost::system::error_code, T)>(initiation,
                                                                                use_task);
  }

 private:
  struct Waiter {
    virtual void complete(boost::system::error_code error, T value) = 0;

   protected:
    ~Waiter() = default;
  };

  template <class Handler>
  struct WaiterOf final : Waiter {
    using Allocator = typename std::allocator_traits<
        asio::associated_allocator_t<Handler>>::template rebind_alloc<WaiterOf>;

    explicit WaiterOf(Handler h) : handler(std::move(h)) {}

    void complete(boost::system::error_code error, T value) override {
      auto slot = asio::get_associated_cancellation_slot(handler);
      if (slot.is_connected()) slot.clear();
      Handler local = std::move(handler);
      Allocator allocator(asio::get_associated_allocator(local));
      std::allocator_traits<Allocator>::destroy(allocator, this);
      std::allocator_traits<Allocator>::deallocate(allocator, this, 1);
      std::move(local)(error, std::move(value));
    }

    Handler handler;
  };

  struct Cancel {
    OneShot* self;
    void operator()(asio::cancellation_type type) {
      if ((type & asio::cancellation_type::terminal) == asio::cancellation_type::none) return;
      if (self->waiter_ == nullptr) return;
      std::exchange(self->waiter_, nullptr)->complete(asio::error::operation_aborted, T{});
    }
  };

  struct Initiation {
    OneShot* self;
    template <class Handler>
    void operator()(Handler&& handler) const {
      using Node = WaiterOf<std::decay_t<Handler>>;
      auto slot = asio::get_associated_cancellation_slot(handler);
      typename Node::Allocator allocator(asio::get_associated_allocator(handler));
      Node* node = std::allocator_traits<typename Node::Allocator>::allocate(allocator, 1);
      std::allocator_traits<typename Node::Allocator>::construct(allocator, node,
                                                                 std::forward<Handler>(handler));
      self->waiter_ = node;
      if (slot.is_connected()) slot.template emplace<Cancel>(Cancel{self});
    }
  };

  Waiter* waiter_ = nullptr;
  std::optional<T> value_;
};

}  // namespace etcdmon::async
