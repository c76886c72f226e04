#include "config/describe.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/example_options.hpp"
#include "config/loader.hpp"

namespace etcdmon::config {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

ExampleOptions with_servers(std::vector<std::string> names) {
  ExampleOptions options;
  for (auto& name : names) {
    auto& server = options.servers.emplace_back();
    server.name = std::move(name);
    server.addresses = {"h:1"};
  }
  return options;
}

TEST(Dump, HidesSecretsAndReadsBack) {
  auto options = with_servers({"a", "b"});
  options.interval = 45s;
  options.servers[0].weight = 4;
  options.servers[1].password = Secret("s3cret");
  const auto text = to_yaml(dump(options));
  EXPECT_THAT(text, Not(HasSubstr("s3cret")));
  EXPECT_THAT(text, HasSubstr("    password: \"<secret>\"\n"));
  EXPECT_THAT(text, HasSubstr("\ninterval: 45s\n"));
  EXPECT_THAT(to_json(dump(options)), HasSubstr("\"interval\": \"45s\""));

  ExampleOptions again;
  Loader loader(again, read_file);
  loader.apply_yaml(text, "dump");
  EXPECT_EQ(to_string(loader.issues()), "");
  options.servers[1].password = Secret("<secret>");
  EXPECT_THAT(diff(options, again), IsEmpty());
}

TEST(Diff, TellsLiveFromRestart) {
  const auto before = with_servers({"a", "b"});
  auto after = with_servers({"b", "c"});
  after.interval = 45s;
  after.port = 81;
  after.servers[0].password = Secret("s3cret");
  after.servers[0].addresses = {"h:1", "h:2"};
  EXPECT_THAT(diff(before, after),
              ElementsAre(Difference{"servers[a]", "a", "", false},
                          Difference{"servers[b].addresses", "[h:1]", "[h:1, h:2]", false},
                          Difference{"servers[b].password", "", "<secret>", true},
                          Difference{"servers[c]", "", "c", false},
                          Difference{"interval", "30s", "45s", true},
                          Difference{"port", "8080", "81", false}));
}

TEST(Diff, SeesASecretChange) {
  auto before = with_servers({"a"});
  auto after = before;
  before.servers[0].password = Secret("x");
  after.servers[0].password = Secret("y");
  EXPECT_THAT(diff(before, after),
              ElementsAre(Difference{"servers[a].password", "<secret>", "<secret>", true}));
}

TEST(Markdown, ListsEveryOption) {
  const auto text = markdown(ExampleOptions::schema());
  EXPECT_THAT(text, HasSubstr("| `pulse` | duration, 0 or ≥ 100ms | `1s` | Time between two "
                              "pulses. | `--pulse` | `ETCD_MONITOR_PULSE` | restart |\n"));
  EXPECT_THAT(text, HasSubstr("## `servers[]`\n\nWho is asked. A single one may be written as a "
                              "section `server:` instead.\n"));
  EXPECT_THAT(text, HasSubstr("| `password`, `password_file` | secret |  | How to log in. | "
                              "`--password`, `--password-file` |"));
  EXPECT_THAT(text, HasSubstr("## `servers[].tls`\n"));
  EXPECT_THAT(text, HasSubstr("| `fruit` | `apple`, `pear` | `apple` |"));
}

TEST(JsonSchema, DescribesTypes) {
  const auto text = json_schema(ExampleOptions::schema(), "example");
  EXPECT_THAT(text, HasSubstr("\"additionalProperties\": false"));
  EXPECT_THAT(text, HasSubstr("\"maximum\": 60000"));
  EXPECT_THAT(text, HasSubstr("\"password_file\""));
  EXPECT_THAT(text, HasSubstr("\"server\""));
  EXPECT_THAT(text, HasSubstr("\"default\": \"30s\""));
}

TEST(Paths, NameEveryOption) {
  EXPECT_THAT(paths_of(ExampleOptions::schema()),
              ElementsAre("servers[].name", "servers[].addresses", "servers[].password",
                          "servers[].tls.cert_file", "servers[].tls.key_file", "servers[].weight",
                          "pulse", "interval", "latency", "size", "port", "ratio", "probe",
                          "console", "fruit", "token"));
}

}  // namespace
}  // namespace etcdmon::config
