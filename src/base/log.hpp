// base/log.hpp: structured logging: a message and named values, to a console or as JSON lines.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace etcdmon::log {

enum class Level : std::uint8_t { kDebug, kInfo, kWarn, kError };
enum class Format : std::uint8_t { kConsole, kJson };

std::optional<Level> parse_level(std::string_view text);    ///< "debug", "info", "warn", "error"
std::optional<Format> parse_format(std::string_view text);  ///< "console", "json"
std::string_view name_of(Level level);

/// One named value. Numbers and booleans stay such in JSON.
struct Field {
  using Value = std::variant<std::string, std::int64_t, std::uint64_t, double, bool>;
  std::string name;
  Value value;

  Field(std::string_view n, std::string_view v) : name(n), value(std::string(v)) {}
  Field(std::string_view n, const std::string& v) : name(n), value(v) {}
  Field(std::string_view n, const char* v) : name(n), value(std::string(v)) {}
  Field(std::string_view n, bool v) : name(n), value(v) {}
  Field(std::string_view n, double v) : name(n), value(v) {}
  Field(std::string_view n, int v) : name(n), value(std::int64_t{v}) {}
  Field(std::string_view n, long v) : name(n), value(std::int64_t{v}) {}
  Field(std::string_view n, long long v) : name(n), value(static_cast<std::int64_t>(v)) {}
  Field(std::string_view n, unsigned v) : name(n), value(std::uint64_t{v}) {}
  Field(std::string_view n, unsigned long v) : name(n), value(std::uint64_t{v}) {}
  Field(std::string_view n, unsigned long long v) : name(n), value(static_cast<std::uint64_t>(v)) {}
};

/// Where lines go. Threads: write() may be called from any thread.
class Sink {
 public:
  virtual ~Sink() = default;
  virtual void write(Level level, std::string_view message, const std::vector<Field>& bound,
                     std::initializer_list<Field> fields) = 0;
  virtual bool enabled(Level level) const = 0;
  virtual void set_level(Level level) = 0;
  virtual void flush() = 0;
};

/// A cheap handle, passed by value: a sink and the fields bound to it.
///
/// Log an error once, where it is handled; a degraded mode at its edge, not at each tick.
/// Threads: a copy per thread, or const use from several.
class Logger {
 public:
  Logger();  ///< writes nowhere
  explicit Logger(std::shared_ptr<Sink> sink) : sink_(std::move(sink)) {}

  /// A logger that adds `field` to each of its lines.
  Logger with(Field field) const;

  void debug(std::string_view message, std::initializer_list<Field> fields = {}) const {
    write(Level::kDebug, message, fields);
  }
  void info(std::string_view message, std::initializer_list<Field> fields = {}) const {
    write(Level::kInfo, message, fields);
  }
  void warn(std::string_view message, std::initializer_list<Field> fields = {}) const {
    write(Level::kWarn, message, fields);
  }
  void error(std::string_view message, std::initializer_list<Field> fields = {}) const {
    write(Level::kError, message, fields);
  }
  void write(Level level, std::string_view message, std::initializer_list<Field> fields) const;
  bool enabled(Level level) const { return sink_ && sink_->enabled(level); }
  const std::shared_ptr<Sink>& sink() const { return sink_; }

 private:
  std::shared_ptr<Sink> sink_;
  std::vector<Field> bound_;
};

/// Lines on stderr: "15:00:00.250 WARN  message  key=value", or one JSON object a line.
std::shared_ptr<Sink> stderr_sink(Level level, Format format);

/// How one line looks, without its newline. For tests and for sinks of other kinds.
std::string format_line(Format format, std::string_view timestamp, Level level,
                        std::string_view message, const std::vector<Field>& bound,
                        std::initializer_list<Field> fields);

}  // namespace etcdmon::log

namespace etcdmon {
using log::Logger;
}
