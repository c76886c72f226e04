#include "app/settings.hpp"

#include <filesystem>
#include <fstream>
#include <regex>
#include <set>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "app/load_settings.hpp"
#include "config/describe.hpp"
#include "config/yaml.hpp"

namespace etcdmon::app {
namespace {

using namespace std::chrono_literals;
using namespace literals;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

const std::filesystem::path kSource = ETCDMON_SOURCE_DIR;

std::string text_of(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

/// Files that a case has; the others do not exist.
config::ReadFile files_of(std::map<std::string, std::string> files) {
  return [files = std::move(files)](const std::string& path) -> Result<std::string> {
    const auto it = files.find(path);
    if (it != files.end()) return it->second;
    return Error{ErrorCode::kNotFound, "cannot read " + path + ": No such file or directory",
                 Cause::kLocal};
  };
}

Loaded load(std::vector<std::string> arguments, std::map<std::string, std::string> files = {},
            config::Environment environment = {}) {
  return load_settings(
      LoadRequest{std::move(arguments), std::move(environment), files_of(std::move(files))});
}

Loaded load_file(std::string yaml) {
  return load({}, {{"config.yaml", std::move(yaml)}});
}

std::vector<std::string> lines_of(const std::vector<config::Issue>& issues) {
  std::vector<std::string> lines;
  for (const auto& issue : issues) lines.push_back(to_string(issue));
  return lines;
}

TEST(LoadSettings, NothingGivenWatchesThisMachine) {
  const auto loaded = load({});
  EXPECT_THAT(loaded.issues, IsEmpty());
  EXPECT_THAT(loaded.warnings, IsEmpty());
  EXPECT_THAT(loaded.files, IsEmpty());
  ASSERT_EQ(loaded.settings.clusters.size(), 1U);
  EXPECT_EQ(loaded.settings.clusters[0].name, "default");
  EXPECT_THAT(loaded.settings.clusters[0].endpoints, ElementsAre("127.0.0.1:2379"));
}

TEST(LoadSettings, EveryFlagReachesItsOption) {
  const auto loaded = load({"--endpoints=etcd1:2379,etcd2:2379",
                            "--dial-timeout",
                            "2s",
                            "--cert=c.pem",
                            "--key=k.pem",
                            "--cacert=ca.pem",
                            "--insecure-skip-tls-verify",
                            "--user=root",
                            "--password=s3",
                            "--health-check-interval=20s",
                            "--metrics-interval=5s",
                            "-pulse-interval=500ms",
                            "--max-latency-ms=50",
                            "--max-db-size-mb=2048",
                            "--min-available-nodes=3",
                            "--max-leader-changes=5",
                            "--api-host=127.0.0.1",
                            "--api-port=0",
                            "--election-timeout=2s",
                            "--write-probe",
                            "--log-level=debug",
                            "--log-format=json",
                            "--discovery-srv=example.com",
                            "--discovery-srv-name=prod",
                            "--metrics-url=http://{host}:2381/metrics",
                            "--node-exporter-url=http://{host}:9100/metrics",
                            "--cluster-name=prod",
                            "--max-body=1MiB"});
  EXPECT_EQ(to_string(loaded.issues), "");
  const auto& settings = loaded.settings;
  ASSERT_EQ(settings.clusters.size(), 1U);
  const auto& cluster = settings.clusters[0];
  EXPECT_EQ(cluster.name, "prod");
  EXPECT_THAT(cluster.endpoints, ElementsAre("etcd1:2379", "etcd2:2379"));
  EXPECT_EQ(cluster.discovery_srv, "example.com");
  EXPECT_EQ(cluster.discovery_srv_name, "prod");
  EXPECT_EQ(cluster.metrics_url, "http://{host}:2381/metrics");
  EXPECT_EQ(cluster.node_exporter_url, "http://{host}:9100/metrics");
  EXPECT_EQ(cluster.dial_timeout, 2s);
  EXPECT_EQ(cluster.tls.cert_file, "c.pem");
  EXPECT_EQ(cluster.tls.key_file, "k.pem");
  EXPECT_EQ(cluster.tls.ca_file, "ca.pem");
  EXPECT_TRUE(cluster.tls.insecure_skip_verify);
  EXPECT_EQ(cluster.user, "root");
  EXPECT_EQ(cluster.password.reveal(), "s3");
  EXPECT_EQ(settings.monitoring.health_check_interval, 20s);
  EXPECT_EQ(settings.monitoring.metrics_interval, 5s);
  EXPECT_EQ(settings.monitoring.pulse_interval, 500ms);
  EXPECT_EQ(settings.monitoring.election_timeout, 2s);
  EXPECT_TRUE(settings.monitoring.write_probe);
  EXPECT_EQ(settings.monitoring.max_body, 1_MiB);
  EXPECT_EQ(settings.monitoring.thresholds.max_latency, 50ms);
  EXPECT_EQ(settings.monitoring.thresholds.max_db_size, 2_GiB);
  EXPECT_EQ(settings.monitoring.thresholds.min_available_nodes, 3U);
  EXPECT_EQ(settings.monitoring.thresholds.max_leader_changes, 5U);
  EXPECT_EQ(settings.api.host, "127.0.0.1");
  EXPECT_EQ(settings.api.port, 0);
  EXPECT_EQ(settings.logging.level, log::Level::kDebug);
  EXPECT_EQ(settings.logging.format, log::Format::kJson);
}

TEST(LoadSettings, UserTakesAPasswordAsEtcdctlDoes) {
  const auto login = [](const Loaded& loaded) {
    const auto& cluster = loaded.settings.clusters.at(0);
    return to_string(loaded.issues) + cluster.user + "/" + cluster.password.reveal();
  };
  EXPECT_EQ(login(load({"--user=root:a:b"})), "root/a:b");
  EXPECT_EQ(login(load({"--user=ro:ot", "--password=x"})), "ro:ot/x");
  EXPECT_EQ(login(load({"--user", "root", "--password-file", "pw"}, {{"pw", "from-file\n"}})),
            "root/from-file");
  EXPECT_EQ(login(load({}, {}, {{"ETCD_MONITOR_USER", "root:x"}})), "root/x");
  EXPECT_EQ(login(load({"--user=root:x"},
                       {{"config.yaml", "etcd: {endpoints: [h:1], user: a, password: b}"}})),
            "root/x");
}

TEST(LoadSettings, FlagBeatsEnvironmentBeatsFile) {
  const std::string yaml = "api: {host: file, port: 1}\nlogging: {level: error}\n";
  const config::Environment environment = {{"ETCD_MONITOR_API_PORT", "2"},
                                           {"ETCD_MONITOR_LOG_LEVEL", "warn"}};
  const auto loaded = load({"--log-level=debug"}, {{"config.yaml", yaml}}, environment);
  EXPECT_THAT(loaded.issues, IsEmpty());
  EXPECT_EQ(loaded.settings.api.host, "file");
  EXPECT_EQ(loaded.settings.api.port, 2);
  EXPECT_EQ(loaded.settings.logging.level, log::Level::kDebug);
}

TEST(LoadSettings, FindsTheFile) {
  const std::map<std::string, std::string> files = {
      {"config.yaml", "api: {port: 1}"},
      {"other.yaml", "etcd: {endpoints: [h:1], user: u, password_file: pw}"},
      {"pw", "x"}};
  EXPECT_EQ(load({}, files).settings.api.port, 1);
  const auto other = load({"--config=other.yaml"}, files);
  EXPECT_THAT(other.files, ElementsAre("other.yaml", "pw"));
  EXPECT_EQ(other.settings.api.port, 8080);
  EXPECT_THAT(load({}, files, {{"ETCD_MONITOR_CONFIG", "other.yaml"}}).files,
              ElementsAre("other.yaml", "pw"));
  EXPECT_THAT(lines_of(load({"--config=gone.yaml"}, files).issues),
              ElementsAre("--config: cannot read gone.yaml: No such file or directory"));
}

TEST(LoadSettings, AnUnreadableDefaultFileIsNotIgnored) {
  LoadRequest request;
  request.read_file = [](const std::string&) -> Result<std::string> {
    return Error{ErrorCode::kPermissionDenied, "cannot read config.yaml: Permission denied",
                 Cause::kLocal};
  };
  EXPECT_THAT(lines_of(load_settings(request).issues), ElementsAre(HasSubstr("Permission denied")));
}

TEST(LoadSettings, FileFlagsAndVariablesFailTogether) {
  const auto loaded =
      load({"--endpoint=h:1", "--pulse-interval=50ms", "extra"},
           {{"config.yaml", "api: {prot: 1}\n"}}, {{"ETCD_MONITOR_METRICS_INTERVAL", "10"}});
  EXPECT_THAT(
      lines_of(loaded.issues),
      ElementsAre(
          "config.yaml:1: api.prot: unknown key; did you mean `port`?",
          "ETCD_MONITOR_METRICS_INTERVAL: 10 has no unit; write 10s for seconds, or 10ms, 10m, 10h",
          "--pulse-interval: must be 0 (off) or at least 100ms, not 50ms",
          "--endpoint: unknown flag; did you mean --endpoints?",
          "extra: unexpected argument; flags begin with --"));
}

TEST(LoadSettings, HelpAndVersionComeBeforeErrors) {
  const auto help = load({"--nonsense", "--help"}, {{"config.yaml", "broken: ["}});
  EXPECT_TRUE(help.wants_help);
  EXPECT_THAT(help.issues, IsEmpty());
  EXPECT_TRUE(load({"-version"}).wants_version);
}

TEST(LoadSettings, CommandsBringTheirOwnFlags) {
  LoadRequest request{.arguments = {"permissions", "-w", "json", "--endpoints=h:1"},
                      .environment = {},
                      .read_file = files_of({})};
  request.extra_flags = {{"w", "format", "Output format.", "simple", "", "Output"}};
  request.takes_arguments = true;
  const auto loaded = load_settings(request);
  EXPECT_THAT(loaded.issues, IsEmpty());
  EXPECT_THAT(loaded.flags.arguments, ElementsAre("permissions"));
  ASSERT_NE(loaded.flags.last("w"), nullptr);
  EXPECT_EQ(*loaded.flags.last("w"), "json");
}

TEST(LoadSettings, ConnectionFlagsNeedOneCluster) {
  const std::string yaml = "clusters: [{name: a, endpoints: [h:1]}, {name: b, endpoints: [h:2]}]\n";
  EXPECT_THAT(lines_of(load({"--cert=c.pem", "--api-port=1"}, {{"config.yaml", yaml}}).issues),
              ElementsAre("--cert: is for a single entry of `clusters`, but 2 are configured; "
                          "write `cert_file` there"));
}

TEST(LoadSettings, DiscoveryNeedsNoEndpoint) {
  const auto loaded = load({"--discovery-srv=example.com"});
  EXPECT_THAT(loaded.issues, IsEmpty());
  EXPECT_THAT(loaded.settings.clusters.at(0).endpoints, IsEmpty());
}

TEST(ThresholdsOf, OwnOnesWin) {
  const auto loaded = load_file(R"(
clusters:
  - {name: a, endpoints: [h:1], thresholds: {max_latency: 5ms}}
  - {name: b, endpoints: [h:2]}
monitoring: {thresholds: {max_latency: 50ms, max_leader_changes: 9}}
)");
  ASSERT_EQ(to_string(loaded.issues), "");
  const auto& settings = loaded.settings;
  EXPECT_EQ(thresholds_of(settings, settings.clusters[0]).max_latency, 5ms);
  EXPECT_EQ(thresholds_of(settings, settings.clusters[0]).max_leader_changes, 9U);
  EXPECT_EQ(thresholds_of(settings, settings.clusters[1]).max_latency, 50ms);
}

TEST(WantsTls, AsEtcdctlDecides) {
  EXPECT_FALSE(wants_tls({}));
  net::TlsOptions authority;
  authority.ca_file = "ca.pem";
  EXPECT_TRUE(wants_tls(authority));
  net::TlsOptions anything;
  anything.insecure_skip_verify = true;
  EXPECT_TRUE(wants_tls(anything));
}

/// What the README shows, as it shows it.
TEST(Snippets, EmailSectionLoads) {
  const auto loaded = load_file(R"(# config.yaml
alerts:
  email:
    enabled: true
    smtp_server: "smtp.gmail.com"
    smtp_port: 587
    from: "etcd-monitor@example.com"
    to:
      - "ops-team@example.com"
      - "sre-team@example.com"
)");
  EXPECT_EQ(to_string(loaded.issues), "");
  EXPECT_EQ(loaded.settings.alerts.email.smtp_port, 587);
  EXPECT_THAT(loaded.settings.alerts.email.to,
              ElementsAre("ops-team@example.com", "sre-team@example.com"));
  EXPECT_THAT(loaded.warnings, IsEmpty());
}

TEST(ExampleFile, ShowsTheDefaults) {
  const auto loaded = load_file(text_of(kSource / "config.example.yaml"));
  EXPECT_EQ(to_string(loaded.issues), "");
  EXPECT_THAT(config::diff(load({}).settings, loaded.settings), IsEmpty());
}

void add_paths(const config::Node& node, const std::string& path, std::set<std::string>& out) {
  out.insert(path);
  for (const auto& child : node.children) {
    const bool listed = node.kind == config::Node::Kind::kList;
    add_paths(child, listed ? path + "[]" : path + (path.empty() ? "" : ".") + child.key, out);
  }
}

TEST(ExampleFile, ShowsEveryKey) {
  const auto text = text_of(kSource / "config.example.yaml");
  const auto root = config::parse_yaml(text);
  ASSERT_TRUE(root);
  std::set<std::string> shown;
  add_paths(*root, {}, shown);
  for (const auto& path : config::paths_of(Settings::schema())) {
    // Lists that are empty by default, of changes to rules and of routes: their keys stand in the
    // comment.
    const auto entry = path.rfind("[].");
    if (entry != std::string::npos && !shown.contains(path) &&
        (entry != path.find("[].") || !path.starts_with("clusters[]."))) {
      EXPECT_THAT(text, HasSubstr(path.substr(entry + 3) + ": ")) << path;
    } else {
      EXPECT_THAT(shown, Contains(path));
    }
  }
}

TEST(ExampleFile, CommentedKeysAreReal) {
  const auto text = text_of(kSource / "config.example.yaml");
  // A secret and its file exclude each other: take the value away where the file is switched on.
  auto switched = std::regex_replace(
      text, std::regex("\n *[a-z_]+: \"\"[^\n]*\n( *)#([a-z_]+_file):"), "\n$1$2:");
  ASSERT_THAT(switched, Not(HasSubstr("#password_file")));
  switched = std::regex_replace(switched, std::regex(R"(user(name)?: "")"), "user$1: root");
  const auto loaded = load({}, {{"config.yaml", switched},
                                {"/run/secrets/etcd-password", "a"},
                                {"/run/secrets/etcd-root-password", "b"},
                                {"/run/secrets/smtp-password", "c"},
                                {"/run/secrets/slack-webhook-url", "https://hooks.slack.com/d"},
                                {"/run/secrets/pagerduty-routing-key", "e"},
                                {"/run/secrets/webhook-url", "http://localhost/f"},
                                {"/run/secrets/heartbeat-url", "http://localhost/g"},
                                {"/run/secrets/redis-password", "h"}});
  EXPECT_EQ(to_string(loaded.issues), "");
  EXPECT_EQ(loaded.settings.clusters.at(0).password.reveal(), "a");
  EXPECT_EQ(loaded.settings.alerts.webhook.url.reveal(), "http://localhost/f");
  EXPECT_EQ(loaded.files.size(), 9U);
}

TEST(BadFiles, EachSaysWhatItsFirstLineSays) {
  int seen = 0;
  for (const auto& entry : std::filesystem::directory_iterator(kSource / "tests/data/config/bad")) {
    SCOPED_TRACE(entry.path().filename());
    const auto text = text_of(entry.path());
    ASSERT_TRUE(text.starts_with("# "));
    const auto name = entry.path().filename().string();
    const auto loaded = load({"--config=" + name}, {{name, text}});
    EXPECT_THAT(lines_of(loaded.issues), ElementsAre(text.substr(2, text.find('\n') - 2)));
    EXPECT_THAT(to_string(loaded.issues), Not(HasSubstr("s3cret")));
    ++seen;
  }
  EXPECT_GT(seen, 30);
}

TEST(Dump, KeepsSecrets) {
  const auto loaded = load({"--user=root:s3cret"}, {},
                           {{"ETCD_MONITOR_SLACK_WEBHOOK_URL", "https://hooks.slack.com/s3cret"}});
  ASSERT_THAT(loaded.issues, IsEmpty());
  const auto tree = config::dump(loaded.settings);
  EXPECT_THAT(to_yaml(tree), Not(HasSubstr("s3cret")));
  EXPECT_THAT(to_json(tree), Not(HasSubstr("s3cret")));
  EXPECT_THAT(to_yaml(tree), HasSubstr("webhook_url: \"<secret>\""));
}

TEST(Dump, CarriesThemToAnotherProcessOfOurs) {
  auto given = load({"--user=root", "--password=a\"b: 'c\\\n#d", "--slo-p99=20ms"}).settings;
  const auto yaml = to_yaml(config::dump(given, config::Secrets::kShown));
  const auto loaded = load_file(yaml);
  ASSERT_EQ(to_string(loaded.issues), "") << yaml;
  EXPECT_EQ(loaded.settings.clusters.at(0).password, given.clusters.at(0).password);
  EXPECT_THAT(config::diff(given, loaded.settings), IsEmpty());
}

TEST(Help, NamesEveryFlagOnce) {
  std::set<std::string> names;
  for (const auto& flag : settings_flags()) {
    EXPECT_TRUE(names.insert(flag.name).second) << flag.name;
    EXPECT_FALSE(flag.doc.empty()) << flag.name;
    EXPECT_FALSE(flag.group.empty()) << flag.name;
  }
  const auto text = config::flag_help(settings_flags());
  EXPECT_THAT(text, HasSubstr("  --max-db-size-mb <number>\n"));
  EXPECT_THAT(text, HasSubstr("Default: 8192."));
  EXPECT_THAT(text, HasSubstr("  --api-port <number>\n        Port to listen on; 0 takes any free "
                              "one. Default: 8080."));
  EXPECT_THAT(text, HasSubstr("\nGeneral:\n  --config <file>\n"));
}

}  // namespace
}  // namespace etcdmon::app
