#include "bench/http2/header_decoder.hpp"

#include <algorithm>
#include <cstring>

#include <nghttp2/nghttp2.h>

#include "base/assert.hpp"

namespace etcdmon::bench {

namespace {

// What HPACK's own accounting adds to each field.
constexpr std::size_t kFieldOverhead = 32;

std::string_view text_of(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

// Every byte refers to a table entry by its number, so that the table stays as it is.
bool only_refers(std::span<const std::byte> block) {
  return std::ranges::all_of(block, [](std::byte byte) {
    return std::to_integer<unsigned>(byte) >= 0x80U && std::to_integer<unsigned>(byte) < 0xffU;
  });
}

// RFC 9113 8.2 and 8.3 as nghttp2 keeps them, for one block: strict with pseudo-header fields, and
// with what would change the meaning of the connection; a field whose bytes are wrong is passed
// over.
class FieldRules {
 public:
  explicit FieldRules(bool trailers) : trailers_(trailers) {}

  enum class Verdict : std::uint8_t { kTake, kPassOver, kRefuse };
  Verdict judge(const nghttp2_nv& nv) {
    const auto name = text_of(nv.name, nv.namelen);
    if (name.starts_with(':')) return is_good_status(nv) ? Verdict::kTake : Verdict::kRefuse;
    regular_seen_ = true;
    if (nghttp2_check_header_name(nv.name, nv.namelen) == 0) {
      const bool upper = std::ranges::any_of(name, [](char c) { return c >= 'A' && c <= 'Z'; });
      return upper ? Verdict::kRefuse : Verdict::kPassOver;
    }
    if (nghttp2_check_header_value(nv.value, nv.valuelen) == 0) return Verdict::kPassOver;
    const bool of_http1 = name == "connection" || name == "keep-alive" ||
                          name == "proxy-connection" || name == "transfer-encoding" ||
                          name == "upgrade" ||
                          (name == "te" && text_of(nv.value, nv.valuelen) != "trailers");
    return of_http1 ? Verdict::kRefuse : Verdict::kTake;
  }
  bool complete() const { return trailers_ || status_seen_; }

 private:
  bool is_good_status(const nghttp2_nv& nv) {
    if (trailers_ || regular_seen_ || status_seen_) return false;
    if (text_of(nv.name, nv.namelen) != ":status") return false;
    status_seen_ = true;
    const auto value = text_of(nv.value, nv.valuelen);
    return value.size() == 3 && value != "101" &&
           std::ranges::all_of(value, [](char c) { return c >= '0' && c <= '9'; });
  }

  bool trailers_;
  bool regular_seen_ = false;
  bool status_seen_ = false;
};

}  // namespace

void HeaderDecoder::Deleter::operator()(nghttp2_hd_inflater* inflater) const {
  nghttp2_hd_inflate_del(inflater);
}

HeaderDecoder::HeaderDecoder(std::size_t max_header_list) : max_header_list_(max_header_list) {
  nghttp2_hd_inflater* inflater = nullptr;
  ETCDMON_ASSERT(nghttp2_hd_inflate_new(&inflater) == 0);
  inflater_.reset(inflater);
}

HeaderDecoder::Outcome HeaderDecoder::read(std::span<const std::byte> block, bool trailers,
                                           rpc::ResponseHead& head) {
  if (const auto* known = recall(block, trailers)) {
    if (known->http_status != 0) head.http_status = known->http_status;
    head.grpc_content = head.grpc_content || known->grpc_content;
    head.grpc_status = known->grpc_status;
    return Outcome::kFine;
  }
  const bool clean = head.http_status == 0 && !head.grpc_content;
  const auto outcome = inflate(block, trailers, head);
  if (!only_refers(block)) {
    for (auto& entry : remembered_) entry.size = 0;
  } else if (outcome == Outcome::kFine && (clean || trailers) && head.grpc_message.empty() &&
             (head.grpc_content || trailers)) {
    remember(block, trailers, head);
  }
  return outcome;
}

const HeaderDecoder::Remembered* HeaderDecoder::recall(std::span<const std::byte> block,
                                                       bool trailers) const {
  for (const auto& entry : remembered_) {
    if (entry.size == block.size() && entry.size != 0 && entry.trailers == trailers &&
        std::memcmp(entry.block.data(), block.data(), block.size()) == 0) {
      return &entry;
    }
  }
  return nullptr;
}

void HeaderDecoder::remember(std::span<const std::byte> block, bool trailers,
                             const rpc::ResponseHead& head) {
  if (block.empty() || block.size() > sizeof(Remembered::block)) return;
  auto& entry = remembered_[next_place_++ % remembered_.size()];
  std::ranges::copy(block, entry.block.begin());
  entry.size = static_cast<std::uint8_t>(block.size());
  entry.trailers = trailers;
  entry.http_status = trailers ? std::int16_t{0} : static_cast<std::int16_t>(head.http_status);
  entry.grpc_content = !trailers && head.grpc_content;
  entry.grpc_status = head.grpc_status;
}

HeaderDecoder::Outcome HeaderDecoder::inflate(std::span<const std::byte> block, bool trailers,
                                              rpc::ResponseHead& head) {
  FieldRules rules(trailers);
  auto outcome = Outcome::kFine;
  std::size_t listed = 0;
  const auto* at = reinterpret_cast<const std::uint8_t*>(block.data());
  std::size_t left = block.size();
  for (;;) {
    nghttp2_nv nv{};
    int flags = 0;
    const auto used = nghttp2_hd_inflate_hd2(inflater_.get(), &nv, &flags, at, left, 1);
    if (used < 0) return Outcome::kBroken;
    at += used;
    left -= static_cast<std::size_t>(used);
    if ((flags & NGHTTP2_HD_INFLATE_EMIT) != 0) {
      listed += nv.namelen + nv.valuelen + kFieldOverhead;
      const auto verdict = rules.judge(nv);
      if (verdict == FieldRules::Verdict::kRefuse) outcome = Outcome::kMalformed;
      if (outcome == Outcome::kFine && listed > max_header_list_) outcome = Outcome::kTooLarge;
      if (outcome == Outcome::kFine && verdict == FieldRules::Verdict::kTake)
        head.take(text_of(nv.name, nv.namelen), text_of(nv.value, nv.valuelen));
    }
    if ((flags & NGHTTP2_HD_INFLATE_FINAL) != 0) {
      nghttp2_hd_inflate_end_headers(inflater_.get());
      break;
    }
    if ((flags & NGHTTP2_HD_INFLATE_EMIT) == 0 && left == 0) break;
  }
  if (outcome == Outcome::kFine && !rules.complete()) return Outcome::kMalformed;
  return outcome;
}

}  // namespace etcdmon::bench
