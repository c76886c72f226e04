// Golden: what etcdctl 3.4.23 and 3.5.16 print for the same messages; 3.6 and 3.7 by their formats.
#include "app/cli/ctl/print/print.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "app/cli/ctl/print/reply_printer.hpp"
#include "wire/auth.pb.h"
#include "wire/lease.pb.h"
#include "wire/rpc.pb.h"
#include "wire/watch.pb.h"

namespace etcdmon::app::cli::ctl {
namespace {

constexpr std::uint64_t kCluster = 15875391935852295136U;
constexpr std::uint64_t kMember = 7383792418829112008U;

template <class Message>
Message with_header(std::int64_t revision = 6) {
  Message message;
  message.mutable_header()->set_cluster_id(kCluster);
  message.mutable_header()->set_member_id(kMember);
  message.mutable_header()->set_revision(revision);
  message.mutable_header()->set_raft_term(2);
  return message;
}

void set_pair(wire::KeyValue& kv, const std::string& key, const std::string& value) {
  kv.set_key(key);
  kv.set_value(value);
  kv.set_create_revision(2);
  kv.set_mod_revision(3);
  kv.set_version(2);
}

wire::RangeResponse range() {
  auto message = with_header<wire::RangeResponse>();
  set_pair(*message.add_kvs(), "a", "b");
  message.mutable_kvs(0)->set_lease(4660);
  set_pair(*message.add_kvs(), "k\xff", "<\n>");
  message.set_count(2);
  return message;
}

wire::TxnResponse txn() {
  auto message = with_header<wire::TxnResponse>();
  message.set_succeeded(true);
  message.add_responses()->mutable_response_put()->mutable_header()->set_revision(6);
  auto& got = *message.add_responses()->mutable_response_range();
  got.mutable_header()->set_revision(6);
  set_pair(*got.add_kvs(), "a", "b");
  got.set_count(1);
  message.add_responses()->mutable_response_delete_range()->mutable_header()->set_revision(6);
  return message;
}

wire::MemberListResponse members() {
  auto message = with_header<wire::MemberListResponse>(0);
  auto& member = *message.add_members();
  member.set_id(kMember);
  member.set_name("default");
  member.add_peer_urls("http://127.0.0.1:42380");
  member.add_client_urls("http://127.0.0.1:42379");
  return message;
}

wire::StatusResponse status() {
  auto message = with_header<wire::StatusResponse>(3);
  message.set_version("3.6.1");
  message.set_db_size(20480);
  message.set_db_size_in_use(16384);
  message.set_leader(kMember);
  message.set_raft_index(15);
  message.set_raft_term(2);
  message.set_raft_applied_index(14);
  message.add_errors("no leader");
  message.add_errors("x");
  message.set_storage_version("3.6.0");
  message.set_db_size_quota(2147483648);
  message.mutable_downgrade_info();
  return message;
}

std::string text(const Reply& reply, Format format, Compat compat, bool hex = false) {
  const auto printed = print(reply, Output{.format = format, .compat = compat, .hex = hex});
  return printed ? printed->out + (printed->err.empty() ? "" : "E:" + printed->err)
                 : "!" + printed.error().message;
}

TEST(CtlPrint, Get) {
  const auto message = range();
  const GetReply reply{message};
  EXPECT_EQ(text(reply, Format::kSimple, Compat::k3_6), "a\nb\nk\xff\n<\n>\n");
  EXPECT_EQ(text(reply, Format::kSimple, Compat::k3_6, true),
            "\\x61\n\\x62\n\\x6b\\xff\n\\x3c\\x0a\\x3e\n");
  EXPECT_EQ(text(reply, Format::kJson, Compat::k3_6),
            R"({"header":{"cluster_id":15875391935852295136,"member_id":7383792418829112008,)"
            R"("revision":6,"raft_term":2},"kvs":[{"key":"YQ==","create_revision":2,)"
            R"("mod_revision":3,"version":2,"value":"Yg==","lease":4660},{"key":"a/8=",)"
            R"("create_revision":2,"mod_revision":3,"version":2,"value":"PAo+"}],"count":2})"
            "\n");
  EXPECT_EQ(text(reply, Format::kFields, Compat::k3_5, true),
            "\"ClusterID\" : 15875391935852295136\n\"MemberID\" : 7383792418829112008\n"
            "\"Revision\" : 6\n\"RaftTerm\" : 2\n\"Key\" : \"a\"\n\"CreateRevision\" : 2\n"
            "\"ModRevision\" : 3\n\"Version\" : 2\n\"Value\" : \"b\"\n\"Lease\" : 4660\n"
            "\"Key\" : \"k\\xff\"\n\"CreateRevision\" : 2\n\"ModRevision\" : 3\n\"Version\" : 2\n"
            "\"Value\" : \"<\\n>\"\n\"Lease\" : 0\n\"More\" : false\n\"Count\" : 2\n");
  EXPECT_THAT(text(reply, Format::kFields, Compat::k3_6, true),
              testing::StartsWith("\"ClusterID\" : dc50b8daae93b3e0\n\"MemberID\" : "
                                  "667880157b8812c8\n\"Revision\" : 6\n"));
  EXPECT_EQ(text(reply, Format::kProtobuf, Compat::k3_6), message.SerializeAsString());
  EXPECT_EQ(text(reply, Format::kTable, Compat::k3_6), "!table not supported as output format");
}

// However an answer is cut into pages, it looks the same.
TEST(CtlPrint, PagesOfAGetMakeOneText) {
  const auto whole = range();
  auto first = whole;
  first.mutable_kvs()->RemoveLast();
  first.set_more(true);
  auto last = whole;
  last.mutable_kvs()->DeleteSubrange(0, 1);
  for (const auto format : {Format::kSimple, Format::kFields, Format::kJson, Format::kProtobuf}) {
    EXPECT_EQ(text(GetReply{first, {.first = true, .last = false}}, format, Compat::k3_6) +
                  text(GetReply{last, {.first = false, .last = true}}, format, Compat::k3_6),
              text(GetReply{whole}, format, Compat::k3_6))
        << name_of(format);
  }
}

TEST(CtlPrint, Txn) {
  const auto message = txn();
  const TxnReply reply{message};
  EXPECT_EQ(text(reply, Format::kSimple, Compat::k3_6), "SUCCESS\n\nOK\n\na\nb\n\n0\n");
  const std::string header =
      R"({"header":{"cluster_id":15875391935852295136,"member_id":7383792418829112008,)"
      R"("revision":6,"raft_term":2},"succeeded":true,"responses":[)";
  EXPECT_EQ(text(reply, Format::kJson, Compat::k3_4),
            header + R"({"Response":{"ResponsePut":{"header":{"revision":6}}}},)"
                     R"({"Response":{"ResponseRange":{"header":{"revision":6},"kvs":[)"
                     R"({"key":"YQ==","create_revision":2,"mod_revision":3,"version":2,)"
                     R"("value":"Yg=="}],"count":1}}},)"
                     R"({"Response":{"ResponseDeleteRange":{"header":{"revision":6}}}}]})"
                     "\n");
  EXPECT_THAT(text(reply, Format::kJson, Compat::k3_5),
              testing::StartsWith(header + R"({"Response":{"response_put":{"header":)"));
  EXPECT_THAT(text(reply, Format::kFields, Compat::k3_5),
              testing::HasSubstr("\"Succeeded\" : true\n\"ClusterID\" : 0\n\"MemberID\" : 0\n"
                                 "\"Revision\" : 6\n\"RaftTerm\" : 0\n\"ClusterID\" : 0\n"));
}

TEST(CtlPrint, Watch) {
  auto message = with_header<wire::WatchResponse>();
  message.set_watch_id(7);
  auto& event = *message.add_events();
  event.set_type(wire::Event::DELETE);
  event.mutable_kv()->set_key("a");
  event.mutable_kv()->set_mod_revision(6);
  set_pair(*event.mutable_prev_kv(), "a", "b");
  const WatchReply reply{message};
  EXPECT_EQ(text(reply, Format::kSimple, Compat::k3_6), "DELETE\na\nb\na\n\n");
  EXPECT_EQ(text(reply, Format::kJson, Compat::k3_6),
            R"({"Header":{"cluster_id":15875391935852295136,"member_id":7383792418829112008,)"
            R"("revision":6,"raft_term":2},"Events":[{"type":1,"kv":{"key":"YQ==",)"
            R"("mod_revision":6},"prev_kv":{"key":"YQ==","create_revision":2,"mod_revision":3,)"
            R"("version":2,"value":"Yg=="}}],"CompactRevision":0,"Canceled":false,)"
            R"("Created":false})"
            "\n");
  EXPECT_THAT(text(reply, Format::kJson, Compat::k3_7), testing::EndsWith(R"("CancelReason":""})"
                                                                          "\n"));
}

TEST(CtlPrint, Leases) {
  auto grant = with_header<wire::LeaseGrantResponse>();
  grant.set_id(0x1234);
  grant.set_ttl(10);
  const GrantReply reply{grant};
  EXPECT_EQ(text(reply, Format::kSimple, Compat::k3_6),
            "lease 0000000000001234 granted with TTL(10s)\n");
  EXPECT_THAT(text(reply, Format::kJson, Compat::k3_6),
              testing::EndsWith(R"(,"raft_term":2,"ID":4660,"TTL":10,"Error":""})"
                                "\n"));
  EXPECT_EQ(text(reply, Format::kProtobuf, Compat::k3_6), grant.header().SerializeAsString());

  auto live = with_header<wire::LeaseTimeToLiveResponse>();
  live.set_id(0x1234);
  live.set_ttl(-1);
  EXPECT_EQ(text(TimeToLiveReply{live}, Format::kSimple, Compat::k3_6),
            "lease 0000000000001234 already expired\n");
  EXPECT_THAT(text(TimeToLiveReply{live}, Format::kJson, Compat::k3_6),
              testing::EndsWith(R"("id":4660,"ttl":-1,"granted-ttl":0,"keys":null})"
                                "\n"));
  live.set_ttl(5);
  live.set_granted_ttl(10);
  live.add_keys("a");
  live.add_keys("b");
  EXPECT_EQ(text(TimeToLiveReply{live, true}, Format::kSimple, Compat::k3_6),
            "lease 0000000000001234 granted with TTL(10s), remaining(5s), attached keys([a b])\n");
  EXPECT_THAT(text(TimeToLiveReply{live, true}, Format::kJson, Compat::k3_6),
              testing::EndsWith(R"("keys":["YQ==","Yg=="]})"
                                "\n"));

  const auto none = with_header<wire::LeaseLeasesResponse>();
  EXPECT_EQ(text(LeasesReply{none}, Format::kSimple, Compat::k3_6), "found 0 leases\n");
  EXPECT_THAT(text(LeasesReply{none}, Format::kJson, Compat::k3_6),
              testing::EndsWith(R"("leases":[]})"
                                "\n"));
  const auto gone = with_header<wire::HeaderResponse>();
  EXPECT_EQ(text(lease_revoked(gone, 0x12), Format::kSimple, Compat::k3_6),
            "lease 0000000000000012 revoked\n");
  EXPECT_EQ(text(lease_revoked(gone, 0x12), Format::kProtobuf, Compat::k3_6),
            "!protobuf not supported as output format");
}

TEST(CtlPrint, Members) {
  const auto message = members();
  const MemberListReply reply{message};
  EXPECT_EQ(text(reply, Format::kSimple, Compat::k3_6),
            "667880157b8812c8, started, default, http://127.0.0.1:42380, http://127.0.0.1:42379, "
            "false\n");
  const std::string plain =
      R"({"header":{"cluster_id":15875391935852295136,"member_id":7383792418829112008,)"
      R"("raft_term":2},"members":[{"ID":7383792418829112008,"name":"default",)"
      R"("peerURLs":["http://127.0.0.1:42380"],"clientURLs":["http://127.0.0.1:42379"]}]})"
      "\n";
  const std::string hex =
      R"({"header":{"cluster_id":"dc50b8daae93b3e0","member_id":"667880157b8812c8",)"
      R"("raft_term":2},"members":[{"ID":"667880157b8812c8","name":"default",)"
      R"("peerURLs":["http://127.0.0.1:42380"],"clientURL)";
  EXPECT_EQ(text(reply, Format::kJson, Compat::k3_6), plain);
  EXPECT_EQ(text(reply, Format::kJson, Compat::k3_4, true), plain);
  EXPECT_EQ(text(reply, Format::kJson, Compat::k3_5, true),
            hex + "S\":[\"http://127.0.0.1:42379\"]}]}\n");
  EXPECT_EQ(text(reply, Format::kJson, Compat::k3_6, true),
            hex + "s\":[\"http://127.0.0.1:42379\"]}]}\n");
  EXPECT_EQ(text(reply, Format::kJson, Compat::k3_7, true),
            hex + "s\":[\"http://127.0.0.1:42379\"]}]}\n");
  EXPECT_EQ(text(MemberChangeReply{message, 0x12, "removed from"}, Format::kSimple, Compat::k3_6),
            "Member               12 removed from cluster dc50b8daae93b3e0\n");
  auto added = with_header<wire::MemberAddResponse>(0);
  added.mutable_member()->set_id(0x12);
  added.mutable_member()->set_is_learner(true);
  EXPECT_EQ(text(MemberAddReply{added}, Format::kSimple, Compat::k3_5),
            "Member               12 added to cluster dc50b8daae93b3e0\n");
  EXPECT_EQ(text(MemberAddReply{added}, Format::kSimple, Compat::k3_6),
            "Member               12 added as learner to cluster dc50b8daae93b3e0\n");
}

TEST(CtlPrint, EndpointStatus) {
  const auto message = status();
  const StatusRow row{"127.0.0.1:1", &message};
  const StatusReply reply{&row, 1};
  EXPECT_EQ(text(reply, Format::kSimple, Compat::k3_5),
            "127.0.0.1:1, 667880157b8812c8, 3.6.1, 20 kB, true, false, 2, 15, 14, no leader, x\n");
  EXPECT_EQ(text(reply, Format::kSimple, Compat::k3_6),
            "127.0.0.1:1, 667880157b8812c8, 3.6.1, 3.6.0, 20 kB, 16 kB, 20%, 2.1 GB, true, false, "
            "2, 15, 14, no leader, x, , false\n");
  const std::string json =
      R"([{"Endpoint":"127.0.0.1:1","Status":{"header":{"cluster_id":15875391935852295136,)"
      R"("member_id":7383792418829112008,"revision":3,"raft_term":2},"version":"3.6.1",)"
      R"("dbSize":20480,"leader":7383792418829112008,"raftIndex":15,"raftTerm":2,)"
      R"("raftAppliedIndex":14,"errors":["no leader","x"],"dbSizeInUse":16384)";
  EXPECT_EQ(text(reply, Format::kJson, Compat::k3_5), json + "}}]\n");
  EXPECT_EQ(text(reply, Format::kJson, Compat::k3_6),
            json + R"(,"storageVersion":"3.6.0","dbSizeQuota":2147483648,"downgradeInfo":{}}}])"
                   "\n");
  EXPECT_EQ(text(StatusReply{}, Format::kJson, Compat::k3_6), "null\n");
  EXPECT_THAT(text(reply, Format::kFields, Compat::k3_5),
              testing::EndsWith("\"Errors\" : [no leader x]\n\"Endpoint\" : \"127.0.0.1:1\"\n\n"));
  EXPECT_THAT(text(reply, Format::kTable, Compat::k3_7),
              testing::HasSubstr("│ 667880157b8812c8 │"));
}

TEST(CtlPrint, EndpointHealth) {
  const std::array rows = {HealthRow{"a:1", true, std::chrono::microseconds(1420), ""},
                           HealthRow{"b:1", false, {}, "refused"}};
  const HealthReply reply(rows);
  EXPECT_EQ(text(reply, Format::kSimple, Compat::k3_5),
            "a:1 is healthy: successfully committed proposal: took = 1.42ms\n"
            "E:b:1 is unhealthy: failed to commit proposal: refused\n");
  EXPECT_EQ(text(reply, Format::kJson, Compat::k3_6),
            R"([{"endpoint":"a:1","health":true,"took":"1.42ms"},)"
            R"({"endpoint":"b:1","health":false,"took":"","error":"refused"}])"
            "\n");
}

TEST(CtlPrint, Roles) {
  auto message = with_header<wire::AuthRoleGetResponse>();
  const auto permit = [&message](wire::Permission::Type type, std::string key, std::string end) {
    auto& permission = *message.add_perm();
    permission.set_type(type);
    permission.set_key(std::move(key));
    permission.set_range_end(std::move(end));
  };
  permit(wire::Permission::READ, "a", "");
  permit(wire::Permission::READWRITE, "foo", "fop");
  permit(wire::Permission::WRITE, "", std::string(1, '\0'));
  const RoleGetReply reply{message, "r"};
  const std::string common =
      "Role r\nKV Read:\n\ta\n\t[foo, fop) (prefix foo)\nKV Write:\n"
      "\t[foo, fop) (prefix foo)\n\t[, <open ended>";
  EXPECT_EQ(text(reply, Format::kSimple, Compat::k3_6), common + "\n");
  EXPECT_EQ(text(reply, Format::kSimple, Compat::k3_5), common + " (prefix )\n");
  EXPECT_THAT(text(reply, Format::kFields, Compat::k3_6),
              testing::HasSubstr("\"PermType\" :  READ\n\"Key\" : \"a\"\n\"RangeEnd\" : \"\"\n"));
  EXPECT_THAT(text(reply, Format::kJson, Compat::k3_6),
              testing::HasSubstr(R"("perm":[{"key":"YQ=="},{"permType":2,"key":"Zm9v",)"));
  const auto nothing = with_header<wire::AuthRoleGetResponse>();
  EXPECT_EQ(text(RoleGetReply{nothing, "root"}, Format::kSimple, Compat::k3_6),
            "Role root\nKV Read:\n\t[, <open ended>\nKV Write:\n\t[, <open ended>\n");
  EXPECT_EQ(text(RoleGetReply{nothing, "root"}, Format::kSimple, Compat::k3_5),
            "Role root\nKV Read:\nKV Write:\n");
  const auto done = with_header<wire::HeaderResponse>();
  EXPECT_EQ(text(permission_revoked(done, "r", "a", ""), Format::kSimple, Compat::k3_6),
            "Permission of key a is revoked from role r\n");
  EXPECT_EQ(text(permission_revoked(done, "r", "a", "b"), Format::kSimple, Compat::k3_6),
            "Permission of range [a, b) is revoked from role r\n");
  EXPECT_EQ(
      text(permission_revoked(done, "r", "a", std::string(1, '\0')), Format::kSimple, Compat::k3_6),
      "Permission of range [a, <open ended> is revoked from role r\n");
}

TEST(CtlPrint, Alarms) {
  auto message = with_header<wire::AlarmResponse>();
  auto& alarm = *message.add_alarms();
  alarm.set_member_id(kMember);
  alarm.set_alarm(wire::NOSPACE);
  const AlarmReply reply{message};
  EXPECT_EQ(text(reply, Format::kSimple, Compat::k3_6),
            "memberID:7383792418829112008 alarm:NOSPACE \n");
  EXPECT_THAT(text(reply, Format::kJson, Compat::k3_6),
              testing::EndsWith(R"("alarms":[{"memberID":7383792418829112008,"alarm":1}]})"
                                "\n"));
  EXPECT_THAT(text(reply, Format::kFields, Compat::k3_6),
              testing::EndsWith("\"MemberID\" : 7383792418829112008\n\"AlarmType\" : NOSPACE\n\n"));
}

TEST(CtlPrint, SecretsAreNotShown) {
  auto message = range();
  message.mutable_kvs(0)->set_key("/registry/secrets/kube-system/token");
  std::string out;
  const ReplyPrinter::Sinks sinks{[&out](std::string_view text) {
                                    out += text;
                                    return true;
                                  },
                                  [](std::string_view) { return true; }};
  ReplyPrinter printer(Output{}, sinks);
  printer.get(message, RangePart{});
  printer.flush();
  EXPECT_EQ(out, "/registry/secrets/kube-system/token\n<redacted: 1 bytes>\nk\xff\n<\n>\n");
  out.clear();
  ReplyPrinter open(Output{.show_secrets = true}, sinks);
  open.get(message, RangePart{});
  open.flush();
  EXPECT_EQ(out, "/registry/secrets/kube-system/token\nb\nk\xff\n<\n>\n");
}

TEST(CtlPrint, GoneOutputIsTold) {
  ReplyPrinter printer(
      Output{}, {[](std::string_view) { return false; }, [](std::string_view) { return true; }});
  printer.line("x");
  EXPECT_FALSE(printer.flush());
  EXPECT_FALSE(printer.flush());
}

}  // namespace
}  // namespace etcdmon::app::cli::ctl
