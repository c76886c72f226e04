#include "config/loader.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/example_options.hpp"

namespace etcdmon::config {
namespace {

using namespace std::chrono_literals;
using namespace literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

/// What the layers of one case came to.
struct Outcome {
  ExampleOptions options;
  std::vector<std::string> issues;
  std::vector<std::string> warnings;
  std::vector<std::string> files;
};

struct Layers {
  std::string yaml;
  Environment environment;
  std::vector<FlagValue> flags;
  std::map<std::string, std::string> files;
};

Outcome load(const Layers& layers) {
  Outcome outcome;
  Loader loader(outcome.options, [&layers](const std::string& path) -> Result<std::string> {
    const auto it = layers.files.find(path);
    if (it == layers.files.end()) return Error{ErrorCode::kNotFound, "cannot read " + path};
    return it->second;
  });
  loader.apply_yaml(layers.yaml, "c.yaml");
  loader.apply_environment(layers.environment);
  loader.apply_flags(layers.flags);
  loader.check();
  for (const auto& issue : loader.issues()) outcome.issues.push_back(to_string(issue));
  outcome.warnings = loader.warnings();
  outcome.files = loader.files();
  return outcome;
}

std::vector<std::string> issues_of(std::string yaml) {
  return load(Layers{.yaml = std::move(yaml)}).issues;
}

TEST(Loader, ReadsEveryShape) {
  const auto [options, issues, warnings, files] = load(Layers{.yaml = R"(
servers:
  - name: a
    addresses: [h:1, "h:2"]
    password: 0123
    tls: {cert_file: c.pem, key_file: k.pem}
    weight: 3
  - name: b
    addresses:
      - h:3
    weight: null
pulse: 0
interval: 5s
size: 16MiB
port: 81
ratio: 0.25
probe: true
fruit: pear
)"});
  EXPECT_THAT(issues, IsEmpty());
  ASSERT_EQ(options.servers.size(), 2U);
  EXPECT_THAT(options.servers[0].addresses, ElementsAre("h:1", "h:2"));
  EXPECT_EQ(options.servers[0].password.reveal(), "0123");
  EXPECT_EQ(options.servers[0].tls.key_file, "k.pem");
  EXPECT_EQ(options.servers[0].weight, 3);
  EXPECT_EQ(options.servers[1].weight, std::nullopt);
  EXPECT_EQ(options.pulse, 0s);
  EXPECT_EQ(options.interval, 5s);
  EXPECT_EQ(options.size, 16_MiB);
  EXPECT_EQ(options.port, 81);
  EXPECT_EQ(options.ratio, 0.25);
  EXPECT_TRUE(options.probe);
  EXPECT_EQ(options.fruit, Fruit::kPear);
}

TEST(Loader, SectionsWithoutContentKeepTheDefaults) {
  const auto outcome = load(Layers{.yaml = "servers:\n"});
  EXPECT_THAT(outcome.issues, IsEmpty());
  EXPECT_THAT(outcome.options.servers, IsEmpty());
}

TEST(Loader, TellsAllThatIsWrongAtOnce) {
  EXPECT_THAT(issues_of(R"(servers:
  - name: a
    adresses: [h:1]
    tls: {key_fil: x}
  - addresses: [h, h:1]
    weight: 10
pulse: 50ms
interval: 2h
interval: 3s
port: 61000
fruit: plum
)"),
              ElementsAre("c.yaml:3: servers[0].adresses: unknown key; did you mean `addresses`?",
                          "c.yaml:4: servers[0].tls.key_fil: unknown key; did you mean `key_file`?",
                          "c.yaml:5: servers[1].addresses[0]: \"h\" has no port",
                          "c.yaml:6: servers[1].weight: must be at most 9, not 10",
                          "c.yaml:7: pulse: must be 0 (off) or at least 100ms, not 50ms",
                          "c.yaml:8: interval: must be at most 1h, not 2h",
                          "c.yaml:9: interval: written twice; first on line 8",
                          "c.yaml:10: port: must be at most 60000, not 61000",
                          "c.yaml:11: fruit: \"plum\" is not one of apple, pear"));
}

TEST(Loader, RefusesTheWrongKindOfThing) {
  EXPECT_THAT(issues_of("port: [1]\n"),
              ElementsAre("c.yaml:1: port: expected a single value, found a list"));
  EXPECT_THAT(issues_of("port:\n"), ElementsAre(HasSubstr("has no value")));
  EXPECT_THAT(issues_of("servers: {name: a}\n"), ElementsAre(HasSubstr("found a section")));
  EXPECT_THAT(issues_of("servers: [a]\n"), ElementsAre(HasSubstr("servers[0]: expected a section"),
                                                       HasSubstr("needs at least one")));
  EXPECT_THAT(issues_of("servers: [{addresses: h:1}]\n"),
              ElementsAre(HasSubstr("expected a list such as [a, b]")));
  EXPECT_THAT(issues_of("- a\n"),
              ElementsAre("c.yaml:1: expected a section of keys and values, found a list"));
  EXPECT_THAT(issues_of("port: 1\n\tprobe: 2\n"), ElementsAre(HasSubstr("c.yaml:2: not YAML: ")));
}

TEST(Loader, OneEntryMayStandAlone) {
  auto outcome = load(
      Layers{.yaml = "server:\n  name: a\n  addresses: [h:1]\n", .flags = {{"addresses", "h:2"}}});
  EXPECT_THAT(outcome.issues, IsEmpty());
  EXPECT_THAT(outcome.options.servers.at(0).addresses, ElementsAre("h:2"));
  EXPECT_THAT(issues_of("server: {name: a}\n"),
              ElementsAre("c.yaml:1: server.addresses: needs at least one"));
  EXPECT_THAT(
      issues_of("servers: [{addresses: [h:1]}]\nserver: {name: a}\n"),
      ElementsAre("c.yaml:2: server: says the same as `servers` on line 1; keep one of them"));
}

TEST(Loader, LaterLayersWin) {
  const std::string yaml = "interval: 2s\nlatency: 2ms\nport: 2\nservers: [{addresses: [h:2]}]\n";
  const Environment environment = {
      {"ETCD_MONITOR_LATENCY_MS", "3"}, {"ETCD_MONITOR_PORT", "3"}, {"ETCD_MONITOR_PROBE", ""}};
  const auto outcome = load(
      Layers{yaml, environment, {{"port", "4"}, {"addresses", "h:4"}, {"addresses", "h:5, h:6"}}});
  EXPECT_THAT(outcome.issues, IsEmpty());
  EXPECT_EQ(outcome.options.interval, 2s);
  EXPECT_EQ(outcome.options.latency, 3ms);
  EXPECT_EQ(outcome.options.port, 4);
  EXPECT_THAT(outcome.options.servers.at(0).addresses, ElementsAre("h:4", "h:5", "h:6"));
}

TEST(Loader, FlagsMakeTheOnlyEntry) {
  const auto outcome = load(Layers{.flags = {{"addresses", "h:1"}, {"size-mb", "16"}}});
  EXPECT_THAT(outcome.issues, IsEmpty());
  ASSERT_EQ(outcome.options.servers.size(), 1U);
  EXPECT_EQ(outcome.options.servers[0].name, "default");
  EXPECT_EQ(outcome.options.size, 16_MiB);
}

TEST(Loader, FlagsOfAnEntryNeedASingleOne) {
  EXPECT_THAT(
      load(Layers{.yaml = "servers: [{name: a, addresses: [h:1]}, {name: b, addresses: [h:2]}]\n",
                  .flags = {{"addresses", "h:3"}}})
          .issues,
      ElementsAre("--addresses: is for a single entry of `servers`, but 2 are configured; write "
                  "`addresses` there"));
}

TEST(Loader, NamesTheFlagOrVariable) {
  const auto outcome = load(Layers{
      .environment = {{"ETCD_MONITOR_PORT", "tcp://10.0.0.1:8080"}},
      .flags = {
          {"latency-ms", "100ms"}, {"pulse", "5"}, {"addresses", "h:1,,h:2"}, {"size-mb", ""}}});
  EXPECT_THAT(
      outcome.issues,
      ElementsAre(HasSubstr("ETCD_MONITOR_PORT: \"tcp://10.0.0.1:8080\" is not a whole number"),
                  "--latency-ms: \"100ms\" is not a whole number, 0 or more",
                  HasSubstr("--pulse: 5 has no unit"),
                  "--addresses: \"h:1,,h:2\" has an empty entry", HasSubstr("--size-mb: ")));
}

TEST(Loader, WarnsOfVariablesThatLookMistyped) {
  const auto outcome =
      load(Layers{.environment = {{"ETCD_MONITOR_ADRESSES", "h:1"},
                                  {"ETCD_MONITOR_SERVICE_HOST", "10.0.0.1"},
                                  {"ETCD_MONITOR_PORT_8080_TCP", "tcp://10.0.0.1:8080"},
                                  {"PATH", "/bin"}}});
  EXPECT_THAT(outcome.issues, IsEmpty());
  EXPECT_THAT(outcome.warnings, ElementsAre(HasSubstr("did you mean ETCD_MONITOR_ADDRESSES?")));
}

TEST(Loader, SecretsComeFromFiles) {
  const std::map<std::string, std::string> files = {
      {"pw", "s3cret\n"}, {"token", "abc\r\n"}, {"empty", "\n"}};
  auto outcome =
      load(Layers{.yaml = "server: {addresses: [h:1], password_file: pw}\ntoken_file: token\n",
                  .files = files});
  EXPECT_THAT(outcome.issues, IsEmpty());
  EXPECT_EQ(outcome.options.servers.at(0).password.reveal(), "s3cret");
  EXPECT_EQ(outcome.options.token.reveal(), "abc");
  EXPECT_THAT(outcome.files, ElementsAre("pw", "token"));

  outcome = load(Layers{.environment = {{"ETCD_MONITOR_TOKEN_FILE", "token"}},
                        .flags = {{"addresses", "h:1"}, {"password-file", "pw"}},
                        .files = files});
  EXPECT_THAT(outcome.issues, IsEmpty());
  EXPECT_EQ(outcome.options.servers.at(0).password.reveal(), "s3cret");
  EXPECT_EQ(outcome.options.token.reveal(), "abc");

  outcome = load(Layers{
      .yaml = "server: {addresses: [h:1], password: x, password_file: pw}\ntoken_file: gone\n",
      .environment = {{"ETCD_MONITOR_TOKEN", "x"}, {"ETCD_MONITOR_TOKEN_FILE", "token"}},
      .flags = {{"password", "x"}, {"password-file", "empty"}},
      .files = files});
  EXPECT_THAT(
      outcome.issues,
      ElementsAre(
          "c.yaml:1: server.password_file: says the same as `password` on line 1; keep one of them",
          "c.yaml:2: token_file: cannot read gone",
          "ETCD_MONITOR_TOKEN_FILE: says the same as ETCD_MONITOR_TOKEN; keep one of them",
          "--password-file: says the same as --password; keep one of them"));
  EXPECT_THAT(load(Layers{.yaml = "token_file: empty\n", .files = files}).issues,
              ElementsAre("c.yaml:1: token_file: empty is empty"));
  EXPECT_THAT(load(Layers{.yaml = "token_file:\n"}).issues, ElementsAre(HasSubstr("has no value")));
}

TEST(Loader, ChecksAcrossFieldsNameTheirPlace) {
  EXPECT_THAT(issues_of("interval: 2s\npulse: 3s\n"),
              ElementsAre("c.yaml:2: pulse: must not be longer than `interval`"));
  EXPECT_THAT(issues_of("servers:\n  - addresses: [h:1]\n    tls:\n      cert_file: x\n"),
              ElementsAre("c.yaml:3: servers[0].tls: needs both or none"));
  EXPECT_THAT(
      load(Layers{.flags = {{"cert", "x"}, {"pulse", "1m"}}}).issues,
      ElementsAre("servers[0].addresses: needs at least one", "servers[0].tls: needs both or none",
                  "--pulse: pulse: must not be longer than `interval`"));
}

TEST(ReadFile, SaysWhy) {
  EXPECT_EQ(read_file("/nonexistent/file").error().code, ErrorCode::kNotFound);
  EXPECT_THAT(read_file("/").error().message, HasSubstr("is a directory"));
  EXPECT_THAT(read_file("/dev/zero").error().message, HasSubstr("larger than 1MiB"));
  EXPECT_TRUE(read_file(ETCDMON_SOURCE_DIR "/CMakeLists.txt"));
}

}  // namespace
}  // namespace etcdmon::config
