#include "config/loader.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <optional>
#include <sys/stat.h>

#include <fmt/format.h>

#include "config/suggest.hpp"
#include "config/yaml.hpp"

namespace etcdmon::config {

namespace {

using Shape = Field::Shape;
using Kind = Node::Kind;

constexpr std::string_view kFileSuffix = "_file";

std::string join(const std::string& path, std::string_view key) {
  return path.empty() ? std::string(key) : fmt::format("{}.{}", path, key);
}

std::string parent_of(const std::string& path) {
  const auto dot = path.rfind('.');
  return dot == std::string::npos ? std::string{} : path.substr(0, dot);
}

std::vector<std::string> keys_of(const Schema& schema) {
  std::vector<std::string> keys;
  for (const auto& field : schema.fields()) {
    keys.push_back(field.name);
    if (field.secret) keys.push_back(field.name + std::string(kFileSuffix));
    if (!field.one_as.empty()) keys.push_back(field.one_as);
  }
  return keys;
}

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

}  // namespace

Result<std::string> read_file(const std::string& path) {
  constexpr std::streamsize kLongest = 1 << 20;
  struct stat status{};
  if (::stat(path.c_str(), &status) != 0) {
    const int reason = errno;
    const auto code = reason == ENOENT ? ErrorCode::kNotFound : ErrorCode::kUnavailable;
    return Error{code, fmt::format("cannot read {}: {}", path, std::strerror(reason)),
                 Cause::kLocal};
  }
  if (S_ISDIR(status.st_mode)) {
    return Error{ErrorCode::kInvalidArgument,
                 fmt::format("cannot read {}: it is a directory", path), Cause::kLocal};
  }
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    const int reason = errno;
    return Error{ErrorCode::kPermissionDenied,
                 fmt::format("cannot read {}: {}", path, std::strerror(reason)), Cause::kLocal};
  }
  std::string text(static_cast<std::size_t>(kLongest) + 1, '\0');
  file.read(text.data(), kLongest + 1);
  if (file.gcount() > kLongest) {
    return Error{ErrorCode::kResourceExhausted,
                 fmt::format("cannot read {}: larger than 1MiB", path), Cause::kLocal};
  }
  text.resize(static_cast<std::size_t>(file.gcount()));
  return text;
}

/// What a key of a section stands for.
struct Loader::Target {
  enum class Way { kPlain, kFile, kSingle };
  const Field* field = nullptr;
  Way way = Way::kPlain;

  static std::optional<Target> find(const Schema& schema, std::string_view key) {
    for (const auto& field : schema.fields()) {
      if (field.name == key) return Target{&field, Way::kPlain};
      if (!field.one_as.empty() && field.one_as == key) return Target{&field, Way::kSingle};
      if (field.secret && key == field.name + std::string(kFileSuffix))
        return Target{&field, Way::kFile};
    }
    return std::nullopt;
  }
};

Loader::Loader(const Schema& schema, void* options, ReadFile read)
    : schema_(&schema), options_(options), read_(std::move(read)), bindings_(bindings_of(schema)) {}

Origin Loader::origin_of(const std::string& path) const {
  const auto it = origins_.find(path);
  return it == origins_.end() ? Origin{} : it->second;
}

void Loader::refuse(const std::string& path, int line, std::string message) {
  issues_.push_back(Issue{{source_, line}, shows_path_ ? path : std::string{}, std::move(message)});
  refused_.insert(parent_of(path));
}

// --- the file ---

void Loader::apply_yaml(std::string_view text, const std::string& source) {
  source_ = source;
  shows_path_ = true;
  const auto root = parse_yaml(text);
  if (!root) {
    refuse({}, root.error().line, root.error().message);
    return;
  }
  read_section(*schema_, options_, *root, {});
}

void Loader::read_section(const Schema& schema, void* owner, const Node& map,
                          const std::string& path) {
  if (!path.empty()) origins_[path] = Origin{source_, map.line};
  if (map.kind == Kind::kNull) return;
  if (map.kind != Kind::kMap) {
    refuse(path, map.line,
           fmt::format("expected a section of keys and values, found {}", name_of(map.kind)));
    return;
  }
  std::map<const Field*, const Node*> set_by;
  for (const auto& entry : map.children) {
    const auto entry_path = join(path, entry.key);
    const auto target = Target::find(schema, entry.key);
    if (!target) {
      const auto near = closest(entry.key, keys_of(schema));
      refuse(entry_path, entry.line,
             near.empty() ? "unknown key" : fmt::format("unknown key; did you mean `{}`?", near));
      continue;
    }
    const auto [other, first] = set_by.emplace(target->field, &entry);
    if (first) {
      read_key(*target, owner, entry, entry_path);
    } else if (other->second->key == entry.key) {
      refuse(entry_path, entry.line,
             fmt::format("written twice; first on line {}", other->second->line));
    } else {
      refuse(entry_path, entry.line,
             fmt::format("says the same as `{}` on line {}; keep one of them", other->second->key,
                         other->second->line));
    }
  }
}

void Loader::read_key(const Target& target, void* owner, const Node& entry,
                      const std::string& path) {
  const Field& field = *target.field;
  if (target.way == Target::Way::kFile) {
    take_file(field, owner, entry, path);
    return;
  }
  switch (field.shape) {
    case Shape::kValue:
      take(field, owner, entry, path);
      return;
    case Shape::kValues:
      read_values(field, owner, entry, path);
      return;
    case Shape::kSection:
      read_section(field.nested(), field.section(owner, 0), entry, path);
      return;
    case Shape::kSections:
      break;
  }
  if (target.way == Target::Way::kSingle) {
    single_.insert(join(parent_of(path), field.name));
    field.clear(owner);
    field.append(owner);
    read_section(field.nested(), field.section(owner, 0), entry, path);
    return;
  }
  read_sections(field, owner, entry, path);
}

void Loader::read_sections(const Field& field, void* owner, const Node& list,
                           const std::string& path) {
  field.clear(owner);
  if (list.kind == Kind::kNull) return;
  if (list.kind != Kind::kList) {
    refuse(path, list.line,
           fmt::format("expected a list with one `- …` an entry, found {}", name_of(list.kind)));
    return;
  }
  for (const auto& item : list.children) {
    const auto index = field.count(owner);
    field.append(owner);
    read_section(field.nested(), field.section(owner, index), item,
                 fmt::format("{}[{}]", path, index));
  }
}

void Loader::read_values(const Field& field, void* owner, const Node& list,
                         const std::string& path) {
  origins_[path] = Origin{source_, list.line};
  field.clear(owner);
  if (list.kind == Kind::kNull) return;
  if (list.kind != Kind::kList) {
    refuse(path, list.line,
           fmt::format("expected a list such as [a, b], found {}", name_of(list.kind)));
    return;
  }
  for (std::size_t i = 0; i < list.children.size(); ++i) {
    take(field, owner, list.children[i], fmt::format("{}[{}]", path, i));
  }
}

void Loader::take(const Field& field, void* owner, const Node& value, const std::string& path) {
  origins_[path] = Origin{source_, value.line};
  if (const auto taken = field.take(owner, value); !taken)
    refuse(path, value.line, taken.error().message);
}

void Loader::take_file(const Field& field, void* owner, const Node& value,
                       const std::string& path) {
  const auto name = Codec<std::string>::parse(value);
  if (!name || name->empty()) {
    refuse(path, value.line, name ? "has no value; give the name of a file" : name.error().message);
    return;
  }
  auto text = read_(*name);
  if (!text) {
    refuse(path, value.line, text.error().message);
    return;
  }
  files_.push_back(*name);
  // Editors and `echo` end a file with a newline that is no part of the secret.
  if (text->ends_with('\n')) text->pop_back();
  if (text->ends_with('\r')) text->pop_back();
  if (text->empty()) {
    refuse(path, value.line, fmt::format("{} is empty", *name));
    return;
  }
  Node secret = Node::text_of(*std::move(text));
  secret.line = value.line;
  take(field, owner, secret, path);
}

// --- flags and environment ---

void Loader::apply_environment(const Environment& environment) {
  shows_path_ = false;
  std::vector<std::string> known;
  std::map<const Field*, std::string> set_by;
  for (const auto& binding : bindings_) {
    known.push_back(binding.flag.environment);
    const auto it = environment.find(binding.flag.environment);
    if (it == environment.end() || it->second.empty()) continue;
    source_ = it->first;
    const auto [other, first] = set_by.emplace(&binding.field(), it->first);
    if (!first) {
      refuse({}, 0, fmt::format("says the same as {}; keep one of them", other->second));
      continue;
    }
    apply_bound(binding, it->second, false);
  }
  for (const auto& [name, value] : environment) {
    if (!name.starts_with(kEnvironmentPrefix) || std::ranges::find(known, name) != known.end())
      continue;
    const auto near = closest(name, known);
    if (!near.empty() && edit_distance(name, near) <= 2) {
      warnings_.push_back(
          fmt::format("{} is not known and has no effect; did you mean {}?", name, near));
    }
  }
}

void Loader::apply_flags(std::span<const FlagValue> flags) {
  shows_path_ = false;
  std::map<const Field*, std::string> set_by;
  for (const auto& flag : flags) {
    const auto binding =
        std::ranges::find(bindings_, flag.name, [](const Binding& b) { return b.flag.name; });
    if (binding == bindings_.end()) continue;
    source_ = "--" + flag.name;
    const auto [other, first] = set_by.emplace(&binding->field(), flag.name);
    if (!first && other->second != flag.name) {
      refuse({}, 0, fmt::format("says the same as --{}; keep one of them", other->second));
      continue;
    }
    apply_bound(*binding, flag.value, !first);
  }
}

bool Loader::resolve(const Binding& binding, void*& owner, std::string& path) {
  owner = options_;
  for (const auto* step : binding.chain) {
    if (step == &binding.field()) break;
    if (step->shape == Shape::kSections) {
      const auto count = step->count(owner);
      if (count > 1) {
        refuse(path, 0,
               fmt::format("is for a single entry of `{}`, but {} are configured; write `{}` there",
                           step->name, count, binding.field().name));
        return false;
      }
      if (count == 0) step->append(owner);
      path = entry_path(*step, path, 0);
    } else {
      path = join(path, step->name);
    }
    owner = step->section(owner, 0);
  }
  path = join(path, binding.field().name);
  return true;
}

void Loader::apply_bound(const Binding& binding, const std::string& value, bool append) {
  const Field& field = binding.field();
  void* owner = nullptr;
  std::string path;
  if (!resolve(binding, owner, path)) return;
  if (binding.reads_file) {
    take_file(field, owner, Node::plain(value), path);
  } else if (field.shape == Shape::kValues) {
    if (!append) field.clear(owner);
    take_bound_list(field, owner, value, path);
  } else if (!field.flag_unit.empty()) {
    if (value.empty() || value.find_first_not_of("0123456789") != std::string::npos) {
      refuse(path, 0, fmt::format("\"{}\" is not a whole number, 0 or more", value));
      return;
    }
    take(field, owner, Node::plain(value + field.flag_unit), path);
  } else {
    take(field, owner, Node::plain(value), path);
  }
}

void Loader::take_bound_list(const Field& field, void* owner, const std::string& value,
                             const std::string& path) {
  origins_[path] = Origin{source_, 0};
  std::string_view rest = value;
  while (true) {
    const auto comma = rest.find(',');
    const auto item = trimmed(rest.substr(0, comma));
    if (item.empty()) {
      refuse(path, 0,
             value.empty() ? "needs a value" : fmt::format("\"{}\" has an empty entry", value));
      return;
    }
    if (const auto taken = field.take(owner, Node::plain(std::string(item))); !taken) {
      refuse(path, 0, taken.error().message);
    }
    if (comma == std::string_view::npos) return;
    rest.remove_prefix(comma + 1);
  }
}

// --- rules across fields ---

void Loader::check() {
  shows_path_ = true;
  check_section(*schema_, options_, {});
}

std::string Loader::entry_path(const Field& field, const std::string& parent,
                               std::size_t index) const {
  const auto list = join(parent, field.name);
  return single_.contains(list) ? join(parent, field.one_as) : fmt::format("{}[{}]", list, index);
}

void Loader::check_section(const Schema& schema, void* owner, const std::string& path) {
  for (const auto& field : schema.fields()) {
    if (field.shape == Shape::kSection) {
      check_section(field.nested(), field.section(owner, 0), join(path, field.name));
    } else if (field.shape == Shape::kSections) {
      for (std::size_t i = 0; i < field.count(owner); ++i) {
        check_section(field.nested(), field.section(owner, i), entry_path(field, path, i));
      }
    }
  }
  if (refused_.contains(path)) return;
  for (auto& complaint : schema.check(owner)) {
    const auto blamed = complaint.key.empty() ? path : join(path, complaint.key);
    auto place = blamed;
    while (!place.empty() && !origins_.contains(place)) place = parent_of(place);
    issues_.push_back(Issue{origin_of(place), blamed, std::move(complaint.message)});
  }
}

}  // namespace etcdmon::config
