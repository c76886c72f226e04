#include "config/yaml.hpp"

#include <algorithm>
#include <map>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include "base/json_text.hpp"

namespace etcdmon::config {

namespace {

constexpr std::size_t kMaxValues = 100'000;

// yaml-cpp counts lines from 0, and has -1 for "no line".
int line_of(const YAML::Mark& mark) {
  return mark.line + 1;
}

[[noreturn]] void refuse(const YAML::Mark& mark, const std::string& why) {
  throw YAML::ParserException(mark, why);
}

// Makes the tree from yaml-cpp's events: its own tree hides quotes and merges what repeats.
class TreeBuilder final : public YAML::EventHandler {
 public:
  bool has_document() const { return documents_ > 0; }
  Node take() { return std::move(root_); }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (++documents_ > 1) refuse(mark, "a second document starts here; write one");
  }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    complete(mark, anchor, Node::null());
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto it = anchors_.find(anchor);
    if (it == anchors_.end()) refuse(mark, "this alias stands inside of what it names");
    values_ += it->second.values;
    complete(mark, 0, it->second.node);
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    if (tag == "?" || tag.empty()) {
      complete(mark, anchor, Node::plain(value));
    } else if (tag == "!" || tag == "tag:yaml.org,2002:str") {
      complete(mark, anchor, Node::text_of(value));
    } else {
      refuse(mark, "the tag " + tag + " is not understood");
    }
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open(mark, anchor, Node::list());
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open(mark, anchor, Node::map());
  }
  void OnMapEnd() override { close(); }

 private:
  struct Open {
    Node node;
    YAML::Mark mark;
    YAML::anchor_t anchor = 0;
    std::size_t values_before = 0;
    bool has_key = false;
    std::string key;
    int key_line = 0;
  };
  struct Anchored {
    Node node;
    std::size_t values = 0;
  };

  void open(const YAML::Mark& mark, YAML::anchor_t anchor, Node node) {
    if (wants_key()) refuse(mark, "a key must be a single word");
    count(mark);
    open_.push_back(Open{std::move(node), mark, anchor, values_, false, {}, 0});
  }

  void close() {
    Open done = std::move(open_.back());
    open_.pop_back();
    if (done.anchor != 0) {
      const auto size = values_ - done.values_before;
      // Anchors inside of anchors copy the same values again and again.
      anchored_ += size;
      if (anchored_ > kMaxValues) refuse(done.mark, "too many values under anchors");
      anchors_[done.anchor] = Anchored{done.node, size};
    }
    attach(done.mark, std::move(done.node));
  }

  void complete(const YAML::Mark& mark, YAML::anchor_t anchor, Node node) {
    count(mark);
    if (anchor != 0) anchors_[anchor] = Anchored{node, 1};
    attach(mark, std::move(node));
  }

  void attach(const YAML::Mark& mark, Node node) {
    if (open_.empty()) {
      node.line = line_of(mark);
      root_ = std::move(node);
      return;
    }
    auto& parent = open_.back();
    if (wants_key()) {
      if (node.kind != Node::Kind::kPlain && node.kind != Node::Kind::kText) {
        refuse(mark, "a key must be a single word");
      }
      parent.has_key = true;
      parent.key = std::move(node.text);
      parent.key_line = line_of(mark);
      return;
    }
    const bool in_map = parent.node.kind == Node::Kind::kMap;
    node.line = in_map ? parent.key_line : line_of(mark);
    node.key = in_map ? std::exchange(parent.key, {}) : std::string{};
    parent.has_key = false;
    parent.node.children.push_back(std::move(node));
  }

  bool wants_key() const {
    return !open_.empty() && open_.back().node.kind == Node::Kind::kMap && !open_.back().has_key;
  }

  void count(const YAML::Mark& mark) {
    if (++values_ > kMaxValues) refuse(mark, "too many values");
  }

  Node root_;
  std::vector<Open> open_;
  std::map<YAML::anchor_t, Anchored> anchors_;
  std::size_t values_ = 0;
  std::size_t anchored_ = 0;  ///< values copied for anchors
  int documents_ = 0;
};

// What yaml-cpp says about a tab depends on what stands around it, and never names it.
bool begins_with_tab(std::string_view text, int line) {
  for (int i = 1; i < line; ++i) {
    const auto end = text.find('\n');
    if (end == std::string_view::npos) return false;
    text.remove_prefix(end + 1);
  }
  const auto first = text.find_first_not_of(' ');
  return first != std::string_view::npos && text[first] == '\t';
}

}  // namespace

tl::expected<Node, YamlError> parse_yaml(std::string_view text) {
  // yaml-cpp takes any bytes, and what is shown of them would be something else.
  if (const auto bad = invalid_utf8_at(text); bad != std::string_view::npos) {
    const auto before = text.substr(0, bad);
    return tl::unexpected(YamlError{1 + static_cast<int>(std::ranges::count(before, '\n')),
                                    "not YAML: this is not UTF-8; save the file as UTF-8"});
  }
  std::istringstream stream{std::string(text)};
  try {
    TreeBuilder builder;
    YAML::Parser parser(stream);
    while (parser.HandleNextDocument(builder)) {
    }
    Node root = builder.has_document() ? builder.take() : Node::map();
    if (root.kind == Node::Kind::kNull) root.kind = Node::Kind::kMap;
    return root;
  } catch (const YAML::Exception& error) {
    const int line = std::max(0, line_of(error.mark));
    const bool tab = begins_with_tab(text, line);
    return tl::unexpected(
        YamlError{line, "not YAML: " + (tab ? "a tab cannot indent; use spaces" : error.msg)});
  }
}

}  // namespace etcdmon::config
