// The typed client on real clusters: what each call answers, and what it asks of etcd.
#include <algorithm>
#include <map>
#include <optional>
#include <sstream>
#include <utility>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "async/when_all.hpp"
#include "etcd/link.hpp"
#include "etcd/permissions.hpp"
#include "kit/certificates.hpp"
#include "kit/etcd_cluster.hpp"
#include "kit/loop_thread.hpp"
#include "kit/program.hpp"
#include "kit/run.hpp"
#include "kit/temp_dir.hpp"
#include "net/resolver.hpp"

namespace etcdmon::etcd {
namespace {

using namespace std::chrono_literals;
using kit::EtcdCluster;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;
using Verdict = Permission::Verdict;

constexpr std::string_view kAllKeys("\0", 1);

Deadline soon() {
  return std::chrono::steady_clock::now() + 5s;
}

Credentials login(std::string user, std::string password) {
  return {std::move(user), Secret(std::move(password))};
}

/// A client on a loop of its own, for a test that blocks.
class Asker {
 public:
  struct Options {
    net::TlsOptions tls{};
    std::shared_ptr<TokenSource> tokens{};
  };

  explicit Asker(const std::string& url) : Asker(url, Options{}) {}
  Asker(const std::string& url, std::shared_ptr<TokenSource> tokens)
      : Asker(url, Options{.tokens = std::move(tokens)}) {}
  Asker(const std::string& url, Options options) {
    auto endpoint = net::parse_endpoint(url);
    auto tls = net::TlsContext::client(std::move(options.tls));
    if (!endpoint || !tls) throw std::runtime_error("not a usable endpoint: " + url);
    LinkOptions made{.endpoint = std::move(*endpoint),
                     .tls = std::move(*tls),
                     .tokens = std::move(options.tokens)};
    thread_.call([&] {
      resolver_.emplace(thread_.executor());
      link_.emplace(thread_.executor(), *resolver_, std::move(made), Logger{});
    });
  }
  ~Asker() {
    thread_.run(link_->close());
    thread_.call([this] {
      link_.reset();
      resolver_.reset();
    });
  }

  Client* operator->() { return &link_->client(); }
  Client& client() { return link_->client(); }
  Link& link() { return *link_; }
  template <class T>
  T operator()(Task<T> question) {
    return thread_.run(std::move(question));
  }
  template <class Function>
  auto on_loop(Function function) {
    return thread_.call(std::move(function));
  }

 private:
  kit::LoopThread thread_;
  std::optional<net::Resolver> resolver_;
  std::optional<Link> link_;
};

// What a member counted of one method, whatever its outcome.
int calls_handled(const std::string& url, std::string_view method) {
  const auto page = kit::fetch(url + "/metrics");
  std::istringstream lines(page.body);
  int sum = 0;
  for (std::string line; std::getline(lines, line);) {
    const bool counts = line.starts_with("grpc_server_handled_total{") &&
                        line.find(fmt::format("grpc_method=\"{}\"", method)) != std::string::npos;
    if (counts) sum += std::stoi(line.substr(line.rfind(' ') + 1));
  }
  return sum;
}

class EtcdClient : public testing::TestWithParam<kit::EtcdVersion> {
 protected:
  EtcdCluster::Options options(std::size_t members) const {
    return {.version = GetParam(), .members = members};
  }
};

RangeRequest one_key(std::string key, Consistency consistency = Consistency::kLinearizable) {
  return {.key = std::move(key), .consistency = consistency};
}

TEST_P(EtcdClient, StatusAndMemberListSayWhoIsWho) {
  EtcdCluster cluster(options(3));
  const auto leader = cluster.leader();
  for (std::size_t i = 0; i < 3; ++i) {
    SCOPED_TRACE(i);
    Asker ask(cluster.endpoint(i));
    const auto status = ask(ask->status(soon()));
    ASSERT_TRUE(status) << status.error().message;
    EXPECT_EQ(status->member_id, cluster.id(i));
    EXPECT_EQ(status->version, GetParam().version);
    EXPECT_EQ(status->leader, cluster.id(leader));
    EXPECT_EQ(status->is_leader(), i == leader);
    EXPECT_GT(status->raft_term, 0U);
    EXPECT_GT(status->raft_applied_index, 0U);
    EXPECT_GT(status->db_size, 0U);
    EXPECT_TRUE(status->db_size_in_use);
    EXPECT_FALSE(status->learner);
    EXPECT_THAT(status->errors, IsEmpty());
    EXPECT_GT(status->rtt(), 0ns);

    const auto local = ask(ask->member_list(Consistency::kSerializable, soon()));
    const auto quorum = ask(ask->member_list(Consistency::kLinearizable, soon()));
    ASSERT_TRUE(local && quorum);
    EXPECT_EQ(local->members, quorum->members);
    EXPECT_EQ(quorum->header.member_id, cluster.id(i));
    EXPECT_EQ(quorum->header.cluster_id, status->cluster_id);
    ASSERT_THAT(quorum->members, SizeIs(3));
    EXPECT_TRUE(std::ranges::is_sorted(quorum->members, {}, &model::MemberEntry::id));
    const auto own = std::ranges::find(quorum->members, cluster.id(i), &model::MemberEntry::id);
    EXPECT_EQ(own->name, cluster.member(i).name);
    EXPECT_THAT(own->client_urls, ElementsAre(cluster.endpoint(i)));
    EXPECT_THAT(own->peer_urls, ElementsAre(cluster.member(i).peer_url));
    EXPECT_FALSE(own->learner);
  }
}

TEST_P(EtcdClient, PutsAndRangesInEveryWay) {
  EtcdCluster cluster(options(1));
  Asker ask(cluster.endpoint(0));
  std::int64_t revision = 0;
  for (const char* key : {"a/1", "a/2", "a/3", "b"}) {
    const auto put = ask(ask->put({.key = key, .value = std::string(key) + "=value"}, soon()));
    ASSERT_TRUE(put) << put.error().message;
    EXPECT_TRUE(revision == 0 || put->revision == revision + 1);
    revision = put->revision;
  }
  for (const auto consistency : {Consistency::kLinearizable, Consistency::kSerializable}) {
    const auto one = ask(ask->range(one_key("a/2", consistency), soon()));
    ASSERT_TRUE(one) << one.error().message;
    ASSERT_THAT(one->kvs, SizeIs(1));
    EXPECT_EQ(one->kvs[0].value, "a/2=value");
    EXPECT_EQ(one->kvs[0].mod_revision, revision - 2);
    EXPECT_EQ(one->kvs[0].version, 1);
    EXPECT_EQ(one->header.revision, revision);
  }
  RangeRequest page{.key = "a/", .range_end = "a0", .limit = 2, .keys_only = true};
  const auto two = ask(ask->range(page, soon()));
  ASSERT_TRUE(two) << two.error().message;
  EXPECT_THAT(two->kvs, SizeIs(2));
  EXPECT_EQ(two->kvs[0].value, "");
  EXPECT_TRUE(two->more);
  EXPECT_EQ(two->count, 3);
  RangeRequest counted{.key = "a/", .range_end = "a0", .count_only = true};
  EXPECT_EQ(ask(ask->range(counted, soon()))->count, 3);
  RangeRequest earlier{.key = "b", .revision = revision - 1};
  EXPECT_EQ(ask(ask->range(earlier, soon()))->count, 0);

  RangeRequest future{.key = "b", .revision = revision + 100};
  const auto refused = ask(ask->range(future, soon()));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kOutOfRange);
  EXPECT_EQ(refused.error().cause, Cause::kNone) << "the member itself said so";
}

TEST_P(EtcdClient, HashesAgreeAtOneRevision) {
  EtcdCluster cluster(options(3));
  cluster.put("key", "value");
  std::vector<std::uint32_t> hashes;
  std::int64_t revision = 0;
  for (std::size_t i = 0; i < 3; ++i) {
    Asker ask(cluster.endpoint(i));
    if (revision == 0) revision = ask(ask->status(soon()))->revision;
    std::optional<HashKvReply> reply;
    // A follower may not have the revision yet.
    kit::eventually([&] {
      const auto hash = ask(ask->hash_kv(revision, soon()));
      if (hash) reply = *hash;
      return reply.has_value();
    });
    ASSERT_TRUE(reply);
    EXPECT_EQ(reply->header.member_id, cluster.id(i));
    hashes.push_back(reply->hash);
  }
  EXPECT_THAT(hashes, ElementsAre(hashes[0], hashes[0], hashes[0]));
  EXPECT_NE(hashes[0], 0U);
}

TEST_P(EtcdClient, AlarmsAreListedAndHintedInStatus) {
  EtcdCluster cluster(options(1));
  Asker ask(cluster.endpoint(0));
  EXPECT_THAT(ask(ask->alarm_list(soon()))->alarms, IsEmpty());
  cluster.raise_alarm(0, "NOSPACE");
  const model::AlarmEntry nospace{cluster.id(0), model::AlarmType::kNospace};
  EXPECT_THAT(ask(ask->alarm_list(soon()))->alarms, ElementsAre(nospace));
  EXPECT_THAT(alarms_in(ask(ask->status(soon()))->errors), ElementsAre(nospace));
  const auto put = ask(ask->put({.key = "key", .value = "value"}, soon()));
  ASSERT_FALSE(put);
  EXPECT_TRUE(is_no_space(put.error())) << put.error().message;
  cluster.disarm_alarms();
  EXPECT_THAT(ask(ask->alarm_list(soon()))->alarms, IsEmpty());
  EXPECT_THAT(ask(ask->status(soon()))->errors, IsEmpty());
}

TEST_P(EtcdClient, AWriteProbeLeavesNothingBehind) {
  EtcdCluster cluster(options(3));
  cluster.put("taken", "value");
  Asker ask(cluster.endpoint(0));
  const auto keys = [&] {
    RangeRequest all{
        .key = std::string(kAllKeys), .range_end = std::string(kAllKeys), .count_only = true};
    return ask(ask->range(all, soon()))->count;
  };
  const auto before = *ask(ask->status(soon()));
  const auto keys_before = keys();
  constexpr int kProbes = 20;
  for (int n = 0; n < kProbes; ++n) {
    // Whether the key is there makes no difference.
    const auto probe = ask(ask->write_probe(n % 2 == 0 ? "probe" : "taken", soon()));
    ASSERT_TRUE(probe) << probe.error().message;
    EXPECT_EQ(probe->revision, before.revision);
  }
  const auto after = *ask(ask->status(soon()));
  EXPECT_EQ(after.revision, before.revision);
  EXPECT_EQ(keys(), keys_before);
  EXPECT_EQ(cluster.get("taken"), "value");
  EXPECT_GE(after.raft_applied_index, before.raft_applied_index + kProbes)
      << "each went through raft";
}

TEST_P(EtcdClient, LearnersRefuseInTheirOwnWords) {
  EtcdCluster cluster(options(1));
  const auto learner = cluster.add_learner();
  Asker ask(cluster.endpoint(learner));
  const auto status = ask(ask->status(soon()));
  ASSERT_TRUE(status) << status.error().message;
  EXPECT_TRUE(status->learner);
  EXPECT_TRUE(ask(ask->range(one_key("key", Consistency::kSerializable), soon())));
  const auto read = ask(ask->range(one_key("key"), soon()));
  ASSERT_FALSE(read);
  EXPECT_TRUE(is_unsupported_for_learner(read.error())) << read.error().message;
  EXPECT_FALSE(is_not_authorised(read.error()));
  const auto alarms = ask(ask->alarm_list(soon()));
  ASSERT_FALSE(alarms);
  EXPECT_TRUE(is_unsupported_for_learner(alarms.error())) << alarms.error().message;
}

TEST_P(EtcdClient, SpeaksTlsAndShowsWhom) {
  const kit::TempDir dir;
  kit::CertificateAuthority authority(dir.path());
  auto made = options(1);
  made.tls = authority.etcd_tls(kit::CertificateAuthority::ClientAuth::kNo);
  EtcdCluster cluster(std::move(made));
  Asker ask(cluster.endpoint(0), {.tls = {.ca_file = authority.ca()}});
  ASSERT_TRUE(ask(ask->status(soon())));
  ASSERT_THAT(ask.link().peer_certificates(), Not(IsEmpty()));
  EXPECT_THAT(ask.link().peer_certificates()[0].names, testing::Contains("127.0.0.1"));

  Asker careless(cluster.endpoint(0), {.tls = {.insecure_skip_verify = true}});
  EXPECT_TRUE(ask(careless->status(soon())));
  Asker wary(cluster.endpoint(0));
  const auto refused = wary(wary->status(soon()));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().cause, Cause::kTls) << refused.error().message;
}

TEST_P(EtcdClient, ShowsItsOwnCertificateWhereAsked) {
  const kit::TempDir dir;
  kit::CertificateAuthority authority(dir.path());
  auto made = options(1);
  made.tls = authority.etcd_tls(kit::CertificateAuthority::ClientAuth::kRequired);
  EtcdCluster cluster(std::move(made));
  const auto files = authority.client("monitor");
  Asker ask(cluster.endpoint(0),
            {.tls = {.ca_file = authority.ca(), .cert_file = files.cert, .key_file = files.key}});
  const auto status = ask(ask->status(soon()));
  EXPECT_TRUE(status) << status.error().message;
  Asker nobody(cluster.endpoint(0), {.tls = {.ca_file = authority.ca()}});
  const auto refused = nobody(nobody->status(soon()));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().cause, Cause::kTls) << refused.error().message;
}

TEST_P(EtcdClient, OneTokenServesManyCallsAndARestartCostsOneMore) {
  EtcdCluster cluster(options(1));
  cluster.enable_auth("root-password");
  Asker ask(cluster.endpoint(0), make_token_source(login("root", "root-password")));
  const auto before = calls_handled(cluster.endpoint(0), "Authenticate");
  for (int n = 0; n < 10; ++n) ASSERT_TRUE(ask(ask->range(one_key("key"), soon())));
  EXPECT_EQ(calls_handled(cluster.endpoint(0), "Authenticate") - before, 1);

  // Simple tokens are kept in memory: the restarted member knows those only that its log gives out
  // again, which 3.4 does and 3.5 does not.
  cluster.restart(0);
  const auto again = calls_handled(cluster.endpoint(0), "Authenticate");
  const auto all_at_once = [&]() {
    std::vector<Task<Result<RangeReply>>> calls;
    for (int n = 0; n < 10; ++n) calls.push_back(ask->range(one_key("key"), soon()));
    return async::when_all(std::move(calls));
  };
  // The first attempt may find the old connection's end.
  kit::eventually([&] { return ask(ask->status(soon())).has_value(); });
  for (const auto& reply : ask(all_at_once()))
    EXPECT_TRUE(reply) << (reply ? "" : reply.error().message);
  const int logins = calls_handled(cluster.endpoint(0), "Authenticate") - again;
  EXPECT_EQ(logins, GetParam().at_least(3, 5) ? 1 : 0);
}

TEST_P(EtcdClient, AuthSwitchedOnWhileRunning) {
  EtcdCluster cluster(options(1));
  Asker named(cluster.endpoint(0), make_token_source(login("root", "root-password")));
  Asker nameless(cluster.endpoint(0));
  EXPECT_TRUE(named(named->range(one_key("key"), soon())));
  EXPECT_EQ(calls_handled(cluster.endpoint(0), "Authenticate"), 0) << "none was needed";
  cluster.enable_auth("root-password");
  const auto read = named(named->range(one_key("key"), soon()));
  EXPECT_TRUE(read) << read.error().message;
  const auto refused = nameless(nameless->range(one_key("key"), soon()));
  ASSERT_FALSE(refused);
  EXPECT_TRUE(is_not_authorised(refused.error())) << refused.error().message;
  EXPECT_EQ(refused.error().cause, Cause::kNone);

  cluster.etcdctl({"auth", "disable"});
  EXPECT_TRUE(named(named->range(one_key("key"), soon())));
  EXPECT_TRUE(nameless(nameless->range(one_key("key"), soon())));
}

TEST_P(EtcdClient, AWrongPasswordIsTriedOnceAndNotAgainForAWhile) {
  EtcdCluster cluster(options(1));
  cluster.enable_auth("root-password");
  const auto tokens = make_token_source(login("root", "not-that"));
  Asker ask(cluster.endpoint(0), tokens);
  const auto before = calls_handled(cluster.endpoint(0), "Authenticate");
  const auto began = std::chrono::steady_clock::now();
  while (std::chrono::steady_clock::now() - began < 3s) {
    const auto read = ask(ask->range(one_key("key"), soon()));
    ASSERT_FALSE(read);
    EXPECT_TRUE(is_not_authorised(read.error())) << read.error().message;
  }
  EXPECT_EQ(calls_handled(cluster.endpoint(0), "Authenticate") - before, 1);
  const auto why = ask.on_loop([&] { return last_login_error(*tokens); });
  ASSERT_TRUE(why);
  EXPECT_THAT(why->message, HasSubstr("logging in as root"));
  EXPECT_THAT(why->message, Not(HasSubstr("not-that")));
}

// --- permissions

struct Expected {
  const char* user;
  const char* password;
  Verdict read;
  Verdict hash;
};

std::map<std::string, Permission> ask_permissions(const EtcdCluster& cluster, const Login& login) {
  Asker ask(cluster.endpoint(0), login.tokens);
  std::map<std::string, Permission> out;
  for (auto& permission : ask(check_permissions(ask.client(), login, soon())))
    out.emplace(permission.rpc, permission);
  return out;
}

// Runs what a remedy advises: "etcdctl role add x && etcdctl user grant-role y x".
void follow(EtcdCluster& cluster, const std::string& remedy) {
  std::istringstream words(remedy);
  std::vector<std::string> command;
  const auto run = [&] {
    if (!command.empty()) cluster.etcdctl(std::exchange(command, {}));
  };
  for (std::string word; words >> word;) {
    if (word == "&&") {
      run();
    } else if (word != "etcdctl" || !command.empty()) {
      command.push_back(word);
    }
  }
  run();
}

TEST_P(EtcdClient, PermissionsByUser) {
  EtcdCluster cluster(options(1));
  cluster.enable_auth("root-password", {{"nobody", "n", ""}, {"reader", "r", "read"}});
  const Expected cases[] = {
      {"", "", Verdict::kDenied, Verdict::kDenied},
      {"nobody", "n", Verdict::kDenied, Verdict::kDenied},
      {"reader", "r", Verdict::kAllowed, Verdict::kDenied},
      {"root", "root-password", Verdict::kAllowed, Verdict::kAllowed},
  };
  for (const auto& [user, password, read, hash] : cases) {
    SCOPED_TRACE(user);
    const bool named = *user != '\0';
    const Login login_used{user, named ? make_token_source(login(user, password)) : nullptr};
    const auto asked = ask_permissions(cluster, login_used);
    ASSERT_THAT(asked, SizeIs(6));
    // Open on the versions installed here; later ones ask for a user or root.
    EXPECT_EQ(asked.at("Maintenance.Status").verdict, Verdict::kAllowed);
    EXPECT_EQ(asked.at("Cluster.MemberList").verdict, Verdict::kAllowed);
    EXPECT_EQ(asked.at("Maintenance.Alarm").verdict, Verdict::kAllowed);
    EXPECT_EQ(asked.at("KV.Range (linearizable)").verdict, read);
    EXPECT_EQ(asked.at("KV.Range (serializable)").verdict, read);
    EXPECT_EQ(asked.at("Maintenance.HashKV").verdict, hash);
    for (const auto& [rpc, permission] : asked) {
      const bool allowed = permission.verdict == Verdict::kAllowed;
      EXPECT_EQ(permission.remedy.empty(), allowed) << rpc << ": " << permission.remedy;
      EXPECT_EQ(permission.message.empty(), allowed) << rpc << ": " << permission.message;
    }
  }
}

TEST_P(EtcdClient, ALoginOnlyNeedsWhatItIsUsedFor) {
  EtcdCluster cluster(options(1));
  cluster.enable_auth("root-password", {{"nobody", "n", ""}});
  const Login hash_only{"nobody", make_token_source(login("nobody", "n")), false, true};
  for (const auto& [rpc, permission] : ask_permissions(cluster, hash_only)) {
    SCOPED_TRACE(rpc);
    const bool hash = rpc == "Maintenance.HashKV";
    EXPECT_EQ(permission.needed, hash);
    EXPECT_EQ(permission.remedy.empty(), !hash);
  }
}

TEST_P(EtcdClient, AWrongPasswordIsNotARoleThatIsMissing) {
  EtcdCluster cluster(options(1));
  cluster.enable_auth("root-password", {{"reader", "r", "read"}});
  const Login wrong{"reader", make_token_source(login("reader", "wrong"))};
  const auto asked = ask_permissions(cluster, wrong);
  const auto& read = asked.at("KV.Range (linearizable)");
  EXPECT_EQ(read.verdict, Verdict::kDenied);
  EXPECT_THAT(read.message, HasSubstr("logging in as reader"));
  EXPECT_THAT(read.remedy, HasSubstr("etcdctl user passwd reader"));
  EXPECT_EQ(asked.at("Maintenance.Status").verdict, Verdict::kAllowed);
}

TEST_P(EtcdClient, ARemedyFollowedHelps) {
  EtcdCluster cluster(options(1));
  cluster.enable_auth("root-password", {{"nobody", "n", ""}});
  const Login nobody{"nobody", make_token_source(login("nobody", "n")), true, false};
  const auto denied = ask_permissions(cluster, nobody).at("KV.Range (linearizable)");
  ASSERT_EQ(denied.verdict, Verdict::kDenied);
  follow(cluster, denied.remedy);
  for (const auto& [rpc, now] : ask_permissions(cluster, nobody)) {
    EXPECT_TRUE(!now.needed || now.verdict == Verdict::kAllowed) << rpc << ": " << now.message;
  }
}

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(EtcdClient);
INSTANTIATE_TEST_SUITE_P(Versions, EtcdClient, testing::ValuesIn(kit::etcd_versions()),
                         kit::version_name);

}  // namespace
}  // namespace etcdmon::etcd
