// config/example_options.hpp: options of every shape, for the tests of this folder.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "base/secret.hpp"
#include "base/units.hpp"
#include "config/schema.hpp"

namespace etcdmon::config {

enum class Fruit { kApple, kPear };

template <>
struct EnumNames<Fruit> {
  static constexpr std::array kNames{std::pair<std::string_view, Fruit>{"apple", Fruit::kApple},
                                     std::pair<std::string_view, Fruit>{"pear", Fruit::kPear}};
};

/// Knows nothing of config/.
struct PlainTls {
  std::string cert_file;
  std::string key_file;
};

template <>
struct SchemaOf<PlainTls> {
  static const Schema& schema() {
    static const auto kSchema = Schema::of<PlainTls>(
        "Servers", {field("cert_file", &PlainTls::cert_file, "A certificate.").flag_named("cert"),
                    field("key_file", &PlainTls::key_file, "Its key.").flag_named("key")});
    return kSchema;
  }
};

struct ServerOptions {
  std::string name = "default";
  std::vector<std::string> addresses;
  Secret password;
  PlainTls tls;
  std::optional<int> weight;

  std::vector<Complaint> check() const {
    std::vector<Complaint> out;
    if (addresses.empty()) out.push_back({"addresses", "needs at least one"});
    if (tls.cert_file.empty() != tls.key_file.empty()) out.push_back({"tls", "needs both or none"});
    return out;
  }

  static const Schema& schema() {
    static const auto kSchema = Schema::of<ServerOptions>(
        "Servers", {field("name", &ServerOptions::name, "What it is called."),
                    field("addresses", &ServerOptions::addresses, "Where it is.")
                        .flag_named("addresses")
                        .rule([](const std::string& address) -> Fault {
                          if (address.find(':') != std::string::npos) return std::nullopt;
                          return "\"" + address + "\" has no port";
                        }),
                    field("password", &ServerOptions::password, "How to log in.")
                        .flag_named("password")
                        .applies_live(),
                    field("tls", &ServerOptions::tls, "Its certificates."),
                    field("weight", &ServerOptions::weight, "How much it takes.").min(1).max(9)});
    return kSchema;
  }
};

struct ExampleOptions {
  std::vector<ServerOptions> servers;
  std::chrono::milliseconds pulse{1000};
  std::chrono::milliseconds interval{30'000};
  std::chrono::milliseconds latency{100};
  Bytes size{std::uint64_t{8} << 30U};
  std::uint16_t port = 8080;
  double ratio = 0.5;
  bool probe = false;
  bool console = true;
  Fruit fruit = Fruit::kApple;
  Secret token;

  std::vector<Complaint> check() const {
    if (pulse <= interval) return {};
    return {{"pulse", "must not be longer than `interval`"}};
  }

  static const Schema& schema() {
    using namespace std::chrono_literals;
    static const auto kSchema = Schema::of<ExampleOptions>(
        "Example",
        {field("servers", &ExampleOptions::servers, "Who is asked.")
             .or_one_as("server")
             .identified_by("name"),
         field("pulse", &ExampleOptions::pulse, "Time between two pulses.")
             .off_or_min(100ms)
             .flag_named("pulse"),
         field("interval", &ExampleOptions::interval, "Time between two rounds.")
             .min(1s)
             .max(1h)
             .applies_live()
             .flag_named("interval"),
         field("latency", &ExampleOptions::latency, "What is slow.")
             .flag_named("latency-ms", "ms")
             .min(1ms),
         field("size", &ExampleOptions::size, "What is large.").flag_named("size-mb", "MiB"),
         field("port", &ExampleOptions::port, "Where to listen.").flag_named("port").max(60'000),
         field("ratio", &ExampleOptions::ratio, "How much.").min(0).max(1),
         field("probe", &ExampleOptions::probe, "Whether to write.").flag_named("probe"),
         field("console", &ExampleOptions::console, "Whether to print.").flag_named("console"),
         field("fruit", &ExampleOptions::fruit, "Which one.").flag_named("fruit"),
         field("token", &ExampleOptions::token, "What to show.").env_named("TOKEN")});
    return kSchema;
  }
};

}  // namespace etcdmon::config
