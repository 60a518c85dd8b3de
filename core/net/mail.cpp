#include "core/net/mail.hpp"

#include <curl/curl.h>

#include <memory>

namespace agentd::net {
namespace {

constexpr long kConnectSeconds = 15, kWholeSeconds = 60;

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

}  // namespace

Result<void> send_mail(const Mail& mail, std::stop_token stop) {
  const std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> easy(curl_easy_init(), curl_easy_cleanup);
  if (!easy) return fail(ErrorClass::retryable, "no memory for a mail");
  const std::unique_ptr<curl_mime, decltype(&curl_mime_free)> mime(curl_mime_init(easy.get()), curl_mime_free);
  Lines headers, recipients;
  for (const auto& line : mail.headers) headers.add(line);
  for (const auto& to : mail.to) recipients.add("<" + to + ">");
  auto* const part = curl_mime_addpart(mime.get());
  curl_mime_data(part, mail.text.data(), mail.text.size());
  curl_mime_type(part, "text/plain; charset=utf-8");
  curl_mime_encoder(part, "base64");
  char detail[CURL_ERROR_SIZE] = "";
  const auto set = [&](CURLoption option, auto value) { curl_easy_setopt(easy.get(), option, value); };
  set(CURLOPT_URL, mail.url.c_str());
  set(CURLOPT_PROTOCOLS_STR, "smtp,smtps");
  set(CURLOPT_USE_SSL, mail.require_tls ? static_cast<long>(CURLUSESSL_ALL) : static_cast<long>(CURLUSESSL_TRY));
  if (!mail.username.empty()) {
    set(CURLOPT_USERNAME, mail.username.c_str());
    set(CURLOPT_PASSWORD, mail.password.c_str());
  }
  const auto sender = "<" + mail.from + ">";
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

}  // namespace agentd::net
