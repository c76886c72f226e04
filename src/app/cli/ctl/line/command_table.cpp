#include "app/cli/ctl/line/command_table.hpp"

#include <algorithm>
#include <array>

namespace etcdmon::app::cli::ctl {

namespace {

using enum Flag::Type;

constexpr Flag toggle(std::string_view name, std::string_view doc) {
  return Flag{name, kSwitch, "false", doc};
}
constexpr Flag text(std::string_view name, std::string_view standard, std::string_view doc) {
  return Flag{name, kText, standard, doc};
}
constexpr Flag number(std::string_view name, std::string_view standard, std::string_view doc) {
  return Flag{name, kNumber, standard, doc};
}

// Of everything that changes more than one key.
constexpr Flag kYes = toggle("yes", "do it without asking");
constexpr Flag kDryRun = toggle("dry-run", "say what would be done, and do nothing");
constexpr Flag kCluster = toggle("cluster", "every member of the cluster, not only --endpoints");

constexpr std::array kGlobal = {
    text("cacert", "", "authority that signed the servers' certificates"),
    text("cert", "", "client certificate"),
    Flag{"command-timeout", kDuration, "5s", "longest wait for an answer, after the connection"},
    text("compat", "3.6", "whose etcdctl's output: 3.4, 3.5, 3.6, 3.7"),
    toggle("debug", "tell what the client does, on standard error"),
    Flag{"dial-timeout", kDuration, "2s", "longest wait for a connection"},
    Flag{"discovery-srv", kText, "", "domain whose SRV records name the endpoints", 'd'},
    text("discovery-srv-name", "", "service name of those SRV records"),
    Flag{"endpoints", kList, "127.0.0.1:2379", "members to ask, comma-separated"},
    toggle("hex", "print bytes and ids in hex"),
    Flag{"insecure-discovery", kSwitch, "true", "take SRV records of members without TLS"},
    toggle("insecure-skip-tls-verify", "do not check the servers' certificates (for tests only)"),
    Flag{"insecure-transport", kSwitch, "true", "no TLS where an endpoint does not ask for it"},
    Flag{"keepalive-time", kDuration, "2s", "idle time before a connection is probed"},
    Flag{"keepalive-timeout", kDuration, "6s", "longest wait for the answer of a probe"},
    text("key", "", "key of the client certificate"),
    number("max-recv-bytes", "0", "largest answer; 0: no limit but memory"),
    number("max-request-bytes", "0", "largest request; 0: 2 MiB"),
    text("password", "", "password of --user"),
    toggle("show-secrets", "print values below /registry/secrets/ (root only)"),
    text("user", "", "name[:password]; asks for the password where there is none"),
    Flag{"write-out", kText, "simple", "output: simple, fields, json, protobuf, table", 'w'},
};

constexpr std::array kCompaction = {
    kDryRun, toggle("physical", "wait until the old revisions are gone from the file"), kYes};
constexpr std::array kDefrag = {
    kCluster, text("data-dir", "", "a stopped member's folder, instead of a running one"), kDryRun,
    kYes};
constexpr std::array kDel = {kDryRun,
                             toggle("from-key", "every key from this one on"),
                             toggle("prefix", "every key that begins so"),
                             toggle("prev-kv", "print what was deleted"),
                             toggle("range", "the range is meant: do not wait two seconds first"),
                             kYes};
constexpr std::array kDu = {number("depth", "2", "levels below the prefix to tell apart"),
                            number("rate", "20000", "keys to read a second, at most; 0: no limit"),
                            number("top", "20", "rows to print; 0: all")};
constexpr std::array kElect = {Flag{"listen", kSwitch, "false", "only tell who leads", 'l'}};
constexpr std::array kEndpoint = {kCluster};
constexpr std::array kHashKv = {kCluster,
                                number("rev", "0", "hash up to this revision; 0: the latest")};
constexpr std::array kGet = {
    text("consistency", "l", "l: linearizable; s: serializable, without quorum"),
    toggle("count-only", "only the count (with -w fields)"),
    toggle("from-key", "every key from this one on"),
    toggle("keys-only", "without values"),
    number("limit", "0", "at most so many; 0: all"),
    number("max-create-rev", "0", "created at this revision or before"),
    number("max-mod-rev", "0", "changed last at this revision or before"),
    number("min-create-rev", "0", "created at this revision or later"),
    number("min-mod-rev", "0", "changed last at this revision or later"),
    text("order", "", "ASCEND or DESCEND"),
    toggle("prefix", "every key that begins so"),
    toggle("print-value-only", "only values (with -w simple)"),
    number("rev", "0", "as it was at this revision"),
    text("sort-by", "", "CREATE, KEY, MODIFY, VALUE or VERSION")};
constexpr std::array kKeepAlive = {toggle("once", "once, instead of until it is interrupted")};
constexpr std::array kTimeToLive = {toggle("keys", "with the keys attached to it")};
constexpr std::array kLock = {number("ttl", "10", "seconds for which it outlives us")};
constexpr std::array kMirror = {
    text("dest-cacert", "", "authority of the destination's certificates"),
    text("dest-cert", "", "client certificate for the destination"),
    Flag{"dest-insecure-transport", kSwitch, "true", "no TLS to the destination"},
    text("dest-key", "", "key of that certificate"),
    text("dest-password", "", "password of --dest-user"),
    text("dest-prefix", "", "prefix in the destination, in place of --prefix"),
    text("dest-user", "", "name[:password] at the destination"),
    Flag{"max-txn-ops", kCount, "128", "operations in a transaction"},
    toggle("no-dest-prefix", "mirror to the root of the destination"),
    text("prefix", "", "what to mirror"),
    number("rev", "0", "revision to begin after")};
constexpr std::array kMemberAdd = {kDryRun, toggle("learner", "as a learner, which does not vote"),
                                   text("peer-urls", "", "its peer URLs, comma-separated"), kYes};
constexpr std::array kMemberList = {
    text("consistency", "l", "l: linearizable; s: as this member knows it")};
constexpr std::array kMemberUpdate = {text("peer-urls", "", "its new peer URLs, comma-separated")};
constexpr std::array kAsking = {kDryRun, kYes};
constexpr std::array kPut = {toggle("ignore-lease", "keep its lease"),
                             toggle("ignore-value", "keep its value"),
                             text("lease", "0", "lease (hex) to attach it to"),
                             toggle("prev-kv", "print what it was before")};
constexpr std::array kPermission = {toggle("from-key", "every key from this one on"),
                                    toggle("prefix", "every key that begins so")};
constexpr std::array kRestore = {
    number("bump-revision", "0", "raise the revision by so much"),
    text("data-dir", "", "folder to make; NAME.etcd where it is not given"),
    text("initial-advertise-peer-urls", "http://localhost:2380", "this member's peer URLs"),
    text("initial-cluster", "", "all members: name=url,name=url"),
    text("initial-cluster-token", "etcd-cluster", "tells clusters apart"),
    toggle("mark-compacted", "the revision before it counts as compacted"),
    text("name", "default", "this member's name"),
    toggle("skip-hash-check", "take a file without its checksum (from a data folder)"),
    text("wal-dir", "", "folder of the log; within --data-dir where it is not given")};
constexpr std::array kTxn = {Flag{"interactive", kSwitch, "false", "prompt for each part", 'i'}};
constexpr std::array kUserAdd = {
    Flag{"interactive", kSwitch, "true", "ask for the password; false: read it from stdin"},
    text("new-user-password", "", "its password, seen by everybody who lists processes"),
    toggle("no-password", "only certificates log it in")};
constexpr std::array kUserGet = {toggle("detail", "with what its roles allow")};
constexpr std::array kUserPasswd = {
    Flag{"interactive", kSwitch, "true", "ask for the password; false: read it from stdin"}};
constexpr std::array kWatch = {
    Flag{"interactive", kSwitch, "false", "read `watch` lines from stdin", 'i'},
    toggle("prefix", "every key that begins so"), toggle("prev-kv", "with what it was before"),
    toggle("progress-notify", "tell the revision while nothing happens"),
    number("rev", "0", "begin at this revision")};

constexpr std::string_view kDuMore =
    "Reads every key below the prefix once, in pages, from one member without asking the quorum, "
    "and\n"
    "from a follower where --endpoints names one. Sizes are of the keys and values that exist now.";
constexpr std::string_view kGetMore =
    "With range_end: every key from <key> up to it, without it.\n\n"
    "  get foo\n  get --prefix /registry/pods/ --keys-only --limit 10\n  get --rev 100 foo";
constexpr std::string_view kPutMore =
    "Without <value> it is read from standard input. A value that begins with a dash comes after "
    "--:\n\n"
    "  put foo bar\n  put --lease 1234abcd foo bar\n  put foo < file\n  put foo -- -bar";
constexpr std::string_view kTxnMore =
    "Reads three parts from standard input, each ended by an empty line: compares, what to do\n"
    "where all of them hold, what to do otherwise.\n\n"
    "  compares   ver(\"key\") create(\"key\") mod(\"key\") val(\"key\") lease(\"key\")\n"
    "             with = != < > and a value in quotes: mod(\"foo\") > \"0\"\n"
    "  requests   get, put and del with their flags; words in 'single' or \"double\" quotes";
constexpr std::string_view kWatchMore =
    "With -- a command runs for every event, with ETCD_WATCH_REVISION, ETCD_WATCH_EVENT_TYPE,\n"
    "ETCD_WATCH_KEY and ETCD_WATCH_VALUE in its environment. ETCDCTL_WATCH_KEY and\n"
    "ETCDCTL_WATCH_RANGE_END stand in for arguments.\n\n"
    "  watch foo\n  watch --prefix /registry/leases/ --rev 100\n  watch foo -- sh -c 'echo "
    "$ETCD_WATCH_KEY'";
constexpr std::string_view kRestoreMore =
    "Makes the data folder of a new member of a new cluster. Every member is restored from the\n"
    "same file, with its own --name and --initial-advertise-peer-urls.";

constexpr std::array kCommands = {
    CommandSpec{"alarm disarm", "", "take back all alarms", {}, kAsking},
    CommandSpec{"alarm list", "", "list alarms"},
    CommandSpec{"auth disable", "", "turn authentication off", {}, kAsking},
    CommandSpec{"auth enable", "", "turn authentication on"},
    CommandSpec{"auth status", "", "tell whether authentication is on"},
    CommandSpec{"compaction", "<revision>", "forget history before a revision", {}, kCompaction},
    CommandSpec{"completion", "bash|zsh|fish", "print a script for the shell's completion"},
    CommandSpec{"defrag", "", "give free space back to the file system", {}, kDefrag},
    CommandSpec{"del", "<key> [range_end]", "delete keys", {}, kDel},
    CommandSpec{"downgrade cancel", "", "take a downgrade back"},
    CommandSpec{"downgrade enable", "<version>", "begin a downgrade"},
    CommandSpec{"downgrade validate", "<version>", "tell whether a downgrade is possible"},
    CommandSpec{"du", "[prefix]", "tell where the keys and bytes are", kDuMore, kDu},
    CommandSpec{"elect", "<name> [proposal]", "lead, or watch who leads", {}, kElect},
    CommandSpec{"endpoint hashkv", "", "hash the keys of members, to compare", {}, kHashKv},
    CommandSpec{"endpoint health", "", "tell which members can commit", {}, kEndpoint},
    CommandSpec{"endpoint status", "", "tell what members are doing", {}, kEndpoint},
    CommandSpec{"get", "<key> [range_end]", "print keys", kGetMore, kGet},
    CommandSpec{"help", "[command]", "print help"},
    CommandSpec{"lease grant", "<ttl>", "make a lease"},
    CommandSpec{"lease keep-alive", "<lease>", "renew a lease, again and again", {}, kKeepAlive},
    CommandSpec{"lease list", "", "list leases"},
    CommandSpec{"lease revoke", "<lease>", "end a lease and its keys"},
    CommandSpec{"lease timetolive", "<lease>", "tell how long a lease has", {}, kTimeToLive},
    CommandSpec{"lock",
                "<name> [command …]",
                "hold a lock, until interrupted or while a command runs",
                {},
                kLock},
    CommandSpec{
        "make-mirror", "<destination>", "copy keys to another cluster, and go on", {}, kMirror},
    CommandSpec{"member add", "<name>", "add a member", {}, kMemberAdd},
    CommandSpec{"member list", "", "list members", {}, kMemberList},
    CommandSpec{"member promote", "<id>", "let a learner vote"},
    CommandSpec{"member remove", "<id>", "remove a member", {}, kAsking},
    CommandSpec{"member update", "<id>", "change a member's peer URLs", {}, kMemberUpdate},
    CommandSpec{"move-leader", "<id>", "hand leadership to another member"},
    CommandSpec{"options", "", "print the flags that all commands have"},
    CommandSpec{"put", "<key> [value]", "write a key", kPutMore, kPut},
    CommandSpec{"role add", "<role>", "add a role"},
    CommandSpec{"role delete", "<role>", "delete a role"},
    CommandSpec{"role get", "<role>", "print what a role allows"},
    CommandSpec{"role grant-permission",
                "<role> read|write|readwrite <key> [range_end]",
                "let a role do something",
                {},
                kPermission},
    CommandSpec{"role list", "", "list roles"},
    CommandSpec{
        "role revoke-permission", "<role> <key> [range_end]", "no longer let it", {}, kPermission},
    CommandSpec{"shell", "", "type commands at a prompt, with history and completion"},
    CommandSpec{"snapshot restore", "<file>", "make a data folder from a snapshot", kRestoreMore,
                kRestore},
    CommandSpec{"snapshot save", "<file>", "save the keys of one member"},
    CommandSpec{"snapshot status", "<file>", "tell what is in a snapshot"},
    CommandSpec{"txn", "", "do several things at once or not at all", kTxnMore, kTxn},
    CommandSpec{"user add", "<name[:password]>", "add a user", {}, kUserAdd},
    CommandSpec{"user delete", "<name>", "delete a user"},
    CommandSpec{"user get", "<name>", "print a user's roles", {}, kUserGet},
    CommandSpec{"user grant-role", "<name> <role>", "give a user a role"},
    CommandSpec{"user list", "", "list users"},
    CommandSpec{"user passwd", "<name>", "change a user's password", {}, kUserPasswd},
    CommandSpec{"user revoke-role", "<name> <role>", "take a role from a user"},
    CommandSpec{"version", "", "print the version"},
    CommandSpec{"watch", "[key] [range_end] [-- command …]", "print changes as they come",
                kWatchMore, kWatch},
};

}  // namespace

std::span<const CommandSpec> command_specs() {
  return kCommands;
}

const CommandSpec* find_command_spec(std::string_view path) {
  const auto* const it = std::ranges::find(kCommands, path, &CommandSpec::path);
  return it == kCommands.end() ? nullptr : &*it;
}

std::span<const Flag> global_flags() {
  return kGlobal;
}

}  // namespace etcdmon::app::cli::ctl
