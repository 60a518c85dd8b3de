#include "command.hpp"

#include <openssl/sha.h>

#include <array>

namespace agentd::redis {
namespace {

void append_word(std::string& out, std::string_view word) {
  out += '$';
  out += std::to_string(word.size());
  out += "\r\n";
  out += word;
  out += "\r\n";
}

// What Redis names a script by.
std::string digest_of(const std::string& text) {
  std::array<unsigned char, SHA_DIGEST_LENGTH> bytes;
  ::SHA1(reinterpret_cast<const unsigned char*>(text.data()), text.size(), bytes.data());
  std::string out;
  for (const unsigned char byte : bytes) out += {"0123456789abcdef"[byte >> 4], "0123456789abcdef"[byte & 15]};
  return out;
}

}  // namespace

Script::Script(std::string its_text) : text(std::move(its_text)), digest(digest_of(text)) {}

Command& Command::add(std::string_view word) {
  ++words_;
  append_word(body_, word);
  return *this;
}

std::string Command::head(bool whole_script) const {
  if (!script_) return "*" + std::to_string(words_) + "\r\n";
  auto out = "*" + std::to_string(words_ + 2) + "\r\n";
  append_word(out, whole_script ? "EVAL" : "EVALSHA");
  append_word(out, whole_script ? script_->text : script_->digest);
  return out;
}

}  // namespace agentd::redis
