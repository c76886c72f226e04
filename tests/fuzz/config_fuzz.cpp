// Whatever a configuration file holds: all that is wrong with it is told with its line and without
// a secret, and what is accepted, shown and read again is the same.
#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/assert.hpp"
#include "config/describe.hpp"
#include "config/example_options.hpp"
#include "config/loader.hpp"
#include "config/yaml.hpp"

namespace {

using namespace etcdmon;
using namespace etcdmon::config;

constexpr std::string_view kSecret = "s3cret-of-a-file";

// Files named by the configuration: only those for secrets are read.
Result<std::string> read_secret(const std::string& path) {
  if (path.size() % 2 == 0) return std::string(kSecret);
  return Error{ErrorCode::kNotFound, "cannot read " + path + ": No such file", Cause::kLocal};
}

void check_tree(std::string_view text) {
  const auto tree = parse_yaml(text);
  if (!tree) {
    ETCDMON_ASSERT(!tree.error().message.empty() && tree.error().line >= 0);
    return;
  }
  to_json(*tree);
}

void check_issues(const Loader& loader, std::string_view text) {
  const auto lines = std::ranges::count(text, '\n') + std::ranges::count(text, '\r') + 1;
  for (const auto& issue : loader.issues()) {
    ETCDMON_ASSERT(!issue.message.empty());
    ETCDMON_ASSERT(issue.origin.line >= 0 && issue.origin.line <= lines);
    ETCDMON_ASSERT(to_string(issue).find(kSecret) == std::string::npos);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (text.find(kSecret) != std::string_view::npos) return 0;
  check_tree(text);
  ExampleOptions settings;
  Loader loader(settings, read_secret);
  loader.apply_yaml(text, "config.yaml");
  loader.check();
  check_issues(loader, text);
  if (!loader.issues().empty()) return 0;

  const auto shown = dump(settings);
  const auto yaml = to_yaml(shown);
  ETCDMON_ASSERT(yaml.find(kSecret) == std::string::npos);
  ExampleOptions again;
  Loader second(again, read_secret);
  second.apply_yaml(yaml, "shown.yaml");
  second.check();
  ETCDMON_ASSERT(second.issues().empty());
  ETCDMON_ASSERT(dump(again) == shown);
  return 0;
}
