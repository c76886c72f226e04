#include "etcd/snapshot.hpp"

#include <memory>
#include <utility>

#include "etcd/channel.hpp"
#include "etcd/detail/checked_file.hpp"
#include "etcd/detail/paths.hpp"
#include "wire/rpc.pb.h"

namespace etcdmon::etcd {

namespace {

// The server sends pieces of 32 KiB: too small for a thread each.
constexpr std::size_t kBatch = 1U << 20U;

Task<Result<void>> write(async::BlockingPool& pool, std::shared_ptr<CheckedFile> file,
                         std::string bytes) {
  auto job = [file = std::move(file), bytes = std::move(bytes)] { return file->write(bytes); };
  return pool.run(std::move(job));
}

Task<Result<std::unique_ptr<rpc::MessageStream>>> open(Channel& channel, Deadline deadline) {
  Channel::StreamOptions options(path::kSnapshot, {}, rpc::Connection::HalfClose::kYes);
  options.deadline = deadline;
  return channel.open(std::move(options));
}

Error cut_short() {
  return {ErrorCode::kDataLoss, "the server ended the snapshot before it was whole",
          Cause::kProtocol};
}

}  // namespace

Task<Result<SavedSnapshot>> save_snapshot(Channel& channel, async::BlockingPool& pool,
                                          SaveSnapshotOptions options) {
  auto create = [path = options.path] { return CheckedFile::create(path); };
  auto created = co_await pool.run(std::move(create));
  if (!created) co_return std::move(created).error();
  const auto file = *std::move(created);
  auto stream = co_await open(channel, options.deadline);
  if (!stream) co_return std::move(stream).error();

  SavedSnapshot saved;
  std::string batch;
  std::uint64_t received = 0;
  std::uint64_t remaining = 0;
  wire::SnapshotResponse piece;
  for (bool more = true; more;) {
    auto message = co_await (*stream)->next();
    if (!message) co_return std::move(message).error();
    more = message->has_value();
    if (more) {
      if (!piece.ParseFromString(**message)) co_return cut_short();
      if (!piece.version().empty()) saved.version = piece.version();
      remaining = piece.remaining_bytes();
      received += piece.blob().size();
      batch += piece.blob();
    }
    if (more && batch.size() < kBatch) continue;
    const auto written = co_await write(pool, file, std::exchange(batch, {}));
    if (!written) co_return written.error();
    if (options.on_progress) options.on_progress(received, received + remaining);
  }
  if (remaining > 0 || received == 0) co_return cut_short();
  auto finish = [file] { return file->finish(); };
  const auto finished = co_await pool.run(std::move(finish));
  if (!finished) co_return finished.error();
  saved.bytes = file->size();
  co_return saved;
}

}  // namespace etcdmon::etcd
