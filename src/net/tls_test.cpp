#include "net/tls.hpp"

#include <csignal>
#include <sys/socket.h>

#include <boost/asio/ip/tcp.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "async/task_scope.hpp"
#include "net/detail/tls_context.hpp"
#include "net/stream.hpp"
#include "net/testing/loop.hpp"
#include "net/testing/tls_peer.hpp"

namespace etcdmon::net {
namespace {

using namespace std::chrono_literals;
using ::testing::AllOf;
using testing::Authority;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using testing::IdentityOptions;
using testing::in;
using testing::run;
using testing::TempFolder;
using testing::TlsPeer;

std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

// What a connection came to: the error of connecting, or of the first read.
struct Outcome {
  Error error{ErrorCode::kOk, "", Cause::kNone};
  std::string text;
  std::vector<Certificate> certificates;
};

Task<Outcome> say_hello(Loop& loop, ConnectOptions options, Deadline deadline) {
  Resolver resolver(loop.get_executor());
  options.certificates_shown = std::make_shared<std::vector<Certificate>>();
  Outcome outcome;
  auto stream = co_await Stream::connect(resolver, options, deadline);
  outcome.certificates = *options.certificates_shown;
  if (!stream) {
    outcome.error = stream.error();
    co_return outcome;
  }
  EXPECT_TRUE((*stream)->is_tls());
  EXPECT_EQ((*stream)->peer_certificates().size(), outcome.certificates.size());
  std::array<std::byte, 64> buffer;
  const auto count = co_await (*stream)->read_some(buffer);
  if (!count) {
    outcome.error = count.error();
  } else {
    outcome.text.assign(reinterpret_cast<const char*>(buffer.data()), *count);
  }
  co_return outcome;
}

class Tls : public ::testing::Test {
 protected:
  TlsOptions trusting(const Authority& authority) {
    return {.ca_file = folder_.write("ca.pem", authority.pem())};
  }
  TlsOptions with_identity(TlsOptions options, const testing::Identity& identity) {
    options.cert_file = folder_.write("client.pem", identity.cert_pem);
    options.key_file = folder_.write("client.key", identity.key_pem);
    return options;
  }
  static std::shared_ptr<TlsContext> context(TlsOptions options) {
    auto made = TlsContext::client(std::move(options));
    EXPECT_TRUE(made) << made.error().message;
    return made ? *made : nullptr;
  }
  Outcome hello(const std::shared_ptr<TlsContext>& tls, std::uint16_t port,
                std::string host = "127.0.0.1") {
    return run(loop_, say_hello(loop_,
                                {.endpoint = {.tls = true, .host = std::move(host), .port = port},
                                 .tls = tls},
                                in(5s)));
  }

  Loop loop_;
  TempFolder folder_;
  Authority authority_{"the CA"};
};

TEST_F(Tls, ConnectsAndShowsTheCertificate) {
  const TlsPeer peer({.identity = authority_.issue({.name = "etcd-1"})});
  const auto outcome = hello(context(trusting(authority_)), peer.port());
  EXPECT_EQ(outcome.text, "hello") << outcome.error.message;
  ASSERT_EQ(outcome.certificates.size(), 1U);
  EXPECT_EQ(outcome.certificates[0].subject, "CN=etcd-1");
  EXPECT_EQ(outcome.certificates[0].issuer, "CN=the CA");
  EXPECT_THAT(outcome.certificates[0].names, ElementsAre("localhost", "127.0.0.1"));
  const auto left = outcome.certificates[0].not_after - std::chrono::system_clock::now();
  EXPECT_GT(left, 50min);
  EXPECT_LT(left, 70min);
}

TEST_F(Tls, ChecksNamesToo) {
  const TlsPeer peer({.identity = authority_.issue()});
  EXPECT_EQ(hello(context(trusting(authority_)), peer.port(), "localhost").text, "hello");
}

struct Refusal {
  const char* name;
  IdentityOptions identity;
  const char* message;
  friend std::ostream& operator<<(std::ostream& os, const Refusal& c) { return os << c.name; }
};

class TlsRefuses : public Tls, public ::testing::WithParamInterface<Refusal> {};

TEST_P(TlsRefuses, WithAReason) {
  for (const bool tls12 : {false, true}) {
    const TlsPeer peer({.identity = authority_.issue(GetParam().identity), .tls12_only = tls12});
    const auto outcome = hello(context(trusting(authority_)), peer.port());
    EXPECT_EQ(outcome.error.cause, Cause::kTls);
    EXPECT_EQ(outcome.error.code, ErrorCode::kUnavailable);
    EXPECT_THAT(outcome.error.message,
                AllOf(HasSubstr("connect 127.0.0.1:"), HasSubstr(GetParam().message)));
    EXPECT_EQ(outcome.certificates.size(), 1U);
  }
}

INSTANTIATE_TEST_SUITE_P(
    Table, TlsRefuses,
    ::testing::Values(
        Refusal{"Expired", {.begins = -48h, .ends = -24h}, "(CN=etcd) expired on 20"},
        Refusal{"NotYetValid", {.begins = 24h, .ends = 48h}, "is valid only from 20"},
        Refusal{"WrongName",
                {.names = {"DNS:etcd-2.example", "IP:10.0.0.2"}},
                "is not for 127.0.0.1; it is for etcd-2.example, 10.0.0.2"},
        Refusal{"NoName", {.name = "127.0.0.1", .names = {}}, "it is for no name at all"},
        Refusal{"ForClientsOnly", {.usage = "clientAuth"}, "may not be used by a server"}),
    ::testing::PrintToStringParamName());

TEST_F(Tls, AnUnknownAuthorityIsNamed) {
  const Authority other("another CA");
  const TlsPeer peer({.identity = authority_.issue()});
  const auto outcome = hello(context(trusting(other)), peer.port());
  EXPECT_EQ(outcome.error.cause, Cause::kTls);
  EXPECT_THAT(outcome.error.message,
              AllOf(HasSubstr("signed by an unknown authority (CN=the CA)"), HasSubstr("ca.pem")));
}

TEST_F(Tls, SkippingVerificationTakesAnything) {
  const TlsPeer peer({.identity = authority_.issue({.names = {}, .begins = -48h, .ends = -24h})});
  const auto outcome = hello(context({.insecure_skip_verify = true}), peer.port());
  EXPECT_EQ(outcome.text, "hello") << outcome.error.message;
  EXPECT_EQ(outcome.certificates.size(), 1U);
}

TEST_F(Tls, AnotherServerNameCanBeAskedFor) {
  const TlsPeer peer({.identity = authority_.issue({.names = {"DNS:etcd.example"}})});
  auto options = trusting(authority_);
  options.server_name = "etcd.example";
  EXPECT_EQ(hello(context(options), peer.port()).text, "hello");
  options.server_name = "other.example";
  EXPECT_THAT(hello(context(options), peer.port()).error.message,
              HasSubstr("is not for other.example; it is for etcd.example"));
}

TEST_F(Tls, AMissingClientCertificateIsExplained) {
  for (const bool tls12 : {false, true}) {
    const TlsPeer peer(
        {.identity = authority_.issue(), .client_ca = authority_.pem(), .tls12_only = tls12});
    const auto outcome = hello(context(trusting(authority_)), peer.port());
    EXPECT_EQ(outcome.error.cause, Cause::kTls) << outcome.error.message;
    EXPECT_THAT(outcome.error.message, HasSubstr("client certificate"));
  }
}

TEST_F(Tls, AForeignClientCertificateIsExplained) {
  const Authority other("another CA");
  const TlsPeer peer({.identity = authority_.issue(), .client_ca = authority_.pem()});
  const auto tls = context(with_identity(trusting(authority_), other.issue({.name = "monitor"})));
  EXPECT_THAT(hello(tls, peer.port()).error.message,
              HasSubstr("the server rejected our client certificate (CN=monitor): it does not know "
                        "the authority that signed it"));
}

TEST_F(Tls, AnExpiredClientCertificateIsExplained) {
  const TlsPeer peer({.identity = authority_.issue(), .client_ca = authority_.pem()});
  const auto tls = context(with_identity(
      trusting(authority_), authority_.issue({.name = "monitor", .begins = -48h, .ends = -24h})));
  EXPECT_THAT(hello(tls, peer.port()).error.message,
              HasSubstr("our client certificate (CN=monitor), which expired on 20"));
}

TEST_F(Tls, ClientCertificatesWork) {
  const TlsPeer peer({.identity = authority_.issue(), .client_ca = authority_.pem()});
  const auto tls =
      context(with_identity(trusting(authority_), authority_.issue({.name = "monitor"})));
  EXPECT_EQ(hello(tls, peer.port()).text, "hello");
  ASSERT_NE(tls->own_certificate(), nullptr);
  EXPECT_EQ(tls->own_certificate()->subject, "CN=monitor");
}

TEST_F(Tls, OldVersionsAreRefused) {
  const TlsPeer peer({.identity = authority_.issue(), .tls11_only = true});
  const auto outcome = hello(context(trusting(authority_)), peer.port());
  EXPECT_EQ(outcome.error.cause, Cause::kTls);
  EXPECT_THAT(outcome.error.message, HasSubstr("neither TLS 1.2 nor TLS 1.3"));
}

TEST_F(Tls, SessionsAreResumedAndShared) {
  for (const bool tls12 : {false, true}) {
    const TlsPeer peer({.identity = authority_.issue(), .tls12_only = tls12});
    const auto tls = context(trusting(authority_));
    for (int i = 0; i < 3; ++i) {
      const auto outcome = hello(tls, peer.port());
      EXPECT_EQ(outcome.text, "hello");
      EXPECT_EQ(outcome.certificates.size(), 1U);
    }
    EXPECT_EQ(peer.handshakes(), 3);
    EXPECT_EQ(peer.resumed(), 2);
  }
}

TEST_F(Tls, AlpnIsOfferedAndHeld) {
  const TlsPeer h2({.identity = authority_.issue(), .alpn = "h2"});
  const TlsPeer none({.identity = authority_.issue()});
  const TlsPeer other({.identity = authority_.issue(), .alpn = "http/1.1"});
  const auto tls = context(trusting(authority_));
  std::vector<std::string> outcomes;
  for (const auto* peer : {&h2, &none, &other}) {
    const ConnectOptions options{
        .endpoint = {.tls = true, .host = "127.0.0.1", .port = peer->port()},
        .tls = tls,
        .alpn = {"h2"},
        .alpn_required = true};
    const auto outcome = run(loop_, say_hello(loop_, options, in(5s)));
    outcomes.push_back(outcome.text + outcome.error.message);
  }
  EXPECT_THAT(outcomes, ElementsAre("hello", EndsWith("TLS: the peer does not speak h2"),
                                    EndsWith("TLS: the peer does not speak h2")));
}

// Rotation: nothing is read again within a second, so the files are looked at by hand.
TEST_F(Tls, ChangedFilesAreTaken) {
  const TlsPeer peer({.identity = authority_.issue(), .client_ca = authority_.pem()});
  const auto options = with_identity(trusting(authority_), authority_.issue({.name = "first"}));
  const auto made = detail::OpensslContext::make(options);
  ASSERT_TRUE(made);
  const auto& tls = *made;
  EXPECT_EQ(hello(tls, peer.port()).text, "hello");
  const auto generation = tls->generation();

  const auto second = authority_.issue({.name = "second"});
  folder_.write("client.pem", second.cert_pem);
  auto now = std::chrono::steady_clock::now() + 2s;
  tls->refresh(now);
  EXPECT_THAT(tls->reload_error(), HasSubstr("does not belong to the certificate"));
  EXPECT_EQ(tls->own_certificate()->subject, "CN=first");
  EXPECT_EQ(hello(tls, peer.port()).text, "hello");

  folder_.write("client.key", second.key_pem);
  tls->refresh(now + 500ms);
  EXPECT_EQ(tls->own_certificate()->subject, "CN=first");
  tls->refresh(now + 1s);
  EXPECT_EQ(tls->reload_error(), "");
  EXPECT_EQ(tls->own_certificate()->subject, "CN=second");
  EXPECT_EQ(tls->generation(), generation + 1);
  EXPECT_EQ(hello(tls, peer.port()).text, "hello");
  tls->refresh(now + 3s);
  EXPECT_EQ(tls->generation(), generation + 1);
}

struct BadFile {
  const char* name;
  std::function<void(TlsOptions&, const TempFolder&, const Authority&)> spoil;
  const char* message;
  friend std::ostream& operator<<(std::ostream& os, const BadFile& c) { return os << c.name; }
};

class TlsFiles : public Tls, public ::testing::WithParamInterface<BadFile> {};

TEST_P(TlsFiles, AreRefusedByName) {
  auto options = with_identity(trusting(authority_), authority_.issue());
  GetParam().spoil(options, folder_, authority_);
  const auto made = TlsContext::client(options);
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, ErrorCode::kInvalidArgument);
  EXPECT_THAT(made.error().message, HasSubstr(GetParam().message));
}

INSTANTIATE_TEST_SUITE_P(
    Table, TlsFiles,
    ::testing::Values(
        BadFile{"NoCa", [](auto& o, auto& f, auto&) { o.ca_file = f.path("gone.pem"); },
                "gone.pem: No such file or directory"},
        BadFile{"CaIsNoPem", [](auto&, auto& f, auto&) { f.write("ca.pem", "hello\n"); },
                "ca.pem: there is no PEM certificate in it"},
        BadFile{"CaIsAFolder", [](auto& o, auto& f, auto&) { o.ca_file = f.path("."); },
                "it is not a file"},
        BadFile{"CaIsCut",
                [](auto&, auto& f, auto& a) { f.write("ca.pem", a.pem().substr(0, 300)); },
                "ca.pem: a certificate in it is damaged"},
        BadFile{"CertIsNoPem", [](auto&, auto& f, auto&) { f.write("client.pem", ""); },
                "client.pem: there is no PEM certificate in it"},
        BadFile{"KeyIsNoPem", [](auto&, auto& f, auto&) { f.write("client.key", "x"); },
                "client.key: there is no PEM private key in it"},
        BadFile{"KeyOfAnother",
                [](auto&, auto& f, auto& a) { f.write("client.key", a.issue().key_pem); },
                "client.key: it does not belong to the certificate"},
        BadFile{"CertAlone", [](auto& o, auto&, auto&) { o.key_file.clear(); },
                "the key that belongs to it is not given"},
        BadFile{"KeyAlone", [](auto& o, auto&, auto&) { o.cert_file.clear(); },
                "the certificate that belongs to it is not given"}),
    ::testing::PrintToStringParamName());

// A server that answers the ClientHello with `answer` and hangs up.
Task<> answer_once(Loop& loop, std::uint16_t& port, std::string answer) {
  asio::basic_socket_acceptor<asio::ip::tcp, Executor> acceptor(
      loop.get_executor(), {asio::ip::make_address("127.0.0.1"), 0});
  port = acceptor.local_endpoint().port();
  auto socket = co_await acceptor.async_accept(use_task);
  const auto stream = Stream::adopt(std::move(socket));
  std::array<std::byte, 4096> buffer;
  const auto count = co_await stream->read_some(buffer);
  EXPECT_TRUE(count);
  if (answer.empty()) co_return;
  const auto sent = co_await stream->write_all(bytes_of(answer));
  EXPECT_TRUE(sent);
}

Task<Outcome> talk_to(Loop& loop, std::shared_ptr<TlsContext> tls, std::string answer) {
  async::TaskScope scope(loop.get_executor(), Logger{});
  std::uint16_t port = 0;
  scope.spawn("server", answer_once(loop, port, std::move(answer)));
  co_await async::yield();
  ConnectOptions options{.endpoint = {.tls = true, .host = "127.0.0.1", .port = port},
                         .tls = std::move(tls)};
  auto outcome = co_await say_hello(loop, std::move(options), in(5s));
  co_await scope.close();
  co_return outcome;
}

TEST_F(Tls, PlainHttpOnTheOtherSideIsRecognised) {
  const auto tls = context(trusting(authority_));
  auto error = run(loop_, talk_to(loop_, tls, "HTTP/1.1 400 Bad Request\r\n\r\n")).error;
  EXPECT_EQ(error.cause, Cause::kTls);
  EXPECT_THAT(error.message, EndsWith("TLS: the peer does not speak TLS (is it plain http?)"));

  error = run(loop_, talk_to(loop_, tls, "")).error;
  EXPECT_THAT(error.message, HasSubstr("the peer hung up instead of answering"));
}

Task<Outcome> talk_to_silence(Loop& loop, std::shared_ptr<TlsContext> tls) {
  const asio::basic_socket_acceptor<asio::ip::tcp, Executor> acceptor(
      loop.get_executor(), {asio::ip::make_address("127.0.0.1"), 0});
  const auto port = acceptor.local_endpoint().port();
  ConnectOptions options{.endpoint = {.tls = true, .host = "127.0.0.1", .port = port},
                         .tls = std::move(tls)};
  co_return co_await say_hello(loop, std::move(options), in(50ms));
}

TEST_F(Tls, ASilentHandshakeEndsAtTheDeadline) {
  const auto error = run(loop_, talk_to_silence(loop_, context(trusting(authority_)))).error;
  EXPECT_EQ(error.code, ErrorCode::kDeadlineExceeded);
  EXPECT_EQ(error.cause, Cause::kTimeout);
  EXPECT_THAT(error.message, EndsWith("no answer to the handshake in time"));
}

Task<> write_then_close(Stream& stream, std::string text, std::string& told) {
  const auto sent = co_await stream.write_all(bytes_of(text));
  if (!sent) told = sent.error().message;
}

Task<std::string> echo_much(Loop& loop, ConnectOptions options, std::string text) {
  Resolver resolver(loop.get_executor());
  auto stream = co_await Stream::connect(resolver, std::move(options), in(5s));
  if (!stream) co_return stream.error().message;
  async::TaskScope scope(loop.get_executor(), Logger{});
  std::string told;
  scope.spawn("writer", write_then_close(**stream, text, told));
  std::string got;
  std::vector<std::byte> buffer(50'000);
  while (got.size() < text.size() + 5) {
    const auto count = co_await (*stream)->read_some(buffer);
    if (!count || *count == 0) break;
    got.append(reinterpret_cast<const char*>(buffer.data()), *count);
  }
  co_await scope.close();
  co_return told + got;
}

TEST_F(Tls, MovesMoreThanAnyBuffer) {
  const TlsPeer peer({.identity = authority_.issue()});
  std::string text(4U << 20U, 'x');
  for (std::size_t i = 0; i < text.size(); i += 997) text[i] = static_cast<char>('a' + i % 26);
  const ConnectOptions options{.endpoint = {.tls = true, .host = "127.0.0.1", .port = peer.port()},
                               .tls = context(trusting(authority_))};
  EXPECT_TRUE(run(loop_, echo_much(loop_, options, text)) == "hello" + text);
}

}  // namespace
}  // namespace etcdmon::net
