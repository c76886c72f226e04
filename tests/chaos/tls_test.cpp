// Certificates that are right, change, run out, or are not what they should be.
#include <algorithm>
#include <memory>
#include <thread>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "chaos/versions.hpp"
#include "kit/certificates.hpp"
#include "kit/etcd_cluster.hpp"
#include "kit/tcp_gate.hpp"
#include "kit/temp_dir.hpp"
#include "kit/watched.hpp"

namespace etcdmon {
namespace {

using namespace std::chrono_literals;
using kit::all_well;
using kit::both;
using kit::CertificateAuthority;
using kit::EtcdCluster;
using kit::has;
using kit::healthy;
using kit::LocalEtcd;
using kit::no;
using kit::TcpGate;
using kit::Watched;
using model::Check;
using testing::HasSubstr;
using testing::IsEmpty;
using ClientAuth = CertificateAuthority::ClientAuth;

constexpr std::chrono::hours kDay{24};

const model::Verdict* find(const model::ClusterView& view, Check check, std::string_view subject) {
  const auto& verdicts = view.assessment.verdicts;
  const auto found = std::ranges::find_if(verdicts, [&](const model::Verdict& verdict) {
    return verdict.check == check && verdict.subject == subject;
  });
  return found == verdicts.end() ? nullptr : &*found;
}

class Tls : public testing::TestWithParam<kit::EtcdVersion> {
 protected:
  EtcdCluster::Options options(ClientAuth client_auth) {
    return {.version = GetParam(), .tls = authority_.etcd_tls(client_auth)};
  }
  Watched::Options watch(std::vector<std::string> endpoints, net::TlsOptions tls) const {
    return {.endpoints = std::move(endpoints),
            .adjust = [tls = std::move(tls)](app::ClusterOptions& made) {
              auto context = net::TlsContext::client(tls);
              if (!context) throw std::runtime_error(context.error().message);
              made.collect.tls = *context;
            }};
  }
  net::TlsOptions trusting() const { return {.ca_file = authority_.ca()}; }
  net::TlsOptions showing(const CertificateAuthority::Files& files) const {
    return {.ca_file = authority_.ca(), .cert_file = files.cert, .key_file = files.key};
  }

  kit::TempDir dir_;
  CertificateAuthority authority_{dir_.path()};
};

TEST_P(Tls, IsAsGoodAsPlain) {
  const EtcdCluster cluster(options(ClientAuth::kNo));
  Watched watched(watch({cluster.endpoint(0)}, trusting()));
  watched.until(all_well(3), 10s, "three members, all well");
  watched.stays(all_well(3), 6s, "stays so");
  EXPECT_THAT(watched.said(), IsEmpty()) << watched.story();
  EXPECT_THAT(watched.errors_logged(), IsEmpty());
  for (const auto& member : watched.view()->observation.members) {
    EXPECT_THAT(member.certificates, testing::Not(IsEmpty()));
    EXPECT_TRUE(member.metrics) << "/metrics came over TLS too";
  }
}

TEST_P(Tls, WithClientCertificatesToo) {
  const EtcdCluster cluster(options(ClientAuth::kRequired));
  Watched watched(watch({cluster.endpoint(0)}, showing(authority_.client("monitor"))));
  watched.until(all_well(3), 10s, "three members, all well");
  watched.stays(all_well(3), 6s, "stays so");
  EXPECT_THAT(watched.said(), IsEmpty()) << watched.story();
  EXPECT_THAT(watched.errors_logged(), IsEmpty());
}

TEST_P(Tls, WithoutTheClientCertificateItSaysSo) {
  const EtcdCluster cluster(options(ClientAuth::kRequired));
  Watched watched(watch(cluster.endpoints(), trusting()));
  watched.until(has(Check::kEndpointUnusable, cluster.endpoint(1)), 10s, "no way in");
  const auto view = watched.view();
  const auto* verdict = find(*view, Check::kEndpointUnusable, cluster.endpoint(1));
  EXPECT_THAT(verdict->summary + verdict->detail, HasSubstr("client certificate"));
}

TEST_P(Tls, AClientCertificateIsRotatedLive) {
  std::vector<std::unique_ptr<TcpGate>> gates;
  auto made = options(ClientAuth::kRequired);
  made.advertise_client = [&gates](const LocalEtcd::Member& member) {
    gates.push_back(std::make_unique<TcpGate>(member.client_url));
    return "https://" + gates.back()->address();
  };
  const EtcdCluster cluster(std::move(made));
  constexpr auto kLife = 9s;
  const CertificateAuthority::Request brief{
      .name = "monitor", .names = {}, .ends = kLife, .for_server = false};
  const auto files = authority_.issue(brief);
  const auto runs_out = std::chrono::steady_clock::now() + kLife;
  Watched watched(watch({"https://" + gates[0]->address()}, showing(files)));
  watched.until(has(Check::kCertificateExpiry, "our client certificate"), 5s, "soon to run out");

  auto renewed = brief;
  renewed.ends = 400 * kDay;
  authority_.renew(files, renewed);
  std::this_thread::sleep_until(runs_out + 1s);
  watched.mark();
  for (const auto& gate : gates) gate->reset_all();
  watched.until(all_well(3), 5s, "healthy with the new one");
  for (int round = 0; round < 3; ++round) {
    for (const auto& gate : gates) gate->reset_all();
    watched.stays(both(healthy(), no(has(Check::kMemberUnreachable))), 1s, "healthy");
  }
  watched.until(all_well(3), 5s, "healthy");
  EXPECT_THAT(watched.said_besides({"CertificateExpiry"}), IsEmpty()) << watched.story();
  EXPECT_THAT(watched.errors_logged(), IsEmpty());
}

// What is wrong with the certificate that the last member shows from its restart on.
struct BadCertificate {
  const char* name;
  CertificateAuthority::Request request;
  bool other_authority;
  std::vector<std::string> says;
};

TEST_P(Tls, AWrongServerCertificateIsExplained) {
  const kit::TempDir elsewhere;
  CertificateAuthority other(elsewhere.path(), "somebody else's CA");
  auto made = options(ClientAuth::kNo);
  const auto own = authority_.server();
  auto tls = *made.tls;
  tls.cert = own.cert;
  tls.key = own.key;
  made.place = [tls](std::size_t i) {
    return i == 2 ? LocalEtcd::Place{.tls = tls} : LocalEtcd::Place{};
  };
  EtcdCluster cluster(std::move(made));
  Watched watched(watch({cluster.endpoint(0)}, trusting()));
  watched.until(all_well(3), 10s, "healthy before");
  const auto name = cluster.member(2).name;
  const BadCertificate cases[] = {
      {"Expired", {.begins = -2 * kDay, .ends = -kDay}, false, {"expired on 2"}},
      {"WrongName",
       {.names = {"elsewhere.example", "10.9.8.7"}},
       false,
       {"not for 127.0.0.1", "elsewhere.example", "10.9.8.7"}},
      {"UnknownAuthority", {}, true, {"unknown authority", "somebody else's CA", authority_.ca()}},
  };
  for (const auto& [title, request, foreign, says] : cases) {
    SCOPED_TRACE(title);
    (foreign ? other : authority_).renew(own, request);
    cluster.kill(2);
    cluster.launch(2);
    watched.mark();
    const auto said_tls = [&](const model::ClusterView& view) {
      return std::ranges::any_of(view.assessment.members, [&](const auto& member) {
        return member.name == name && member.reach == model::Reach::kUnreachable &&
               member.cause == Cause::kTls;
      });
    };
    watched.until(both(said_tls, has(Check::kMemberUnreachable, name)), 10s, "unreachable (tls)");
    watched.stays(both(said_tls, no(has(Check::kQuorumLost))), 2s, "and nothing worse");
    const auto view = watched.view();
    const auto* verdict = find(*view, Check::kMemberUnreachable, name);
    ASSERT_NE(verdict, nullptr);
    for (const auto& part : says)
      EXPECT_THAT(verdict->summary + "; " + verdict->detail, HasSubstr(part));
    // Its metrics page shows the same certificate: that it has expired is said in so many words, or
    // not yet.
    const auto expiry = "CertificateExpiry " + name + " metrics url";
    for (const auto& besides : watched.said_besides({"MemberUnreachable"}))
      EXPECT_TRUE(title == std::string_view("Expired") && besides == expiry) << watched.story();

    authority_.renew(own, {});
    // The third start is worth a word, where each of them was seen.
    const auto well_again = [](const model::ClusterView& now) {
      const auto& verdicts = now.assessment.verdicts;
      return all_well(3)(now) || (verdicts.size() == 1 && verdicts[0].check == Check::kCrashLoop);
    };
    watched.until(well_again, 10s, "healthy with a good one");
  }
}

TEST_P(Tls, PlainSpokenToATlsPort) {
  const EtcdCluster cluster(options(ClientAuth::kNo));
  const auto wrong = "http" + cluster.endpoint(0).substr(5);
  Watched watched(watch({wrong}, trusting()));
  watched.until(has(Check::kEndpointUnusable, wrong), 10s, "unusable");
  const auto view = watched.view();
  const auto* verdict = find(*view, Check::kEndpointUnusable, wrong);
  EXPECT_THAT(verdict->summary + verdict->detail, HasSubstr("is it a TLS port?"));
  EXPECT_NE(view->assessment.healthy, true);

  // One good endpoint beside it: the cluster is found, and the wrong one is still named.
  Watched mixed(watch({cluster.endpoint(1), wrong}, trusting()));
  mixed.until(
      [](const auto& seen) {
        return seen.assessment.quorum.voters == 3 && seen.assessment.quorum.available == 3;
      },
      10s, "all three members");
  EXPECT_THAT(mixed.said_besides({"EndpointUnusable"}), IsEmpty()) << mixed.story();
}

TEST_P(Tls, TlsSpokenToAPlainPort) {
  const EtcdCluster cluster({.version = GetParam(), .members = 1});
  const auto wrong = "https" + cluster.endpoint(0).substr(4);
  Watched watched(watch({wrong}, trusting()));
  watched.until(has(Check::kEndpointUnusable, wrong), 10s, "unusable");
  const auto view = watched.view();
  const auto* verdict = find(*view, Check::kEndpointUnusable, wrong);
  EXPECT_THAT(verdict->summary + verdict->detail, HasSubstr("does it speak TLS?"));
}

TEST_P(Tls, ACertificateThatRunsOutIsAnnounced) {
  auto made = options(ClientAuth::kNo);
  const auto soon = authority_.issue({.ends = 20 * kDay});
  const auto very_soon = authority_.issue({.ends = 3 * kDay});
  auto tls = *made.tls;
  made.place = [tls, soon, very_soon](std::size_t i) mutable {
    if (i == 0) return LocalEtcd::Place{};
    tls.cert = (i == 1 ? soon : very_soon).cert;
    tls.key = (i == 1 ? soon : very_soon).key;
    return LocalEtcd::Place{.tls = tls};
  };
  const EtcdCluster cluster(std::move(made));
  Watched watched(watch({cluster.endpoint(0)}, trusting()));
  const auto subject = [&](std::size_t i) { return cluster.member(i).name + " client url"; };
  watched.until(
      both(has(Check::kCertificateExpiry, subject(1)), has(Check::kCertificateExpiry, subject(2))),
      15s, "both announced");
  const auto view = watched.view();
  EXPECT_EQ(find(*view, Check::kCertificateExpiry, subject(0)), nullptr);
  EXPECT_EQ(find(*view, Check::kCertificateExpiry, subject(1))->severity,
            model::Severity::kWarning);
  EXPECT_EQ(find(*view, Check::kCertificateExpiry, subject(2))->severity,
            model::Severity::kCritical);
  EXPECT_THAT(watched.said_besides({"CertificateExpiry"}), IsEmpty()) << watched.story();
}

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(Tls);
INSTANTIATE_TEST_SUITE_P(Versions, Tls, testing::ValuesIn(kit::etcd_versions()), kit::version_name);

}  // namespace
}  // namespace etcdmon
