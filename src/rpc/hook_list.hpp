// rpc/hook_list.hpp: doubly linked lists through the elements themselves: no allocation, O(1)
// removal.
#pragma once

#include "base/assert.hpp"

namespace etcdmon::rpc {

/// A base class of what stands in a HookList; one for each list an element can be in at once.
template <class Tag>
class Hook {
 public:
  Hook() = default;
  ~Hook() { ETCDMON_ASSERT(next_ == nullptr); }
  Hook(const Hook&) = delete;
  Hook& operator=(const Hook&) = delete;

 private:
  template <class, class>
  friend class HookList;

  Hook* prev_ = nullptr;
  Hook* next_ = nullptr;
};

/// Lifetime: elements leave the list before they die; asserted. The list does not own them.
template <class T, class Tag>
class HookList {
 public:
  HookList() { root_.prev_ = root_.next_ = &root_; }
  ~HookList() {
    ETCDMON_ASSERT(empty());
    root_.prev_ = root_.next_ = nullptr;
  }
  HookList(const HookList&) = delete;
  HookList& operator=(const HookList&) = delete;

  bool empty() const { return root_.next_ == &root_; }
  /// Of a list that is not empty.
  T& front() { return static_cast<T&>(*root_.next_); }
  const T& front() const { return static_cast<const T&>(*root_.next_); }
  const T& back() const { return static_cast<const T&>(*root_.prev_); }

  void push_back(T& element) {
    auto& hook = static_cast<Hook<Tag>&>(element);
    ETCDMON_ASSERT(hook.next_ == nullptr);
    hook.prev_ = root_.prev_;
    hook.next_ = &root_;
    root_.prev_->next_ = &hook;
    root_.prev_ = &hook;
  }
  T& pop_front() {
    T& element = front();
    remove(element);
    return element;
  }
  static bool contains(const T& element) {
    return static_cast<const Hook<Tag>&>(element).next_ != nullptr;
  }
  /// From whichever list with this tag holds it.
  static void remove(T& element) {
    auto& hook = static_cast<Hook<Tag>&>(element);
    if (hook.next_ == nullptr) return;
    hook.prev_->next_ = hook.next_;
    hook.next_->prev_ = hook.prev_;
    hook.prev_ = hook.next_ = nullptr;
  }

 private:
  Hook<Tag> root_;
};

}  // namespace etcdmon::rpc
