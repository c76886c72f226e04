#include "etcd/kv.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include "etcd/channel.hpp"
#include "etcd/detail/paths.hpp"
#include "etcd/detail/unary.hpp"
#include "wire/rpc.pb.h"

namespace etcdmon::etcd {

namespace {

constexpr std::int64_t kUnlimited = std::numeric_limits<std::int64_t>::max();
// Nobody knows the size of the values yet.
constexpr std::int64_t kFirstPage = 1'000;
constexpr std::int64_t kMostKeys = 200'000;

wire::RangeRequest to_wire(const GetOptions& options) {
  wire::RangeRequest request;
  request.set_key(options.range.key);
  request.set_range_end(options.range.end);
  request.set_limit(options.limit);
  request.set_revision(options.revision);
  request.set_serializable(options.consistency == Consistency::kSerializable);
  request.set_sort_order(static_cast<wire::RangeRequest::SortOrder>(options.order));
  request.set_sort_target(static_cast<wire::RangeRequest::SortTarget>(options.sort_by));
  request.set_keys_only(options.keys_only);
  request.set_count_only(options.count_only);
  request.set_min_mod_revision(options.min_mod_revision);
  request.set_max_mod_revision(options.max_mod_revision);
  request.set_min_create_revision(options.min_create_revision);
  request.set_max_create_revision(options.max_create_revision);
  return request;
}

wire::PutRequest to_wire(PutOptions options) {
  wire::PutRequest request;
  request.set_key(std::move(options.key));
  request.set_value(std::move(options.value));
  request.set_lease(options.lease);
  request.set_prev_kv(options.previous);
  request.set_ignore_value(options.keep_value);
  request.set_ignore_lease(options.keep_lease);
  return request;
}

wire::DeleteRangeRequest to_wire(DeleteOptions options) {
  wire::DeleteRangeRequest request;
  request.set_key(std::move(options.range.key));
  request.set_range_end(std::move(options.range.end));
  request.set_prev_kv(options.previous);
  return request;
}

bool only_reads(const wire::TxnRequest& request) {
  const auto reads = [](const wire::RequestOp& operation) {
    return operation.has_request_range() ||
           (operation.has_request_txn() && only_reads(operation.request_txn()));
  };
  return std::ranges::all_of(request.success(), reads) &&
         std::ranges::all_of(request.failure(), reads);
}

std::optional<KeyValue> first_of(wire::RangeResponse& response) {
  if (response.kvs().empty()) return std::nullopt;
  auto& kv = *response.mutable_kvs(0);
  return KeyValue{.key = std::move(*kv.mutable_key()),
                  .value = std::move(*kv.mutable_value()),
                  .create_revision = kv.create_revision(),
                  .mod_revision = kv.mod_revision(),
                  .version = kv.version(),
                  .lease = kv.lease()};
}

// Put if the compare holds, else say what is there.
Task<Result<Swap>> swap_if(Channel& channel, wire::Compare compare, std::string value,
                           Deadline deadline) {
  wire::TxnRequest request;
  auto& put = *request.add_success()->mutable_request_put();
  put.set_key(compare.key());
  put.set_value(std::move(value));
  request.add_failure()->mutable_request_range()->set_key(compare.key());
  *request.add_compare() = std::move(compare);
  auto reply = co_await ask<wire::TxnResponse>(channel, path::kTxn, Repeat::kUnsafe,
                                               std::move(request), deadline);
  if (!reply) co_return std::move(reply).error();
  Swap swap{.swapped = reply->succeeded(), .revision = reply->header().revision()};
  if (!swap.swapped && !reply->responses().empty())
    swap.present = first_of(*reply->mutable_responses(0)->mutable_response_range());
  co_return swap;
}

}  // namespace

KeyRange KeyRange::prefix(std::string prefix) {
  if (prefix.empty()) return {std::string(1, '\0'), std::string(1, '\0')};
  auto end = prefix;
  while (!end.empty() && end.back() == '\xff') end.pop_back();
  if (end.empty()) return {std::move(prefix), std::string(1, '\0')};
  end.back() = static_cast<char>(static_cast<unsigned char>(end.back()) + 1U);
  return {std::move(prefix), std::move(end)};
}

KeyRange KeyRange::from(std::string key) {
  if (key.empty()) key.assign(1, '\0');
  return {std::move(key), std::string(1, '\0')};
}

bool KeyRange::is_all() const {
  return end == std::string_view("\0", 1) && (key.empty() || key == end);
}

wire::RequestOp operation(GetOptions options) {
  wire::RequestOp out;
  *out.mutable_request_range() = to_wire(options);
  return out;
}

wire::RequestOp operation(PutOptions options) {
  wire::RequestOp out;
  *out.mutable_request_put() = to_wire(std::move(options));
  return out;
}

wire::RequestOp operation(DeleteOptions options) {
  wire::RequestOp out;
  *out.mutable_request_delete_range() = to_wire(std::move(options));
  return out;
}

Task<Result<wire::RangeResponse>> Kv::get(GetOptions options, Deadline deadline) {
  return ask<wire::RangeResponse>(*channel_, path::kRange, Repeat::kSafe, to_wire(options),
                                  deadline);
}

Task<Result<wire::PutResponse>> Kv::put(PutOptions options, Deadline deadline) {
  return ask<wire::PutResponse>(*channel_, path::kPut, Repeat::kUnsafe, to_wire(std::move(options)),
                                deadline);
}

Task<Result<wire::DeleteRangeResponse>> Kv::del(DeleteOptions options, Deadline deadline) {
  return ask<wire::DeleteRangeResponse>(*channel_, path::kDeleteRange, Repeat::kUnsafe,
                                        to_wire(std::move(options)), deadline);
}

Task<Result<wire::TxnResponse>> Kv::txn(wire::TxnRequest request, Deadline deadline) {
  const auto repeat = only_reads(request) ? Repeat::kSafe : Repeat::kUnsafe;
  return ask<wire::TxnResponse>(*channel_, path::kTxn, repeat, std::move(request), deadline);
}

Task<Result<wire::TxnResponse>> Kv::repeatable_txn(wire::TxnRequest request, Deadline deadline) {
  return ask<wire::TxnResponse>(*channel_, path::kTxn, Repeat::kSafe, std::move(request), deadline);
}

Task<Result<wire::HeaderResponse>> Kv::compact(CompactOptions options, Deadline deadline) {
  wire::CompactionRequest request;
  request.set_revision(options.revision);
  request.set_physical(options.physical);
  return ask<wire::HeaderResponse>(*channel_, path::kCompact, Repeat::kUnsafe, std::move(request),
                                   deadline);
}

Task<Result<Swap>> Kv::compare_and_swap(std::string key, std::optional<std::string> expected,
                                        std::string value, Deadline deadline) {
  wire::Compare compare;
  compare.set_key(std::move(key));
  compare.set_result(wire::Compare::EQUAL);
  if (expected) {
    compare.set_target(wire::Compare::VALUE);
    compare.set_value(*std::move(expected));
  } else {
    compare.set_target(wire::Compare::CREATE);
    compare.set_create_revision(0);
  }
  return swap_if(*channel_, std::move(compare), std::move(value), deadline);
}

Task<Result<Swap>> Kv::update(std::string key, Change change, Deadline deadline) {
  GetOptions options{.range = KeyRange::one(key)};
  auto read = co_await get(std::move(options), deadline);
  if (!read) co_return std::move(read).error();
  auto present = first_of(*read);
  auto revision = read->header().revision();
  for (;;) {
    auto value = change(present);
    if (!value) co_return Swap{.revision = revision, .present = std::move(present)};
    wire::Compare compare;
    compare.set_key(key);
    compare.set_result(wire::Compare::EQUAL);
    compare.set_target(wire::Compare::MOD);
    compare.set_mod_revision(present ? present->mod_revision : 0);
    auto swap = co_await swap_if(*channel_, std::move(compare), *std::move(value), deadline);
    if (!swap || swap->swapped) co_return swap;
    present = std::move(swap->present);
    revision = swap->revision;
  }
}

RangePages::RangePages(Channel& channel, GetOptions options, std::size_t page_bytes)
    : channel_(&channel),
      options_(std::move(options)),
      page_bytes_(page_bytes),
      left_(options_.limit > 0 ? options_.limit : kUnlimited),
      page_keys_(kFirstPage) {}

bool RangePages::can_page(const GetOptions& options) {
  return !options.range.end.empty() && !options.count_only && options.sort_by == SortBy::kKey &&
         options.order != Order::kDescending && options.min_mod_revision == 0 &&
         options.max_mod_revision == 0 && options.min_create_revision == 0 &&
         options.max_create_revision == 0;
}

Task<Result<std::optional<wire::RangeResponse>>> RangePages::next(Deadline deadline) {
  if (done_) co_return std::optional<wire::RangeResponse>{};
  options_.limit = std::min(page_keys_, left_);
  Kv kv(*channel_);
  auto page = co_await kv.get(options_, deadline);
  if (!page && !first_ && page.error().code == ErrorCode::kOutOfRange &&
      page.error().message.find("future revision") != std::string::npos) {
    // Another member answers now, and lags behind.
    options_.consistency = Consistency::kLinearizable;
    page = co_await kv.get(options_, deadline);
  }
  if (!page) co_return std::move(page).error();
  plan(*page);
  page->set_count(count_);
  co_return std::optional<wire::RangeResponse>(*std::move(page));
}

void RangePages::plan(const wire::RangeResponse& page) {
  if (std::exchange(first_, false)) {
    count_ = page.count();
    if (options_.revision == 0) options_.revision = page.header().revision();
    options_.consistency = Consistency::kSerializable;
  }
  left_ -= left_ == kUnlimited ? 0 : page.kvs_size();
  done_ = !page.more() || left_ == 0 || page.kvs().empty();
  if (done_) return;
  options_.range.key = page.kvs(page.kvs_size() - 1).key();
  options_.range.key.push_back('\0');
  const auto weight =
      std::max<std::size_t>(1, page.ByteSizeLong()) / static_cast<std::size_t>(page.kvs_size());
  const auto keys = page_bytes_ / std::max<std::size_t>(1, weight);
  page_keys_ = std::clamp(static_cast<std::int64_t>(keys), std::int64_t{1},
                          std::min(kMostKeys, page_keys_ * 16));
}

}  // namespace etcdmon::etcd
