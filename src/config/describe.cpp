#include "config/describe.hpp"

#include <algorithm>
#include <map>
#include <optional>

#include <fmt/format.h>

#include "config/flags.hpp"

namespace etcdmon::config {

namespace {

using Shape = Field::Shape;
using Kind = Node::Kind;

constexpr std::string_view kRedacted = "<secret>";

// Describing never changes the options; the accessors of a Field serve readers as well, hence not
// const.
void* section_of(const Field& field, const void* owner, std::size_t index) {
  return field.section(const_cast<void*>(owner),
                       index);  // NOLINT(cppcoreguidelines-pro-type-const-cast)
}

std::string join(const std::string& path, std::string_view key) {
  return path.empty() ? std::string(key) : fmt::format("{}.{}", path, key);
}

Node redacted(Node node) {
  if (!node.text.empty()) node = Node::text_of(std::string(kRedacted));
  for (auto& child : node.children) child = redacted(std::move(child));
  return node;
}

std::string one_line(const Field& field, const Node& node) {
  if (node.kind == Kind::kNull) return "null";
  if (node.kind == Kind::kMap) {
    std::vector<std::string> items;
    for (const auto& item : node.children)
      items.push_back(fmt::format("{}: {}", item.key, item.text));
    return fmt::format("{{{}}}", fmt::join(items, ", "));
  }
  if (node.kind != Kind::kList)
    return field.secret && !node.text.empty() ? std::string(kRedacted) : node.text;
  std::vector<std::string> items;
  for (const auto& item : node.children) items.push_back(one_line(field, item));
  return fmt::format("[{}]", fmt::join(items, ", "));
}

// --- difference ---

class Comparison {
 public:
  std::vector<Difference> take() { return std::move(found_); }

  void compare(const Schema& schema, const void* before, const void* after,
               const std::string& path) {
    for (const auto& field : schema.fields()) {
      const auto here = join(path, field.name);
      switch (field.shape) {
        case Shape::kValue:
        case Shape::kValues:
          compare_values(field, before, after, here);
          break;
        case Shape::kSection:
          compare(field.nested(), section_of(field, before, 0), section_of(field, after, 0), here);
          break;
        case Shape::kSections:
          compare_entries(field, before, after, here);
          break;
      }
    }
  }

 private:
  using Entries = std::vector<std::pair<std::string, const void*>>;

  void compare_values(const Field& field, const void* before, const void* after,
                      const std::string& path) {
    const Node was = field.show(before);
    const Node is = field.show(after);
    if (was == is) return;
    found_.push_back(Difference{path, one_line(field, was), one_line(field, is), field.live});
  }

  static Entries entries_of(const Field& list, const void* owner) {
    Entries entries;
    const auto& fields = list.nested().fields();
    std::map<std::string, int> seen;
    for (std::size_t i = 0; i < list.count(owner); ++i) {
      const void* entry = section_of(list, owner, i);
      auto name = list.identity.empty() ? fmt::format("{}", i) : std::string();
      for (const auto& key : {list.identity, list.other_identity}) {
        const auto field = std::ranges::find(fields, key, &Field::name);
        if (name.empty() && field != fields.end()) name = field->show(entry).text;
      }
      // Several may share a name where that is allowed: then they go by their order.
      if (const int before = seen[name]++; before != 0) name += fmt::format("#{}", before + 1);
      entries.emplace_back(std::move(name), entry);
    }
    return entries;
  }

  void compare_entries(const Field& list, const void* before, const void* after,
                       const std::string& path) {
    const auto were = entries_of(list, before);
    const auto are = entries_of(list, after);
    for (const auto& [name, entry] : were) {
      const auto same = std::ranges::find(are, name, &Entries::value_type::first);
      const auto here = fmt::format("{}[{}]", path, name);
      if (same == are.end()) {
        found_.push_back(Difference{here, name, {}, list.live});
      } else {
        compare(list.nested(), entry, same->second, here);
      }
    }
    for (const auto& [name, entry] : are) {
      if (std::ranges::find(were, name, &Entries::value_type::first) != were.end()) continue;
      found_.push_back(Difference{fmt::format("{}[{}]", path, name), {}, name, list.live});
    }
  }

  std::vector<Difference> found_;
};

// --- documentation ---

std::string bounds_of(const Field& field) {
  std::vector<std::string> parts;
  if (!field.least.empty())
    parts.push_back(fmt::format("{}≥ {}", field.zero_is_off ? "0 or " : "", field.least));
  if (!field.most.empty()) parts.push_back("≤ " + field.most);
  return fmt::format("{}", fmt::join(parts, ", "));
}

std::string type_text(const Field& field) {
  std::string text = field.type.choices.empty()
                         ? field.type.name
                         : fmt::format("`{}`", fmt::join(field.type.choices, "`, `"));
  if (field.shape == Shape::kValues) text = "list of " + text;
  if (const auto bounds = bounds_of(field); !bounds.empty()) text += ", " + bounds;
  return text;
}

std::string cell(std::string text) {
  for (std::size_t at = 0; (at = text.find('|', at)) != std::string::npos; at += 2)
    text.insert(at, 1, '\\');
  return text;
}

class Reference {
 public:
  explicit Reference(const Schema& root) {
    for (const auto& binding : bindings_of(root)) bindings_[&binding.field()].push_back(binding);
  }

  std::string take() { return std::move(out_); }

  void section(const Schema& schema, const std::string& path, const std::string& doc) {
    if (!path.empty()) out_ += fmt::format("## `{}`\n\n{}\n\n", path, doc);
    const auto is_row = [](const Field& field) { return field.nested == nullptr; };
    if (std::ranges::any_of(schema.fields(), is_row)) {
      out_ +=
          "| key | value | default | meaning | flag | environment | a change "
          "|\n|---|---|---|---|---|---|---|\n";
      const auto defaults = schema.make_default();
      for (const auto& field : schema.fields()) {
        if (is_row(field)) row(field, defaults.get());
      }
      out_ += "\n";
    }
    for (const auto& field : schema.fields()) {
      if (is_row(field)) continue;
      const auto here = join(path, field.name) + (field.shape == Shape::kSections ? "[]" : "");
      auto text = field.doc;
      if (!field.one_as.empty())
        text +=
            fmt::format(" A single one may be written as a section `{}:` instead.", field.one_as);
      section(field.nested(), here, text);
    }
  }

 private:
  void row(const Field& field, const void* defaults) {
    std::vector<std::string> flags;
    std::vector<std::string> variables;
    if (const auto it = bindings_.find(&field); it != bindings_.end()) {
      for (const auto& binding : it->second) {
        if (!binding.flag.name.empty()) flags.push_back(fmt::format("`--{}`", binding.flag.name));
        variables.push_back(fmt::format("`{}`", binding.flag.environment));
      }
    }
    const auto value = one_line(field, field.show(defaults));
    const auto keys = field.secret ? fmt::format("`{0}`, `{0}_file`", field.name)
                                   : fmt::format("`{}`", field.name);
    out_ += fmt::format("| {} | {} | {} | {} | {} | {} | {} |\n", keys, cell(type_text(field)),
                        value.empty() ? std::string() : fmt::format("`{}`", cell(value)),
                        cell(field.doc), fmt::join(flags, ", "), fmt::join(variables, ", "),
                        field.live ? "live" : "restart");
  }

  std::string out_;
  std::map<const Field*, std::vector<Binding>> bindings_;
};

// --- JSON Schema ---

Node schema_node(const Schema& schema);

Node value_node(const Field& field) {
  Node node = Node::map();
  if (field.optional) {
    node.set("type", Node::list().add(Node::text_of(field.type.json)).add(Node::text_of("null")));
  } else {
    node.set("type", Node::text_of(field.type.json));
  }
  if (!field.type.pattern.empty()) node.set("pattern", Node::text_of(field.type.pattern));
  if (!field.type.choices.empty()) {
    Node choices = Node::list();
    for (const auto& choice : field.type.choices) choices.add(Node::text_of(choice));
    node.set("enum", std::move(choices));
  }
  const bool is_number = field.type.json == "integer" || field.type.json == "number";
  if (is_number && !field.least.empty() && !field.zero_is_off)
    node.set("minimum", Node::number(field.least));
  if (is_number && !field.most.empty()) node.set("maximum", Node::number(field.most));
  return node;
}

Node list_node(Node items) {
  Node node = Node::map();
  node.set("type", Node::text_of("array"));
  node.set("items", std::move(items));
  return node;
}

// JSON's form of a default: what is plain in YAML is a string there.
Node field_node(const Field& field, const void* defaults) {
  Node node;
  switch (field.shape) {
    case Shape::kValue:
      node = value_node(field);
      break;
    case Shape::kValues:
      node = list_node(value_node(field));
      break;
    case Shape::kSection:
      node = schema_node(field.nested());
      break;
    case Shape::kSections:
      node = list_node(schema_node(field.nested()));
      break;
  }
  auto doc = field.doc;
  if (const auto bounds = bounds_of(field); !bounds.empty()) doc += fmt::format(" ({})", bounds);
  node.set("description", Node::text_of(std::move(doc)));
  if (field.nested == nullptr && !field.secret) node.set("default", field.show(defaults));
  return node;
}

Node schema_node(const Schema& schema) {
  const auto defaults = schema.make_default();
  Node properties = Node::map();
  for (const auto& field : schema.fields()) {
    properties.set(field.name, field_node(field, defaults.get()));
    if (field.secret) {
      Node twin = Node::map();
      twin.set("type", Node::text_of("string"));
      twin.set("description", Node::text_of(fmt::format("A file that holds `{}`.", field.name)));
      properties.set(field.name + "_file", std::move(twin));
    }
    if (!field.one_as.empty()) {
      Node single = schema_node(field.nested());
      single.set("description", Node::text_of(fmt::format("A single entry of `{}`.", field.name)));
      properties.set(field.one_as, std::move(single));
    }
  }
  Node node = Node::map();
  // A section with nothing in it reads as null, and means its defaults.
  node.set("type", Node::list().add(Node::text_of("object")).add(Node::text_of("null")));
  node.set("additionalProperties", Node::boolean(false));
  node.set("properties", std::move(properties));
  return node;
}

void add_paths(const Schema& schema, const std::string& path, std::vector<std::string>& out) {
  for (const auto& field : schema.fields()) {
    const auto here = join(path, field.name);
    if (field.nested == nullptr) {
      out.push_back(here);
    } else {
      add_paths(field.nested(), here + (field.shape == Shape::kSections ? "[]" : ""), out);
    }
  }
}

}  // namespace

Node dump(const Schema& schema, const void* options, Secrets secrets) {
  Node map = Node::map();
  for (const auto& field : schema.fields()) {
    switch (field.shape) {
      case Shape::kValue:
      case Shape::kValues:
        map.set(field.name, field.secret && secrets == Secrets::kHidden
                                ? redacted(field.show(options))
                                : field.show(options));
        break;
      case Shape::kSection:
        map.set(field.name, dump(field.nested(), section_of(field, options, 0), secrets));
        break;
      case Shape::kSections: {
        Node list = Node::list();
        for (std::size_t i = 0; i < field.count(options); ++i) {
          list.add(dump(field.nested(), section_of(field, options, i), secrets));
        }
        map.set(field.name, std::move(list));
        break;
      }
    }
  }
  return map;
}

std::vector<Difference> diff(const Schema& schema, const void* before, const void* after) {
  Comparison comparison;
  comparison.compare(schema, before, after, {});
  return comparison.take();
}

std::string markdown(const Schema& schema) {
  Reference reference(schema);
  reference.section(schema, {}, {});
  return reference.take();
}

std::string json_schema(const Schema& schema, std::string_view title) {
  Node node = Node::map();
  node.set("$schema", Node::text_of("https://json-schema.org/draft/2020-12/schema"));
  node.set("title", Node::text_of(std::string(title)));
  for (auto& child : schema_node(schema).children) node.children.push_back(std::move(child));
  return to_json(node);
}

std::vector<std::string> paths_of(const Schema& schema) {
  std::vector<std::string> out;
  add_paths(schema, {}, out);
  return out;
}

}  // namespace etcdmon::config
