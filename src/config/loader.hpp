// config/loader.hpp: fills declared options from a file, the environment and flags.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.hpp"
#include "config/flags.hpp"
#include "config/issue.hpp"
#include "config/node.hpp"
#include "config/schema.hpp"

namespace etcdmon::config {

/// The whole text of a file. Errors: kNotFound when there is none, others when it cannot be read.
using ReadFile = std::function<Result<std::string>(const std::string& path)>;
using Environment = std::map<std::string, std::string>;

/// A file of this machine, up to 1 MiB; directories and longer files are errors.
Result<std::string> read_file(const std::string& path);

/// Applies layers to `options`, which starts with its defaults; a later layer wins over an earlier
/// one, so the order is file, environment, flags, check(). Values out of bounds are refused, never
/// clamped. Where issues() is not empty at the end, the options must not be used.
///
/// Lifetime: `options` outlives it.
class Loader {
 public:
  template <class T>
  Loader(T& options, ReadFile read) : Loader(schema_of<T>(), &options, std::move(read)) {}

  /// `source` is how the file is called in issues.
  void apply_yaml(std::string_view text, const std::string& source);
  /// Known variables that are set and not empty. An unknown one is no error, since Kubernetes sets
  /// variables of its own for a Service called etcd-monitor; one that looks mistyped is a warning.
  void apply_environment(const Environment& environment);
  /// Values of flags that the schema does not have are left to the caller.
  void apply_flags(std::span<const FlagValue> flags);
  /// The rules across fields. A struct with a value already refused is not judged again.
  void check();

  const std::vector<Issue>& issues() const { return issues_; }
  const std::vector<std::string>& warnings() const { return warnings_; }
  /// Files that were read for secrets: when one changes, the configuration has changed.
  const std::vector<std::string>& files() const { return files_; }
  /// Where the value at `path` was written; its source is empty for a default.
  Origin origin_of(const std::string& path) const;

 private:
  struct Target;
  using SetBy = std::map<const Field*, std::string>;

  Loader(const Schema& schema, void* options, ReadFile read);

  void read_section(const Schema& schema, void* owner, const Node& map, const std::string& path);
  void read_key(const Target& target, void* owner, const Node& entry, const std::string& path);
  void read_sections(const Field& field, void* owner, const Node& list, const std::string& path);
  void read_values(const Field& field, void* owner, const Node& list, const std::string& path);
  void take(const Field& field, void* owner, const Node& value, const std::string& path);
  void take_file(const Field& field, void* owner, const Node& value, const std::string& path);

  void apply_bound(const Binding& binding, const std::string& value, bool append);
  bool resolve(const Binding& binding, void*& owner, std::string& path);
  void take_bound_list(const Field& field, void* owner, const std::string& value,
                       const std::string& path);

  void check_section(const Schema& schema, void* owner, const std::string& path);
  std::string entry_path(const Field& field, const std::string& parent, std::size_t index) const;
  void refuse(const std::string& path, int line, std::string message);

  const Schema* schema_;
  void* options_;
  ReadFile read_;
  std::vector<Binding> bindings_;

  std::string source_;      ///< of the layer that is being applied
  bool shows_path_ = true;  ///< false where the source alone says which option it is
  std::map<std::string, Origin> origins_;
  std::set<std::string> refused_;  ///< paths of structs that hold a refused value
  std::set<std::string> single_;   ///< paths of lists that were written as one section
  std::vector<Issue> issues_;
  std::vector<std::string> warnings_;
  std::vector<std::string> files_;
};

}  // namespace etcdmon::config
