#include "kit/dns_server.hpp"

#include <arpa/inet.h>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <future>
#include <map>
#include <mutex>
#include <netinet/in.h>
#include <stdexcept>
#include <string_view>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

#include <fmt/format.h>
#include <sched.h>

namespace etcdmon::kit {

namespace {

// RFC 1035 and 2782.
constexpr std::size_t kHeader = 12;
constexpr std::uint16_t kTypeA = 1;
constexpr std::uint16_t kTypeSrv = 33;
constexpr char kNoSuchName = 3;

void put16(std::string& out, std::size_t value) {
  out.push_back(static_cast<char>(value >> 8U & 0xffU));
  out.push_back(static_cast<char>(value & 0xffU));
}

std::string encoded(std::string_view name) {
  std::string out;
  while (!name.empty()) {
    const auto label = name.substr(0, name.find('.'));
    out.push_back(static_cast<char>(label.size()));
    out += label;
    name.remove_prefix(std::min(name.size(), label.size() + 1));
  }
  out.push_back('\0');
  return out;
}

struct Question {
  std::string name;
  std::uint16_t type = 0;
  std::string bytes;  // as it was asked
};

Question read_question(std::string_view packet) {
  Question question;
  std::size_t at = kHeader;
  while (at < packet.size() && packet[at] != 0) {
    const auto length = static_cast<unsigned char>(packet[at]);
    if (!question.name.empty()) question.name.push_back('.');
    question.name += packet.substr(at + 1, length);
    at += length + 1U;
  }
  if (at + 5 > packet.size()) return {};
  question.type = static_cast<std::uint16_t>(static_cast<unsigned char>(packet[at + 1]) << 8U |
                                             static_cast<unsigned char>(packet[at + 2]));
  question.bytes = packet.substr(kHeader, at + 5 - kHeader);
  return question;
}

// A socket in `net`; the thread that calls this stays there.
int listen_in(const std::string& net) {
  const int there = ::open(net.c_str(), O_RDONLY | O_CLOEXEC);
  const bool moved = there >= 0 && ::setns(there, CLONE_NEWNET) == 0;
  if (there >= 0) ::close(there);
  if (!moved) return -1;
  const int fd = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  // Looks up from time to time, to see whether it shall stop.
  const timeval patience{.tv_sec = 0, .tv_usec = 50'000};
  ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(53);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return fd;
  ::close(fd);
  return -1;
}

}  // namespace

struct DnsServer::State {
  using Records = std::multimap<std::uint16_t, std::string>;  // type to data

  std::mutex mutex;  // guards what follows
  std::map<std::string, Records> names;
  bool ignoring = false;

  std::atomic<bool> stopping = false;
  std::thread thread;

  std::string answer(std::string_view packet) {
    const auto question = read_question(packet);
    const std::lock_guard lock(mutex);
    if (ignoring) return {};
    const auto name = names.find(question.name);
    std::string records;
    std::size_t count = 0;
    if (name != names.end()) {
      const auto [begin, end] = name->second.equal_range(question.type);
      for (auto record = begin; record != end; ++record, ++count) {
        put16(records, 0xc00c);  // the name of the question
        put16(records, question.type);
        put16(records, 1);
        put16(records, 0);
        put16(records, 0);  // not to be kept
        put16(records, record->second.size());
        records += record->second;
      }
    }
    std::string out(packet.substr(0, 2));
    out.push_back('\x85');  // an answer, with authority, as it was asked recursively
    out.push_back(name == names.end() ? static_cast<char>(0x80 | kNoSuchName) : '\x80');
    put16(out, 1);
    put16(out, count);
    put16(out, 0);
    put16(out, 0);
    return out + question.bytes + records;
  }

  void serve(int fd) {
    char packet[512];
    while (!stopping) {
      sockaddr_in from{};
      socklen_t size = sizeof from;
      const auto got =
          ::recvfrom(fd, packet, sizeof packet, 0, reinterpret_cast<sockaddr*>(&from), &size);
      if (got < static_cast<ssize_t>(kHeader)) continue;
      const auto reply = answer({packet, static_cast<std::size_t>(got)});
      if (!reply.empty())
        ::sendto(fd, reply.data(), reply.size(), 0, reinterpret_cast<const sockaddr*>(&from), size);
    }
    ::close(fd);
  }
};

DnsServer::DnsServer(const Netns& net) : state_(std::make_unique<State>()) {
  net.ip("link set lo up\n");
  std::promise<int> listening;
  auto failure = listening.get_future();
  state_->thread = std::thread([state = state_.get(), path = net.path(), &listening] {
    const int fd = listen_in(path);
    listening.set_value(fd < 0 ? errno : 0);
    if (fd >= 0) state->serve(fd);
  });
  if (const int number = failure.get(); number != 0) {
    state_->thread.join();
    throw std::runtime_error(fmt::format("cannot serve DNS: {}", std::strerror(number)));
  }
}

DnsServer::~DnsServer() {
  state_->stopping = true;
  state_->thread.join();
}

void DnsServer::address(const std::string& name, const std::string& ipv4) {
  in_addr address{};
  if (::inet_pton(AF_INET, ipv4.c_str(), &address) != 1)
    throw std::runtime_error("not an IPv4 address: " + ipv4);
  const std::lock_guard lock(state_->mutex);
  state_->names[name].emplace(kTypeA,
                              std::string(reinterpret_cast<const char*>(&address), sizeof address));
}

void DnsServer::service(const std::string& name, const std::string& target, std::uint16_t port) {
  std::string data;
  put16(data, 0);  // priority
  put16(data, 0);  // weight
  put16(data, port);
  data += encoded(target);
  const std::lock_guard lock(state_->mutex);
  state_->names[name].emplace(kTypeSrv, std::move(data));
}

void DnsServer::forget(const std::string& name) {
  const std::lock_guard lock(state_->mutex);
  state_->names.erase(name);
}

void DnsServer::ignore(bool on) {
  const std::lock_guard lock(state_->mutex);
  state_->ignoring = on;
}

std::vector<std::string> DnsServer::resolve_there(const std::string& folder) {
  const auto file = folder + "/resolv.conf";
  std::ofstream(file) << "nameserver 127.0.0.1\n";
  return {"unshare", "--mount", "sh", "-c", "mount --bind \"$0\" /etc/resolv.conf && exec \"$@\"",
          file};
}

}  // namespace etcdmon::kit
