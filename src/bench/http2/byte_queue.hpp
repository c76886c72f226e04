// bench/http2/byte_queue.hpp: bytes on their way to a socket, in one piece of memory.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <span>

namespace etcdmon::bench {

/// Appended to at its end, taken from at its beginning. Keeps its memory, and allocates only when
/// more waits than ever before.
class ByteQueue {
 public:
  /// Room for `size` bytes at the end, for the caller to fill. Valid until the next call.
  std::byte* grow(std::size_t size) {
    if (capacity_ - end_ < size) make_room(size);
    auto* place = bytes_.get() + end_;
    end_ += size;
    return place;
  }
  void append(std::span<const std::byte> bytes) {
    if (!bytes.empty()) std::memcpy(grow(bytes.size()), bytes.data(), bytes.size());
  }

  std::span<const std::byte> view() const { return {bytes_.get() + begin_, end_ - begin_}; }
  std::size_t size() const { return end_ - begin_; }
  bool empty() const { return begin_ == end_; }
  void consume(std::size_t size) {
    begin_ += size;
    if (begin_ == end_) begin_ = end_ = 0;
  }
  void clear() { begin_ = end_ = 0; }

 private:
  void make_room(std::size_t size) {
    const auto held = end_ - begin_;
    if (capacity_ - held >= size && begin_ >= held) {
      std::memcpy(bytes_.get(), bytes_.get() + begin_, held);
    } else {
      const auto capacity = std::max(capacity_ * 2, held + size + kSmallest);
      std::unique_ptr<std::byte[]> larger(new std::byte[capacity]);
      if (held > 0) std::memcpy(larger.get(), bytes_.get() + begin_, held);
      bytes_ = std::move(larger);
      capacity_ = capacity;
    }
    begin_ = 0;
    end_ = held;
  }

  static constexpr std::size_t kSmallest = 512;
  std::unique_ptr<std::byte[]> bytes_;
  std::size_t capacity_ = 0;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

}  // namespace etcdmon::bench
