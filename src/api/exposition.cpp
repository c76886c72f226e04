#include "api/exposition.hpp"

#include <cmath>
#include <iterator>
#include <variant>

#include <fmt/format.h>

namespace etcdmon::api {

namespace {

void append_number(std::string& out, double value) {
  if (std::isinf(value)) {
    out += value > 0 ? "+Inf" : "-Inf";
  } else {
    fmt::format_to(std::back_inserter(out), "{}", value);
  }
}

}  // namespace

void append_label(std::string& labels, std::string_view name, std::string_view value) {
  if (!labels.empty()) labels += ',';
  labels += name;
  labels += "=\"";
  for (const char c : value) {
    switch (c) {
      case '\\':
        labels += "\\\\";
        break;
      case '"':
        labels += "\\\"";
        break;
      case '\n':
        labels += "\\n";
        break;
      default:
        labels += c;
    }
  }
  labels += '"';
}

void ExpositionWriter::family(std::string_view name, std::string_view help, metrics::Kind kind) {
  name_ = name;
  help_ = help;
  kind_ = kind;
  headed_ = false;
}

void ExpositionWriter::head() {
  if (headed_) return;
  headed_ = true;
  out_ += "# HELP ";
  out_ += name_;
  out_ += ' ';
  for (const char c : help_) {
    if (c == '\\') {
      out_ += "\\\\";
    } else if (c == '\n') {
      out_ += "\\n";
    } else {
      out_ += c;
    }
  }
  out_ += "\n# TYPE ";
  out_ += name_;
  out_ += ' ';
  out_ += metrics::name_of(kind_);
  out_ += '\n';
}

void ExpositionWriter::begin(std::string_view suffix, std::string_view labels) {
  head();
  out_ += name_;
  out_ += suffix;
  if (!labels.empty()) {
    out_ += '{';
    out_ += labels;
    out_ += '}';
  }
  out_ += ' ';
}

void ExpositionWriter::sample(std::string_view labels, double value) {
  if (std::isnan(value)) return;
  begin({}, labels);
  append_number(out_, value);
  out_ += '\n';
}

void ExpositionWriter::sample(std::string_view labels, std::uint64_t value) {
  begin({}, labels);
  fmt::format_to(std::back_inserter(out_), "{}\n", value);
}

void ExpositionWriter::histogram(const std::string& labels,
                                 const metrics::Histogram::Snapshot& snapshot) {
  const auto bucket = [&](double bound, std::uint64_t count) {
    std::string text;
    append_number(text, bound);
    std::string with_bound = labels;
    append_label(with_bound, "le", text);
    begin("_bucket", with_bound);
    fmt::format_to(std::back_inserter(out_), "{}\n", count);
  };
  for (std::size_t i = 0; i < snapshot.bounds.size(); ++i) {
    bucket(snapshot.bounds[i], snapshot.cumulative[i]);
  }
  bucket(INFINITY, snapshot.count);
  begin("_sum", labels);
  append_number(out_, snapshot.sum);
  out_ += '\n';
  begin("_count", labels);
  fmt::format_to(std::back_inserter(out_), "{}\n", snapshot.count);
}

void append_registry(std::string& out, const metrics::Registry& registry) {
  ExpositionWriter writer(out);
  std::string current;
  std::string help;
  registry.for_each([&](const metrics::Family& family, const metrics::Labels& labels,
                        const metrics::Value& value) {
    if (family.name != current) {
      current = family.name;
      help = family.help;
      writer.family(current, help, family.kind);
    }
    std::string text;
    for (const auto& [name, content] : labels) append_label(text, name, content);
    if (const auto* count = std::get_if<std::uint64_t>(&value)) {
      writer.sample(text, *count);
    } else if (const auto* number = std::get_if<double>(&value)) {
      writer.sample(text, *number);
    } else {
      writer.histogram(text, std::get<metrics::Histogram::Snapshot>(value));
    }
  });
}

}  // namespace etcdmon::api
