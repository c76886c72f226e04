// rpc/detail/block_cache.hpp: the small blocks that nghttp2 takes and gives back with every call.
#pragma once

#include <nghttp2/nghttp2.h>

namespace etcdmon::rpc {

/// An allocator for the sessions of the calling thread: malloc, but small blocks that were freed
/// wait in lists by size. A session makes and drops some ten of them for each call, more at once
/// than glibc's per-thread cache holds; without this a tenth of a call's cost is malloc's.
///
/// Threads:  a session is used on the thread that made it.
/// Lifetime: what waits is freed when the thread ends; bounded by 256 blocks of each size.
nghttp2_mem* thread_block_cache();

}  // namespace etcdmon::rpc
