// TLS and HTTP/2 against a real server that speaks nothing else: nghttpd.
#include <stdlib.h>

#include <algorithm>
#include <array>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>
#include <boost/process/args.hpp>
#include <boost/process/child.hpp>
#include <boost/process/io.hpp>
#include <boost/process/system.hpp>
#include <filesystem>
#include <fstream>
#include <thread>

#include "tests/unit/net/net_bench.hpp"

namespace agentd::net {
namespace {

namespace process = boost::process;

class Folder {
 public:
  Folder() {
    std::string name = std::filesystem::temp_directory_path() / "tls_test.XXXXXX";
    path_ = ::mkdtemp(name.data());
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  std::string file(const std::string& name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

int free_port() {
  boost::asio::io_context io;
  const boost::asio::ip::tcp::acceptor acceptor(io, {boost::asio::ip::make_address("127.0.0.1"), 0});
  return acceptor.local_endpoint().port();
}

// With a certificate of its own for "localhost", and the file /hello.
class SecureServer {
 public:
  SecureServer() {
    std::ofstream(folder_.file("hello")) << "hello";
    const auto made =
        process::system("/usr/bin/openssl",
                        process::args({"req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                                       "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost",
                                       "-keyout", folder_.file("key.pem"), "-out", certificate()}),
                        process::std_err > process::null);
    EXPECT_EQ(made, 0) << "no certificate was made";
    server_ = process::child("/usr/sbin/nghttpd",
                             process::args({"--verbose", "--address=127.0.0.1", "--htdocs=" + folder_.file(""),
                                            std::to_string(port_), folder_.file("key.pem"), certificate()}),
                             process::std_out > said_, process::std_err > process::null);
    for (std::string line; line.find("listen") == line.npos;)
      if (!std::getline(said_, line)) ADD_FAILURE() << "nghttpd did not start";
  }
  ~SecureServer() { server_.terminate(); }
  SecureServer(const SecureServer&) = delete;
  SecureServer& operator=(const SecureServer&) = delete;

  std::string certificate() const { return folder_.file("cert.pem"); }
  std::string url(const std::string& host) const { return "https://" + host + ":" + std::to_string(port_) + "/hello"; }

 private:
  Folder folder_;
  int port_ = free_port();
  process::ipstream said_;
  process::child server_;
};

TEST(Tls, SpeaksHttp2WithAServerThatHasIt) {
  const SecureServer server;
  Bench bench({.ca_file = server.certificate()});
  for (int i = 0; i < 2; ++i) {
    const auto got = bench.fetch(server.url("localhost"));
    EXPECT_TRUE(got.ok()) << got.message();
    EXPECT_EQ(got.head.status, 200);
    EXPECT_EQ(got.body, "hello");
  }
}

TEST(Tls, SendsManyRequestsAtOnceOverHttp2) {
  const SecureServer server;
  Bench bench({.ca_file = server.certificate()});
  std::vector<Got> got(50);
  for (auto& each : got) bench.start({.url = server.url("localhost")}, each);
  EXPECT_TRUE(bench.until([&] { return std::ranges::all_of(got, [](const Got& each) { return each.end.has_value(); }); }));
  for (const auto& each : got) EXPECT_EQ(each.body, "hello") << each.message();
}

TEST(Tls, RefusesACertificateThatNobodyVouchesFor) {
  const SecureServer server;
  Bench bench;
  const auto got = bench.fetch(server.url("localhost"));
  EXPECT_EQ(got.failure(), ErrorClass::terminal);
  EXPECT_NE(got.message().find("certificate of localhost"), std::string::npos) << got.message();
}

TEST(Tls, RefusesACertificateOfAnotherName) {
  const SecureServer server;
  Bench bench({.ca_file = server.certificate()});
  const auto got = bench.fetch(server.url("127.0.0.1"));
  EXPECT_EQ(got.failure(), ErrorClass::terminal);
  EXPECT_NE(got.message().find("certificate of 127.0.0.1"), std::string::npos) << got.message();
}

TEST(Tls, SaysThatAServerDoesNotSpeakIt) {
  boost::asio::io_context io;
  boost::asio::ip::tcp::acceptor acceptor(io, {boost::asio::ip::make_address("127.0.0.1"), 0});
  const std::jthread server([&] {
    auto socket = acceptor.accept();
    std::array<char, 4096> hello;
    socket.read_some(boost::asio::buffer(hello));
    boost::asio::write(socket, boost::asio::buffer(std::string_view("HTTP/1.1 400 Bad Request\r\n\r\n")));
  });
  Bench bench;
  const auto got = bench.fetch("https://127.0.0.1:" + std::to_string(acceptor.local_endpoint().port()));
  EXPECT_EQ(got.failure(), ErrorClass::retryable);
  EXPECT_NE(got.message().find("no TLS connection to 127.0.0.1"), std::string::npos) << got.message();
}

}  // namespace
}  // namespace agentd::net
