// PostgreSQL, as Debian's package installs it, or another one.
#pragma once
#include <grp.h>
#include <pwd.h>
#include <unistd.h>

#include <boost/process/pipe.hpp>
#include <boost/process/system.hpp>

#include "tests/support/servers/server.hpp"

namespace agentd::support {

class PostgresServer final : public Server {
 public:
  // With settings of the server, as "name=value". What is written survives the server's death and, without "fsync=off", the machine's.
  // programs: the folder of the server's; empty: Debian's.
  explicit PostgresServer(std::vector<std::string> settings = {"fsync=off"}, std::filesystem::path programs = {}) : settings_(std::move(settings)), programs_(std::move(programs)) {
    const auto data = (folder() / "data").string();
    const auto own = [&] { return ::chown(folder().c_str(), user_->pw_uid, user_->pw_gid) == 0; };
    if (user_ && !own()) throw std::runtime_error("chown " + folder().string());
    if (boost::process::system(server_program("initdb"), boost::process::args({"-D", data, "-A", "trust", "-U", "postgres", "--no-sync", "--no-instructions", "-E", "UTF8", "--locale=C"}),
                               (boost::process::std_out & boost::process::std_err) > boost::process::null, boost::process::extend::on_exec_setup([this](auto&) { leave_root(); })) != 0)
      throw std::runtime_error("initdb failed in " + data);
    start();
  }
  ~PostgresServer() override { crash(); }
  void start() override {
    std::vector<std::string> arguments = {"-D", (folder() / "data").string(), "-p", std::to_string(port()), "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=", "-c", "max_connections=100"};
    for (const auto& setting : settings_) arguments.insert(arguments.end(), {"-c", setting});
    run(server_program("postgres"), arguments, [this] { return is_ready(); }, [this] { leave_root(); });
  }
  // At once, with all its processes, as a machine that loses power.
  void crash() { end(SIGQUIT); }
  std::string url(const std::string& database = "postgres") const { return "postgres://postgres@" + address() + "/" + database + "?sslmode=disable"; }
  // What a query gives, as psql prints it, a row a line.
  std::vector<std::string> column(const std::string& query) const { return column_of(url(), query); }
  static std::vector<std::string> column_of(const std::string& url, const std::string& query) {
    boost::process::ipstream out;
    boost::process::child psql(program("psql"), boost::process::args({"-AtXq", "-d", url, "-c", query}), boost::process::std_out > out);
    std::vector<std::string> lines;
    for (std::string line; std::getline(out, line);) lines.push_back(line);
    psql.wait();
    if (psql.exit_code() != 0) throw std::runtime_error("psql: " + query);
    return lines;
  }

 private:
  static std::string program(const std::string& name) {
    for (const auto& version : std::filesystem::directory_iterator("/usr/lib/postgresql"))
      if (const auto file = version.path() / "bin" / name; std::filesystem::exists(file)) return file.string();
    throw std::runtime_error("no " + name + " below /usr/lib/postgresql: install the packages of .ci/packages");
  }
  std::string server_program(const std::string& name) const { return programs_.empty() ? program(name) : (programs_ / name).string(); }
  // The server refuses to be root.
  static const passwd* server_user() {
    if (::getuid() != 0) return nullptr;
    const auto* user = ::getpwnam("postgres");
    return user ? user : ::getpwnam("nobody");
  }
  void leave_root() const {
    if (user_ && (::initgroups(user_->pw_name, user_->pw_gid) != 0 || ::setgid(user_->pw_gid) != 0 || ::setuid(user_->pw_uid) != 0)) ::_exit(126);
    (void)!::chdir("/");
  }
  bool is_ready() const {
    return boost::process::system(program("pg_isready"), boost::process::args({"-q", "-h", "127.0.0.1", "-p", std::to_string(port()), "-U", "postgres"})) == 0;
  }

  const std::vector<std::string> settings_;
  const std::filesystem::path programs_;
  const passwd* const user_ = server_user();
};

}  // namespace agentd::support
