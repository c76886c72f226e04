#include "rpc/detail/block_cache.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <new>

namespace etcdmon::rpc {

namespace {

constexpr std::size_t kGranule = 64;
constexpr std::size_t kClasses = 16;  // up to 1 KiB
constexpr std::size_t kLarge = kClasses;
constexpr std::size_t kMostKept = 256;

// Stands before each block; as large as malloc's alignment.
struct alignas(std::max_align_t) Header {
  std::size_t size_class;
  std::size_t size;  // usable
};

struct Free {
  Free* next;
};

class BlockCache {
 public:
  BlockCache() = default;
  ~BlockCache() {
    for (auto& list : lists_) {
      while (list.first != nullptr) {
        Free* block = list.first;
        list.first = block->next;
        std::free(header_of(block));
      }
    }
  }
  BlockCache(const BlockCache&) = delete;
  BlockCache& operator=(const BlockCache&) = delete;

  void* allocate(std::size_t size) {
    if (size > kClasses * kGranule) return fresh(kLarge, size);
    const auto index = size == 0 ? 0 : (size - 1) / kGranule;
    auto& list = lists_[index];
    if (list.first == nullptr) return fresh(index, (index + 1) * kGranule);
    Free* block = list.first;
    list.first = block->next;
    --list.count;
    return block;
  }

  void release(void* pointer) {
    if (pointer == nullptr) return;
    auto* header = header_of(pointer);
    if (header->size_class == kLarge || lists_[header->size_class].count == kMostKept) {
      std::free(header);
      return;
    }
    auto& list = lists_[header->size_class];
    list.first = new (pointer) Free{list.first};
    ++list.count;
  }

  void* resize(void* pointer, std::size_t size) {
    if (pointer == nullptr) return allocate(size);
    const auto have = header_of(pointer)->size;
    if (size <= have && header_of(pointer)->size_class != kLarge) return pointer;
    void* moved = allocate(size);
    if (moved == nullptr) return nullptr;
    std::memcpy(moved, pointer, std::min(have, size));
    release(pointer);
    return moved;
  }

 private:
  struct List {
    Free* first = nullptr;
    std::size_t count = 0;
  };

  static Header* header_of(void* pointer) { return static_cast<Header*>(pointer) - 1; }

  static void* fresh(std::size_t size_class, std::size_t size) {
    if (size > std::numeric_limits<std::size_t>::max() - sizeof(Header)) return nullptr;
    void* memory = std::malloc(sizeof(Header) + size);
    if (memory == nullptr) return nullptr;
    return new (memory) Header{size_class, size} + 1;
  }

  std::array<List, kClasses> lists_;
};

BlockCache& cache_of(void* user) {
  return *static_cast<BlockCache*>(user);
}

void* allocate(std::size_t size, void* user) {
  return cache_of(user).allocate(size);
}
void release(void* pointer, void* user) {
  cache_of(user).release(pointer);
}
void* resize(void* pointer, std::size_t size, void* user) {
  return cache_of(user).resize(pointer, size);
}

void* allocate_zeroed(std::size_t count, std::size_t size, void* user) {
  if (size != 0 && count > std::numeric_limits<std::size_t>::max() / size) return nullptr;
  void* memory = cache_of(user).allocate(count * size);
  if (memory != nullptr) std::memset(memory, 0, count * size);
  return memory;
}

}  // namespace

nghttp2_mem* thread_block_cache() {
  static thread_local BlockCache cache;
  static thread_local nghttp2_mem functions{&cache, allocate, release, allocate_zeroed, resize};
  return &functions;
}

}  // namespace etcdmon::rpc
