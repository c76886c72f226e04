// `etcd-monitor ctl` beside etcdctl: the same command lines on clusters in the same state, compared
// byte for byte.
#include <chrono>
#include <map>
#include <regex>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kit/command.hpp"
#include "kit/etcd_cluster.hpp"
#include "kit/monitor.hpp"

namespace etcdmon {
namespace {

using kit::EtcdCluster;
using kit::EtcdVersion;
using Words = std::vector<std::string>;

// Where we differ on purpose, and what is compared all the same.
enum class Compared : std::uint8_t {
  kAll,       ///< standard output, exit code, and the line of standard error that begins with Error
  kOutput,    ///< standard output and exit code: messages are ours, or come from the transport
  kExitCode,  ///< etcdctl prints its whole help on standard output where a flag is wrong
};

struct Invocation {
  Words words{};
  std::string input{};
  Compared compared = Compared::kAll;
  int since = 4;  ///< the minor version of the first etcdctl that has it
};

std::string to_text(const Invocation& invocation) {
  return fmt::format("{}{}", fmt::join(invocation.words, " "),
                     invocation.input.empty() ? "" : " <<< " + invocation.input);
}

// What nobody can know beforehand.
std::string normalized(std::string text) {
  static const std::vector<std::pair<std::regex, std::string>> kUnknown = {
      {std::regex(R"(127\.0\.0\.1:\d+)"), "ADDRESS"},
      {std::regex(R"(\b\d{17,20}\b)"), "ID"},
      {std::regex(R"(\b[0-9a-f]{14,16}\b)"), "ID"},
      {std::regex(R"(took( =|":"|\s*: )\s*"?[0-9.]+(ns|µs|ms|s))"), "TOOK"},
      {std::regex(R"((\| +)[0-9.]+(µs|ms|s) +\|)"), "TOOK"},
      {std::regex(R"re("(dbSize|dbSizeInUse|raftIndex|raftAppliedIndex|ttl)":-?\d+)re"), "NUMBER"},
  };
  for (const auto& [pattern, name] : kUnknown) text = std::regex_replace(text, pattern, name);
  return text;
}

// etcdctl's log lines and hints do not count.
std::string error_line(const std::string& err) {
  std::size_t at = 0;
  while (at < err.size()) {
    const auto end = std::min(err.find('\n', at), err.size());
    const auto line = err.substr(at, end - at);
    if (line.starts_with("Error: ")) return line;
    at = end + 1;
  }
  return {};
}

class CtlDifferential : public testing::TestWithParam<EtcdVersion> {
 protected:
  static EtcdCluster::Options one_member() { return {.version = GetParam(), .members = 1}; }

  async::Captured theirs(EtcdCluster& cluster, const Invocation& invocation) const {
    Words argv{GetParam().etcdctl, "--endpoints=" + address(cluster)};
    argv.insert(argv.end(), invocation.words.begin(), invocation.words.end());
    return kit::command(argv, invocation.input);
  }
  async::Captured ours(EtcdCluster& cluster, const Invocation& invocation) const {
    Words argv{kit::monitor_binary(), "ctl", "--endpoints=" + address(cluster),
               fmt::format("--compat=3.{}", GetParam().minor)};
    argv.insert(argv.end(), invocation.words.begin(), invocation.words.end());
    return kit::command(argv, invocation.input);
  }
  static std::string address(EtcdCluster& cluster) {
    return fmt::format("127.0.0.1:{}", cluster.port(0));
  }

  // Nothing changes: both ask the same cluster.
  void compare_read(EtcdCluster& cluster, const Invocation& invocation) {
    if (GetParam().minor < invocation.since) return;
    expect_equal(invocation, theirs(cluster, invocation), ours(cluster, invocation), false);
  }
  // Each changes a cluster of its own, which the other's resembles.
  void compare_write(EtcdCluster& a, EtcdCluster& b, const Invocation& invocation) {
    if (GetParam().minor < invocation.since) return;
    expect_equal(invocation, theirs(a, invocation), ours(b, invocation), true);
  }

  void expect_equal(const Invocation& invocation, const async::Captured& theirs,
                    const async::Captured& ours, bool apart) {
    ++compared_;
    SCOPED_TRACE(to_text(invocation));
    const auto text = [apart](const std::string& out) {
      return apart ? normalized(out) : normalized_times(out);
    };
    EXPECT_EQ(ours.status.code, theirs.status.code) << theirs.err << ours.err;
    if (invocation.compared == Compared::kExitCode) return;
    EXPECT_EQ(text(ours.out), text(theirs.out)) << ours.err;
    if (invocation.compared == Compared::kOutput) return;
    EXPECT_EQ(text(error_line(ours.err)), text(error_line(theirs.err)));
  }

  static std::string normalized_times(const std::string& text) {
    static const std::regex kTook(R"([0-9.]+(ns|µs|ms|s)\b)");
    static const std::regex kRaft(R"(("raftIndex":|"raftAppliedIndex":|"ttl":|remaining\()\d+)");
    return std::regex_replace(std::regex_replace(text, kTook, "TOOK"), kRaft, "NUMBER");
  }

  int compared_ = 0;
};

const std::vector<std::string>& formats() {
  static const std::vector<std::string> kFormats = {"simple", "json", "fields", "protobuf",
                                                    "table"};
  return kFormats;
}

void fill(EtcdCluster& cluster) {
  cluster.put("a", "b");
  cluster.put("key 1", "v<>&\"\\\n1");
  cluster.put("dir/1", "x");
  cluster.put("dir/2", "yy");
  cluster.put("dir/2", "y3");
  cluster.put("dir/3", "é鍵\x01\x7f");
  cluster.put("bin\xff\xfe", std::string(40, '\xff'));
  cluster.etcdctl({"put", "empty", ""});
  cluster.etcdctl({"role", "add", "r"});
  cluster.etcdctl({"role", "grant-permission", "r", "read", "foo"});
  cluster.etcdctl({"role", "grant-permission", "r", "readwrite", "dir/", "--prefix"});
  cluster.etcdctl({"role", "grant-permission", "r", "write", "x", "--from-key"});
  cluster.etcdctl({"user", "add", "u:p"});
  cluster.etcdctl({"user", "grant-role", "u", "r"});
  cluster.etcdctl({"lease", "grant", "1000"});
}

TEST_P(CtlDifferential, ReadsLookTheSameInEveryFormat) {
  EtcdCluster cluster(one_member());
  fill(cluster);
  const std::vector<Words> reads = {
      {"get", "a"},
      {"get", "nothing"},
      {"get", "", "--prefix"},
      {"get", "dir/", "--prefix", "--order=DESCEND", "--sort-by=version"},
      {"get", "dir/", "--prefix", "--limit", "2"},
      {"get", "dir/", "--prefix", "--keys-only"},
      {"get", "dir/1", "dir/3", "--consistency=s"},
      {"get", "b", "--from-key"},
      {"get", "dir/2", "--rev=5"},
      {"get", "\xff", "z"},
      {"get", "a", "--hex"},
      {"get", "bin", "--prefix", "--hex"},
      {"member", "list"},
      {"member", "list", "--hex"},
      {"endpoint", "hashkv"},
      {"endpoint", "hashkv", "--rev=4"},
      {"endpoint", "status"},
      {"endpoint", "health"},
      {"alarm", "list"},
      {"role", "list"},
      {"role", "get", "r"},
      {"role", "get", "none"},
      {"user", "list"},
      {"user", "get", "u"},
      {"lease", "list"},
      {"lease", "timetolive", "1234"},
      {"lease", "timetolive", "1234", "--keys"},
  };
  for (const auto& words : reads) {
    for (const auto& format : formats()) {
      auto more = words;
      more.push_back("-w=" + format);
      // The column of times is as wide as its times.
      const bool timed = words == Words{"endpoint", "health"} && format == "table";
      // etcdctl 3.4 dies of it.
      if (GetParam().minor == 4 && words == Words{"alarm", "list"} && format == "fields") continue;
      compare_read(cluster,
                   {.words = more, .compared = timed ? Compared::kExitCode : Compared::kAll});
    }
  }
  RecordProperty("invocations", compared_);
}

TEST_P(CtlDifferential, MistakesEndTheSameWay) {
  EtcdCluster cluster(one_member());
  const std::vector<Invocation> mistakes = {
      {{"get"}},
      {{"get", "a", "-w", "foo"}},
      {{"get", "a", "--prefix", "--from-key"}},
      {{"get", "a", "b", "--prefix"}},
      {{"get", "a", "b", "--from-key"}},
      {{"get", "a", "--consistency=z"}},
      {{"get", "a", "--order=foo"}},
      {{"get", "a", "--sort-by=foo"}},
      {{"get", "a", "--rev=1000"}},
      {{"get", "a", "--print-value-only", "-w=json"}},
      {{"get", "a", "--count-only"}, "", Compared::kAll, 5},
      {{"get", "a", "--count-only", "--keys-only"}, "", Compared::kAll, 5},
      {{"put"}},
      {{"put", "a"}},
      {{"put", "a", "b", "--ignore-value"}},
      {{"put", "a", "b", "--lease=zz"}},
      {{"put", "a", "b", "--lease=1234"}},
      {{"put", "", "b"}},
      {{"put", "none", "--ignore-value"}},
      {{"del"}},
      {{"del", "a", "b", "c"}},
      {{"del", "a", "--prefix", "--from-key"}},
      {{"compaction"}},
      {{"compaction", "x"}},
      {{"compaction", "100000"}},
      {{"lease", "grant"}},
      {{"lease", "grant", "x"}},
      {{"lease", "revoke"}},
      {{"lease", "revoke", "zz"}},
      {{"lease", "revoke", "1234"}},
      {{"lease", "timetolive"}},
      {{"lease", "timetolive", "zz"}},
      {{"lease", "keep-alive"}},
      {{"member", "add"}},
      {{"member", "add", "x"}},
      {{"member", "remove"}},
      {{"member", "remove", "zz"}},
      {{"member", "update", "1234"}},
      {{"member", "promote"}},
      {{"move-leader"}},
      {{"move-leader", "zz"}},
      {{"alarm", "list", "x"}},
      {{"alarm", "disarm", "x"}},
      {{"auth", "enable", "x"}},
      {{"auth", "disable", "x"}},
      {{"user", "add"}},
      {{"user", "delete", "none"}},
      {{"user", "get"}},
      {{"user", "list", "x"}},
      {{"user", "grant-role", "u"}},
      {{"user", "grant-role", "none", "none"}},
      {{"role", "add"}},
      {{"role", "delete", "none"}},
      {{"role", "get"}},
      {{"role", "list", "x"}},
      {{"role", "grant-permission", "r"}},
      {{"role", "grant-permission", "r", "bogus", "k"}},
      {{"role", "grant-permission", "none", "read", "k"}},
      {{"role", "revoke-permission", "r"}},
      {{"txn"}, ""},
      {{"txn", "x"}, ""},
      {{"txn"}, "mod(\"a\") > 0\n\n\n\n"},
      {{"txn"}, "foo(\"a\") > \"0\"\n\n\n\n"},
      {{"txn"}, "mod(a) = \"0\"\n\n\n\n"},
      {{"txn"}, "mod\"a\" = \"0\"\n\n\n\n"},
      {{"txn"}, "mod(\"a\") = \"x\"\n\n\n\n"},
      {{"txn"}, "val(\"a\")=\"b\"\n\n\n\n"},
      {{"txn"}, "\nbogus k\n\n\n"},
      {{"txn"}, "\nget\n\n\n"},
      {{"txn"}, "\nput a\n"},
      {{"txn"}, "\nget a --prefix --from-key\n\n\n"},
      {{"watch"}},
      {{"watch", "a", "--"}},
      {{"watch", "a", "b", "--prefix"}},
      {.words = {"snapshot", "save"}, .compared = Compared::kOutput},
      {{"snapshot", "status"}},
      {{"snapshot", "status", "/nonexistent"}, "", Compared::kOutput},
      {{"elect"}},
      {{"lock"}},
      // Unknown words: etcdctl says everything twice, and its help before it.
      {{"bogus"}, "", Compared::kOutput},
      {{"gett", "a"}, "", Compared::kOutput},
      {{"get", "a", "--bogus"}, "", Compared::kExitCode},
      {{"get", "a", "-z"}, "", Compared::kExitCode},
      {{"get", "a", "--limit"}, "", Compared::kExitCode},
      {{"get", "a", "--limit=x"}, "", Compared::kExitCode},
      {{"get", "a", "--prefix=maybe"}, "", Compared::kExitCode},
      {{"get", "a", "--command-timeout=5"}, "", Compared::kExitCode},
  };
  for (const auto& mistake : mistakes) compare_read(cluster, mistake);
  RecordProperty("invocations", compared_);
}

TEST_P(CtlDifferential, WritesDoAndSayTheSame) {
  EtcdCluster a(one_member());
  EtcdCluster b(one_member());
  const std::string txn =
      "mod(\"a\") > \"0\"\n\nput k1 \"v 1\"\nget a\ndel zz --prefix --prev-kv\n\nget b\n\n";
  const std::vector<Invocation> writes = {
      {{"put", "a", "b"}},
      {{"put", "a", "c", "--prev-kv"}},
      {{"put", "from stdin"}, "value\n"},
      {{"put", "dash", "--", "-value"}},
      {{"put", "a", "--ignore-value", "--prev-kv", "-w=json"}},
      {{"get", "", "--prefix", "-w=json"}},
      {{"put", "x/1", "1", "-w=fields"}},
      {{"put", "x/2", "2", "-w=json"}},
      {{"put", "x/3", "3", "--prev-kv", "-w=json"}},
      {{"txn"}, txn},
      {{"txn", "-i"}, txn},
      {{"txn", "-w=json"}, txn},
      {{"txn", "-w=fields"}, txn},
      {{"txn", "-w=table"}, txn},
      {{"txn"}, "ver(\"none\") = \"0\"\nval(\"a\") != \"zz\"\n\nput t 'single \\n'\n\n\n"},
      {{"txn"}, "create(\"a\") < \"1\"\n\n\nput t \"b\\x41\\u00e9\"\nget t\n\n"},
      {{"get", "t", "-w=fields"}},
      {{"del", "x/1"}},
      {{"del", "x/", "--prefix", "--prev-kv"}},
      {{"del", "none"}},
      {{"del", "none", "-w=json"}},
      {{"del", "dash", "--prev-kv", "-w=fields"}},
      {{"lease", "grant", "1000"}},
      {{"lease", "grant", "1000", "-w=json"}},
      {{"lease", "grant", "1000", "-w=fields"}},
      {{"lease", "grant", "1000", "-w=table"}},
      {{"role", "add", "r"}},
      {{"role", "add", "r"}},
      {{"role", "add", "r2", "-w=json"}},
      {{"role", "grant-permission", "r", "readwrite", "foo"}},
      {{"role", "grant-permission", "r", "read", "a", "c", "-w=fields"}},
      {{"role", "grant-permission", "r", "write", "p/", "--prefix"}},
      {{"role", "grant-permission", "r", "read", "z", "--from-key"}},
      {{"role", "get", "r"}},
      {{"role", "get", "r", "-w=json"}},
      {{"role", "get", "r", "-w=fields"}},
      {{"role", "revoke-permission", "r", "foo"}},
      {{"role", "revoke-permission", "r", "a", "c"}},
      {{"role", "revoke-permission", "r", "p/", "--prefix"}},
      {{"role", "revoke-permission", "r", "z", "--from-key"}},
      {{"user", "add", "u:p"}},
      {{"user", "add", "u:p"}},
      {{"user", "add", "v", "--new-user-password=p", "-w=json"}},
      {{"user", "add", "w", "--no-password"}},
      {{"user", "passwd", "u", "--interactive=false"}, "secret\n"},
      {{"user", "grant-role", "u", "r"}},
      {{"user", "grant-role", "u", "r2", "-w=json"}},
      {{"user", "get", "u"}},
      {{"user", "get", "u", "--detail"}},
      {{"user", "get", "u", "-w=json"}},
      {{"user", "revoke-role", "u", "r2"}},
      {{"user", "delete", "w"}},
      {{"user", "list"}},
      {{"role", "delete", "r2"}},
      {{"compaction", "3"}},
      {{"get", "a", "--rev=2"}},
      {{"compaction", "5", "--physical"}},
      {{"alarm", "list"}},
      {{"defrag"}, "", Compared::kExitCode},
      {{"user", "add", "root:pw"}},
      {{"user", "grant-role", "root", "root"}},
      {{"auth", "enable"}},
      {{"get", "a", "--user=root:pw"}},
      {{"get", "a", "--user=u:secret"}},
      {{"get", "a", "--user=root:wrong"}},
      {{"get", "a"}},
      {{"get", "a", "--user=root", "--password=pw"}},
  };
  for (const auto& write : writes) compare_write(a, b, write);
  RecordProperty("invocations", compared_);
}

// The command of the watch ends it.
TEST_P(CtlDifferential, AWatchersCommandLearnsNoSecret) {
  EtcdCluster cluster(one_member());
  const Words command{"--", "sh", "-c", "echo \"told $ETCD_WATCH_VALUE\"; kill -INT $PPID"};
  const struct {
    const char* key;
    Words flags;
    const char* told;
  } cases[] = {{"/registry/secrets/default/a", {}, "told \"<redacted: 5 bytes>\"\n"},
               {"/registry/secrets/default/a", {"--show-secrets"}, "told \"token\"\n"},
               {"/registry/pods/default/a", {}, "told \"token\"\n"}};
  for (const auto& c : cases) {
    SCOPED_TRACE(fmt::format("{} {}", c.key, fmt::join(c.flags, " ")));
    ASSERT_EQ(ours(cluster, {{"put", c.key, "token"}}).status.code, 0);
    Words words{"watch", c.key, "--rev=1"};
    words.insert(words.end(), c.flags.begin(), c.flags.end());
    words.insert(words.end(), command.begin(), command.end());
    EXPECT_THAT(ours(cluster, {words}).out, testing::HasSubstr(c.told));
  }
}

INSTANTIATE_TEST_SUITE_P(Versions, CtlDifferential, testing::ValuesIn(kit::etcd_versions()),
                         kit::version_name);

}  // namespace
}  // namespace etcdmon
