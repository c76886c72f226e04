// Mail, through real SMTP servers with STARTTLS and logins.
#include "notify/email/email.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "integration/python_peer.hpp"
#include "kit/command.hpp"
#include "kit/loop_test.hpp"
#include "net/testing/tls_peer.hpp"
#include "notify/testing/samples.hpp"

namespace etcdmon::test {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using notify::Outcome;
using testing::HasSubstr;
using testing::Not;
using Kind = Outcome::Kind;

constexpr const char* kPassword = "s3cret-4711-abcdefghijkl";

class EmailTest : public kit::LoopTest {
 protected:
  EmailTest() : server_(loop_, "smtp_server.py", files()) {
    options_.smtp_server = "127.0.0.1";
    options_.ca_file = folder_.path("ca.pem");
    options_.from = "etcd-monitor@example.com";
    options_.to = {"ops-team@example.com", "sre-team@example.com"};
    options_.username = "monitor";
    options_.password = Secret(kPassword);
    use("starttls");
  }

  std::vector<std::string> files() {
    const net::testing::Authority authority("mail");
    const auto identity = authority.issue();
    folder_.write("ca.pem", authority.pem());
    return {folder_.write("cert.pem", identity.cert_pem),
            folder_.write("key.pem", identity.key_pem), kPassword};
  }
  void use(const std::string& server) { options_.smtp_port = server_.port(server); }
  Outcome send(const model::Notification& notification = notify::testing::firing(),
               std::chrono::milliseconds timeout = 10s) {
    const auto channel = notify::make_email(options_, services_);
    return run(channel->send(notification, std::chrono::steady_clock::now() + timeout));
  }
  json taken() {
    const auto line = run(server_.process().read_line(async::Subprocess::Output::kOut));
    return json::parse(line->value());
  }
  void expect_refused(Kind kind, int code, const std::string& why) {
    const auto outcome = send();
    EXPECT_EQ(outcome.kind, kind) << outcome.why;
    if (code != 0) {
      EXPECT_EQ(outcome.status, code);
    }
    EXPECT_THAT(outcome.why, HasSubstr(why));
    EXPECT_THAT(outcome.why, Not(HasSubstr("s3cret")));
  }

  net::testing::TempFolder folder_;
  PythonPeer server_;
  notify::EmailOptions options_;
  SystemClock clock_;
  net::Outbound outbound_{executor()};
  net::HttpClient http_{outbound_};
  net::Mailer mail_{outbound_};
  notify::Services services_{http_, mail_, executor(), clock_, "https://mon.example.com"};
};

// What Python's own mail parser makes of a message.
json read_mail(const std::string& data) {
  return json::parse(kit::must({"/usr/bin/python3", "-c", R"(
import email, email.policy, json, sys
m = email.message_from_string(sys.stdin.read(), policy=email.policy.default)
print(json.dumps({"subject": m["subject"], "to": m["to"], "from": m["from"], "id": m["message-id"],
    "references": m["references"], "date": str(m["date"].datetime), "defects": [str(d) for d in m.defects],
    "text": m.get_body(("plain",)).get_content(), "html": m.get_body(("html",)).get_content()}))
)"},
                               data));
}

TEST_F(EmailTest, ItArrivesByStartTlsWithALogin) {
  for (const auto auth :
       {notify::EmailAuth::kAuto, notify::EmailAuth::kPlain, notify::EmailAuth::kLogin}) {
    options_.auth = auth;
    const auto outcome = send();
    ASSERT_TRUE(outcome.delivered()) << outcome.why;
    const auto mail = taken();
    EXPECT_EQ(mail["user"], "monitor");
    EXPECT_EQ(mail["tls"], true);
    EXPECT_EQ(mail["from"], "etcd-monitor@example.com");
    EXPECT_EQ(mail["to"], (json{"ops-team@example.com", "sre-team@example.com"}));
  }
}

TEST_F(EmailTest, ItArrivesByImplicitTls) {
  use("implicit");
  options_.tls = notify::EmailTls::kImplicit;
  const auto outcome = send();
  ASSERT_TRUE(outcome.delivered()) << outcome.why;
  EXPECT_EQ(taken()["user"], "monitor");
}

TEST_F(EmailTest, ItSaysTheEssentialInTextAndHtmlAndThreadsByGroup) {
  auto first = notify::testing::firing();
  first.alerts.front().summary = "<b>ärger</b> & more";
  first.alerts.front().rule = "Überlast";
  ASSERT_TRUE(send(first).delivered());
  const auto told = read_mail(taken()["data"]);
  EXPECT_EQ(told["defects"], json::array());
  EXPECT_EQ(told["subject"], "CRITICAL Überlast on prod-a/infra1");
  EXPECT_THAT(told["text"].get<std::string>(), HasSubstr("<b>ärger</b> & more"));
  EXPECT_THAT(told["text"].get<std::string>(), HasSubstr("Value: 250"));
  EXPECT_THAT(told["html"].get<std::string>(), HasSubstr("&lt;b&gt;ärger&lt;/b&gt; &amp; more"));
  ASSERT_TRUE(send(notify::testing::resolved()).delivered());
  const auto over = read_mail(taken()["data"]);
  EXPECT_EQ(told["references"], over["references"]);
  EXPECT_NE(told["id"], over["id"]);
}

TEST_F(EmailTest, AServerWithoutTlsGetsNothingUnlessItIsAllowed) {
  use("bare");
  expect_refused(Kind::kRetry, 0, "does not offer STARTTLS");
  options_.tls = notify::EmailTls::kNone;
  options_.username.clear();
  EXPECT_TRUE(send().delivered());
  EXPECT_EQ(taken()["server"], "bare");
}

TEST_F(EmailTest, AStrangersCertificateIsRefused) {
  const net::testing::Authority other("somebody else");
  options_.ca_file = folder_.write("other.pem", other.pem());
  expect_refused(Kind::kRetry, 0, "certificate");
}

TEST_F(EmailTest, AWrongPasswordIsTriedAgainSinceItCanBeSetRight) {
  options_.password = Secret("s3cret-wrong");
  expect_refused(Kind::kRetry, 0, "");
}

TEST_F(EmailTest, RefusalsForNowAreTriedAgainAndThoseForGoodAreNot) {
  options_.to = {"later@example.com"};
  expect_refused(Kind::kRetry, 451, "451");
  options_.to = {"nobody@example.com"};
  expect_refused(Kind::kRejected, 550, "550");
  options_.to = {"ops-team@example.com"};
  options_.from = "spam@example.com";
  expect_refused(Kind::kRejected, 554, "554");
}

TEST_F(EmailTest, OneWrongReceiverDoesNotKeepTheOthersFromTheirMail) {
  options_.to = {"nobody@example.com", "ops-team@example.com"};
  EXPECT_TRUE(send().delivered());
  EXPECT_EQ(taken()["to"], json{"ops-team@example.com"});
}

TEST_F(EmailTest, ASilentServerCostsTheTimeoutAndNoMore) {
  use("silent");
  const auto begun = std::chrono::steady_clock::now();
  EXPECT_EQ(send(notify::testing::firing(), 400ms).kind, Kind::kRetry);
  EXPECT_LT(std::chrono::steady_clock::now() - begun, 3s);
}

TEST_F(EmailTest, AnAddressCannotSmuggleAHeaderOrACommand) {
  for (const auto* address : {"a@b.c\r\nBcc: x@y.z", "a b@c", "<a@b.c>", "a@b.c,d@e.f", "nobody"}) {
    const auto& fields = notify::EmailOptions::schema().fields();
    const auto from = std::ranges::find(fields, "from", &config::Field::name);
    ASSERT_NE(from, fields.end());
    notify::EmailOptions options;
    EXPECT_FALSE(from->take(&options, config::Node::text_of(address))) << address;
  }
}

}  // namespace
}  // namespace etcdmon::test
