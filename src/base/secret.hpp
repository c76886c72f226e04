// base/secret.hpp: text that must not be shown.
#pragma once

#include <string>
#include <utility>

#include <fmt/format.h>

namespace etcdmon {

/// A password, key or token. It has no stream operator, formats as "<secret>", and only
/// reveal() gives the text, so that every place which uses it can be found.
class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string text) : text_(std::move(text)) {}

  bool empty() const { return text_.empty(); }
  const std::string& reveal() const { return text_; }
  bool operator==(const Secret&) const = default;

 private:
  std::string text_;
};

}  // namespace etcdmon

template <>
struct fmt::formatter<etcdmon::Secret> : fmt::formatter<std::string_view> {
  template <class Context>
  auto format(const etcdmon::Secret& secret, Context& context) const {
    return fmt::formatter<std::string_view>::format(secret.empty() ? "" : "<secret>", context);
  }
};
