#include "base/log.hpp"

#include <atomic>
#include <utility>

#include <fmt/format.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include "base/clock.hpp"
#include "base/json_text.hpp"

namespace etcdmon::log {

namespace {

spdlog::level::level_enum to_spdlog(Level level) {
  switch (level) {
    case Level::kDebug:
      return spdlog::level::debug;
    case Level::kInfo:
      return spdlog::level::info;
    case Level::kWarn:
      return spdlog::level::warn;
    case Level::kError:
      return spdlog::level::err;
  }
  return spdlog::level::info;
}

bool needs_quotes(std::string_view text) {
  return text.empty() || text.find_first_of(" \"=\t\n\r\\") != std::string_view::npos;
}

void append_value(std::string& out, const Field::Value& value, Format format) {
  if (const auto* text = std::get_if<std::string>(&value)) {
    if (format == Format::kJson || needs_quotes(*text)) {
      append_json_string(out, *text);
    } else {
      out += *text;
    }
    return;
  }
  std::visit(
      [&out](const auto& v) {
        if constexpr (!std::is_same_v<std::decay_t<decltype(v)>, std::string>)
          fmt::format_to(std::back_inserter(out), "{}", v);
      },
      value);
}

void append_field(std::string& out, const Field& field, Format format) {
  if (format == Format::kJson) {
    out += ',';
    append_json_string(out, field.name);
    out += ':';
  } else {
    out += ' ';
    out += field.name;
    out += '=';
  }
  append_value(out, field.value, format);
}

// spdlog does the writing and the locking; the shape of a line is ours.
class StderrSink final : public Sink {
 public:
  StderrSink(Level level, Format format)
      : format_(format),
        level_(level),
        logger_("etcd-monitor", std::make_shared<spdlog::sinks::stderr_sink_mt>()) {
    logger_.set_pattern("%v");
    logger_.set_level(spdlog::level::trace);
    logger_.flush_on(spdlog::level::trace);
  }

  void write(Level level, std::string_view message, const std::vector<Field>& bound,
             std::initializer_list<Field> fields) override {
    const auto line =
        format_line(format_, to_rfc3339(SystemClock{}.now().wall), level, message, bound, fields);
    logger_.log(to_spdlog(level), spdlog::string_view_t(line.data(), line.size()));
  }
  bool enabled(Level level) const override {
    return level >= level_.load(std::memory_order_relaxed);
  }
  void set_level(Level level) override { level_.store(level, std::memory_order_relaxed); }
  void flush() override { logger_.flush(); }

 private:
  const Format format_;
  std::atomic<Level> level_;
  spdlog::logger logger_;
};

}  // namespace

std::optional<Level> parse_level(std::string_view text) {
  if (text == "debug") return Level::kDebug;
  if (text == "info") return Level::kInfo;
  if (text == "warn" || text == "warning") return Level::kWarn;
  if (text == "error") return Level::kError;
  return std::nullopt;
}

std::optional<Format> parse_format(std::string_view text) {
  if (text == "console") return Format::kConsole;
  if (text == "json") return Format::kJson;
  return std::nullopt;
}

std::string_view name_of(Level level) {
  switch (level) {
    case Level::kDebug:
      return "debug";
    case Level::kInfo:
      return "info";
    case Level::kWarn:
      return "warn";
    case Level::kError:
      return "error";
  }
  return "info";
}

std::string format_line(Format format, std::string_view timestamp, Level level,
                        std::string_view message, const std::vector<Field>& bound,
                        std::initializer_list<Field> fields) {
  std::string out;
  if (format == Format::kJson) {
    out += R"({"time":)";
    append_json_string(out, timestamp);
    out += R"(,"level":)";
    append_json_string(out, name_of(level));
    out += R"(,"message":)";
    append_json_string(out, message);
  } else {
    fmt::format_to(std::back_inserter(out), "{} {:<5} {}", timestamp, name_of(level), message);
  }
  for (const auto& field : bound) append_field(out, field, format);
  for (const auto& field : fields) append_field(out, field, format);
  if (format == Format::kJson) out += '}';
  return out;
}

Logger::Logger() = default;

Logger Logger::with(Field field) const {
  Logger copy = *this;
  copy.bound_.push_back(std::move(field));
  return copy;
}

void Logger::write(Level level, std::string_view message,
                   std::initializer_list<Field> fields) const {
  if (!enabled(level)) return;
  sink_->write(level, message, bound_, fields);
}

std::shared_ptr<Sink> stderr_sink(Level level, Format format) {
  return std::make_shared<StderrSink>(level, format);
}

}  // namespace etcdmon::log
