#include "api/auth/detail/strict_json.hpp"

#include <set>
#include <vector>

namespace etcdmon::api::auth::detail {

namespace {

constexpr std::size_t kMaxDepth = 16;

/// Sees what the parser sees, before a second value replaces a first one.
class Watcher {
 public:
  using Event = nlohmann::json::parse_event_t;

  bool good() const { return good_; }

  void see(Event event, const nlohmann::json& parsed) {
    switch (event) {
      case Event::object_start:
      case Event::array_start:
        if (levels_.size() >= kMaxDepth) good_ = false;
        levels_.emplace_back();
        break;
      case Event::object_end:
      case Event::array_end:
        levels_.pop_back();
        break;
      case Event::key:
        if (!levels_.back().insert(parsed.get_ref<const std::string&>()).second) good_ = false;
        break;
      case Event::value:
        break;
    }
  }

 private:
  bool good_ = true;
  std::vector<std::set<std::string>> levels_;
};

}  // namespace

std::optional<nlohmann::json> parse_strict_object(std::string_view text) {
  Watcher watcher;
  const auto callback = [&watcher](int, Watcher::Event event, nlohmann::json& parsed) {
    watcher.see(event, parsed);
    return true;
  };
  auto document = nlohmann::json::parse(text, callback, false);
  if (!watcher.good() || !document.is_object()) return std::nullopt;
  return document;
}

const std::string* text_at(const nlohmann::json& object, const char* name) {
  const auto found = object.find(name);
  return found == object.end() ? nullptr : found->get_ptr<const std::string*>();
}

}  // namespace etcdmon::api::auth::detail
