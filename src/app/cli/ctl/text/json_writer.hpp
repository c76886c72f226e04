// app/cli/ctl/text/json_writer.hpp: JSON as Go's encoding/json prints a struct: fields in their
// order, some left out when zero.
#pragma once

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "app/cli/ctl/text/go_text.hpp"

namespace etcdmon::app::cli::ctl {

/// Appends to a string; the caller keeps braces in balance.
class JsonWriter {
 public:
  explicit JsonWriter(std::string& out) : out_(&out) {}

  JsonWriter& open(char brace) {
    separate();
    *out_ += brace;
    fresh_ = true;
    return *this;
  }
  JsonWriter& close(char brace) {
    *out_ += brace;
    fresh_ = false;
    return *this;
  }
  JsonWriter& key(std::string_view name) {
    separate();
    append_go_json(*out_, name);
    *out_ += ':';
    fresh_ = true;
    return *this;
  }

  template <std::integral T>
  JsonWriter& value(T number) {
    separate();
    if constexpr (std::is_same_v<T, bool>) {
      *out_ += number ? "true" : "false";
    } else {
      fmt::format_to(std::back_inserter(*out_), "{}", number);
    }
    return *this;
  }
  JsonWriter& value(std::string_view text) {
    separate();
    append_go_json(*out_, text);
    return *this;
  }
  JsonWriter& bytes(std::string_view raw) {
    separate();
    append_json_bytes(*out_, raw);
    return *this;
  }
  JsonWriter& null() {
    separate();
    *out_ += "null";
    return *this;
  }

  /// Goes on in a list that another writer began and left.
  JsonWriter& resume() {
    fresh_ = false;
    return *this;
  }

  /// A field that is always there.
  template <class T>
  JsonWriter& field(std::string_view name, const T& v) {
    return key(name).value(v);
  }
  /// `omitempty`: left out when it is zero, false or empty.
  template <std::integral T>
  JsonWriter& some(std::string_view name, T v) {
    return v == T{} ? *this : field(name, v);
  }
  JsonWriter& some(std::string_view name, std::string_view v) {
    return v.empty() ? *this : field(name, v);
  }
  JsonWriter& some_bytes(std::string_view name, std::string_view raw) {
    return raw.empty() ? *this : key(name).bytes(raw);
  }

 private:
  void separate() {
    if (!fresh_) *out_ += ',';
    fresh_ = false;
  }

  std::string* out_;
  bool fresh_ = true;  ///< nothing stands before the next value that a comma would divide it from
};

}  // namespace etcdmon::app::cli::ctl
