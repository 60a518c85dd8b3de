// Mail, sent on a thread of its own.
#include <openssl/evp.h>

#include <ctime>
#include <vector>

#include "core/base/json_text.hpp"
#include "core/net/mail.hpp"
#include "host/sinks/kinds.hpp"

namespace agentd::host {
namespace {

constexpr std::size_t kMostMailBytes = 256 << 10;

// RFC 2047: words of base64, each of at most 75 characters.
std::string encoded_header(std::string_view text) {
  constexpr std::size_t kBytesOfAWord = 45;
  std::string out;
  while (!text.empty()) {
    const auto part = clip_utf8(text, kBytesOfAWord);
    std::string encoded(4 * ((part.size() + 2) / 3) + 1, '\0');
    const int size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(encoded.data()), reinterpret_cast<const unsigned char*>(part.data()), static_cast<int>(part.size()));
    encoded.resize(static_cast<std::size_t>(size));
    out += (out.empty() ? "=?UTF-8?B?" : "\r\n =?UTF-8?B?") + encoded + "?=";
    text.remove_prefix(part.size());
  }
  return out;
}

std::string mail_date(Instant at) {
  const std::time_t seconds = std::chrono::floor<std::chrono::seconds>(at).time_since_epoch().count();
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  char text[64];
  constexpr const char* kDays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  constexpr const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  std::snprintf(text, sizeof text, "%s, %02d %s %d %02d:%02d:%02d +0000", kDays[utc.tm_wday], utc.tm_mday, kMonths[utc.tm_mon], utc.tm_year + 1900, utc.tm_hour, utc.tm_min, utc.tm_sec);
  return text;
}

class MailSink final : public Sink {
 public:
  explicit MailSink(net::Mail box) : box_(std::move(box)) {}

  Async<Result<void>> send(Message message, std::stop_token stop) override {
    auto work = [mail = written(message), stop] { return net::send_mail(mail, stop); };
    auto sending = background_.run(std::move(work));
    co_return co_await std::move(sending);
  }

 private:
  net::Mail written(const Message& message) const {
    auto mail = box_;
    std::string receivers;
    for (const auto& to : mail.to) receivers += (receivers.empty() ? "<" : ",\r\n <") + to + ">";
    mail.headers = {"From: <" + mail.from + ">", "To: " + receivers, "Subject: " + encoded_header(message.title), "Date: " + mail_date(message.sent_at), "Message-ID: <" + message.id + "@agentd>"};
    mail.text = words_of(message, kMostMailBytes);
    return mail;
  }

  const net::Mail box_;
  Background background_;
};

}  // namespace

Result<std::unique_ptr<Sink>> make_mail_sink(const SinkSettings& settings, const SinkGround&) {
  net::Mail box{.url = settings.at("url"), .username = settings.value("username", ""), .password = settings.value("password", ""), .require_tls = settings.value("require_tls", true), .from = settings.at("from"),
                .to = settings.at("to").get<std::vector<std::string>>(), .headers = {}, .text = {}};
  if (box.username.empty() != box.password.empty()) return fail("\"username\" and \"password\" go together");
  return std::make_unique<MailSink>(std::move(box));
}

}  // namespace agentd::host
