// Mail by SMTP: libcurl's, on a thread of its own.
#include <curl/curl.h>
#include <openssl/evp.h>

#include <ctime>
#include <vector>

#include "core/base/json_text.hpp"
#include "host/sinks/kinds.hpp"

namespace agentd::host {
namespace {

constexpr long kConnectSeconds = 15, kWholeSeconds = 60;
constexpr std::size_t kMostBytes = 256 << 10;

struct MailBox {
  std::string url, username, password, from;
  std::vector<std::string> to;
  bool require_tls = true;
};

class Lines {
 public:
  Lines() = default;
  ~Lines() { curl_slist_free_all(list_); }
  Lines(const Lines&) = delete;
  Lines& operator=(const Lines&) = delete;
  void add(const std::string& line) {
    if (auto* const longer = curl_slist_append(list_, line.c_str())) list_ = longer;
  }
  curl_slist* get() const { return list_; }

 private:
  curl_slist* list_ = nullptr;
};

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

int stop_early(void* stop, curl_off_t, curl_off_t, curl_off_t, curl_off_t) { return static_cast<std::stop_token*>(stop)->stop_requested() ? 1 : 0; }

// 4yz: the server may take it later; 5yz: it never will (RFC 5321, 4.2.1).
Result<void> judge_mail(CURL* easy, CURLcode code, const char* detail) {
  if (code == CURLE_OK) return {};
  long reply = 0;
  curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &reply);
  const std::string why = *detail ? detail : curl_easy_strerror(code);
  const bool is_final = code == CURLE_LOGIN_DENIED || code == CURLE_USE_SSL_FAILED || reply >= 500;
  return fail(is_final ? ErrorClass::terminal : ErrorClass::retryable, why + (reply > 0 ? " (the server said " + std::to_string(reply) + ")" : ""));
}

Result<void> send_mail(const MailBox& box, const Message& message, std::stop_token stop) {
  const std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> easy(curl_easy_init(), curl_easy_cleanup);
  if (!easy) return fail(ErrorClass::retryable, "no memory for a mail");
  const std::unique_ptr<curl_mime, decltype(&curl_mime_free)> mime(curl_mime_init(easy.get()), curl_mime_free);
  Lines headers, recipients;
  std::string receivers;
  for (const auto& to : box.to) {
    recipients.add("<" + to + ">");
    receivers += (receivers.empty() ? "<" : ",\r\n <") + to + ">";
  }
  headers.add("From: <" + box.from + ">");
  headers.add("To: " + receivers);
  headers.add("Subject: " + encoded_header(message.title));
  headers.add("Date: " + mail_date(message.sent_at));
  headers.add("Message-ID: <" + message.id + "@agentd>");
  auto* const part = curl_mime_addpart(mime.get());
  const auto text = words_of(message, kMostBytes);
  curl_mime_data(part, text.data(), text.size());
  curl_mime_type(part, "text/plain; charset=utf-8");
  curl_mime_encoder(part, "base64");
  char detail[CURL_ERROR_SIZE] = "";
  const auto set = [&](CURLoption option, auto value) { curl_easy_setopt(easy.get(), option, value); };
  set(CURLOPT_URL, box.url.c_str());
  set(CURLOPT_PROTOCOLS_STR, "smtp,smtps");
  set(CURLOPT_USE_SSL, box.require_tls ? static_cast<long>(CURLUSESSL_ALL) : static_cast<long>(CURLUSESSL_TRY));
  if (!box.username.empty()) {
    set(CURLOPT_USERNAME, box.username.c_str());
    set(CURLOPT_PASSWORD, box.password.c_str());
  }
  const auto sender = "<" + box.from + ">";
  set(CURLOPT_MAIL_FROM, sender.c_str());
  set(CURLOPT_MAIL_RCPT, recipients.get());
  set(CURLOPT_HTTPHEADER, headers.get());
  set(CURLOPT_MIMEPOST, mime.get());
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_CONNECTTIMEOUT, kConnectSeconds);
  set(CURLOPT_TIMEOUT, kWholeSeconds);
  set(CURLOPT_ERRORBUFFER, detail);
  set(CURLOPT_NOPROGRESS, 0L);
  set(CURLOPT_XFERINFOFUNCTION, &stop_early);
  set(CURLOPT_XFERINFODATA, &stop);
  return judge_mail(easy.get(), curl_easy_perform(easy.get()), detail);
}

class MailSink final : public Sink {
 public:
  explicit MailSink(MailBox box) : box_(std::move(box)) {}

  Async<Result<void>> send(Message message, std::stop_token stop) override {
    auto work = [this, message = std::move(message), stop] { return send_mail(box_, message, stop); };
    auto sending = background_.run(std::move(work));
    co_return co_await std::move(sending);
  }

 private:
  const MailBox box_;
  Background background_;
};

}  // namespace

Result<std::unique_ptr<Sink>> make_mail_sink(const SinkSettings& settings, const SinkGround&) {
  MailBox box{.url = settings.at("url"), .username = settings.value("username", ""), .password = settings.value("password", ""), .from = settings.at("from"),
              .to = settings.at("to").get<std::vector<std::string>>(), .require_tls = settings.value("require_tls", true)};
  if (box.username.empty() != box.password.empty()) return fail("\"username\" and \"password\" go together");
  return std::make_unique<MailSink>(std::move(box));
}

}  // namespace agentd::host
