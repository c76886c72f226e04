// bench/http2/call_table.hpp: the calls of a connection by their stream's number.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "bench/http2/transport.hpp"

namespace etcdmon::bench {

/// A hash table with open addressing: numbers that follow each other lie side by side, so that a
/// look-up is one comparison. Allocates only to become larger.
class CallTable {
 public:
  CallTable() : slots_(kSmallest) {}

  std::size_t size() const { return size_; }

  Call* find(std::int32_t id) const {
    for (auto at = place_of(id);; at = next(at)) {
      if (slots_[at].id == id) return slots_[at].call;
      if (slots_[at].call == nullptr) return nullptr;
    }
  }

  /// `id` must be new.
  void insert(std::int32_t id, Call& call) {
    if ((size_ + 1) * 2 > slots_.size()) enlarge();
    put(id, &call);
    ++size_;
  }

  void erase(std::int32_t id) {
    auto hole = place_of(id);
    while (slots_[hole].id != id) {
      if (slots_[hole].call == nullptr) return;
      hole = next(hole);
    }
    // What was pushed on by the erased one moves back, so that no mark of it need stay.
    for (auto at = next(hole); slots_[at].call != nullptr; at = next(at)) {
      const auto home = place_of(slots_[at].id);
      const bool stays = hole <= at ? hole < home && home <= at : hole < home || home <= at;
      if (stays) continue;
      slots_[hole] = slots_[at];
      hole = at;
    }
    slots_[hole] = Slot{};
    --size_;
  }

  /// Any one; nullptr when empty.
  Call* any() const {
    for (const auto& slot : slots_) {
      if (slot.call != nullptr) return slot.call;
    }
    return nullptr;
  }

  template <class F>
  void for_each(F f) const {
    for (const auto& slot : slots_) {
      if (slot.call != nullptr) f(*slot.call);
    }
  }

 private:
  static constexpr std::size_t kSmallest = 16;
  struct Slot {
    std::int32_t id = 0;
    Call* call = nullptr;
  };

  // A client's streams are odd.
  std::size_t place_of(std::int32_t id) const {
    return static_cast<std::size_t>(id >> 1) & (slots_.size() - 1);
  }
  std::size_t next(std::size_t at) const { return (at + 1) & (slots_.size() - 1); }

  void put(std::int32_t id, Call* call) {
    auto at = place_of(id);
    while (slots_[at].call != nullptr) at = next(at);
    slots_[at] = Slot{id, call};
  }

  void enlarge() {
    std::vector<Slot> old(slots_.size() * 2);
    old.swap(slots_);
    for (const auto& slot : old) {
      if (slot.call != nullptr) put(slot.id, slot.call);
    }
  }

  std::vector<Slot> slots_;
  std::size_t size_ = 0;
};

}  // namespace etcdmon::bench
