// api/json_writer.hpp: JSON text written in one pass, without a document in between.
#pragma once

#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace etcdmon::api {

/// Commas are its business, matching ends the caller's. What is no number in JSON (NaN, infinity)
/// becomes null.
class JsonWriter {
 public:
  JsonWriter& begin_object() { return open('{'); }
  JsonWriter& end_object() { return close('}'); }
  JsonWriter& begin_array() { return open('['); }
  JsonWriter& end_array() { return close(']'); }
  JsonWriter& key(std::string_view name);

  JsonWriter& null();
  JsonWriter& value(std::string_view text);
  JsonWriter& value(const char* text) { return value(std::string_view(text)); }
  JsonWriter& value(double number);
  template <std::same_as<bool> T>
  JsonWriter& value(T truth) {
    return raw(truth ? "true" : "false");
  }
  template <std::unsigned_integral T>
    requires(!std::same_as<T, bool>)
  JsonWriter& value(T number) {
    return unsigned_number(number);
  }
  template <std::signed_integral T>
  JsonWriter& value(T number) {
    return signed_number(number);
  }
  template <class T>
  JsonWriter& value(const std::optional<T>& maybe) {
    return maybe ? value(*maybe) : null();
  }

  /// `"name":value`
  template <class T>
  JsonWriter& member(std::string_view name, const T& content) {
    return key(name).value(content);
  }
  /// Empty text is "not known" or "none": null.
  JsonWriter& member_or_null(std::string_view name, std::string_view text);

  const std::string& text() const { return out_; }
  std::string take() { return std::move(out_); }

 private:
  JsonWriter& open(char bracket);
  JsonWriter& close(char bracket);
  JsonWriter& raw(std::string_view text);
  JsonWriter& unsigned_number(std::uint64_t number);
  JsonWriter& signed_number(std::int64_t number);
  void separate();

  std::string out_;
  bool comma_ = false;
};

}  // namespace etcdmon::api
