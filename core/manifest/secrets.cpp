#include "core/manifest/secrets.hpp"

#include <filesystem>

#include "core/base/file.hpp"
#include "core/manifest/form.hpp"

namespace agentd::manifest {
namespace fs = std::filesystem;
namespace {

constexpr std::size_t kMaxSecretBytes = 64 << 10;

Result<std::string> from_file(const fs::path& path) {
  std::error_code error;
  const auto status = fs::status(path, error);
  if (!fs::is_regular_file(status)) return fail("cannot read the secret in " + path.string() + ": " + (error ? error.message() : "not a regular file"));
  if ((status.permissions() & fs::perms::others_write) != fs::perms::none) return fail("the secret in " + path.string() + " can be written by others; chmod o-w it");
  auto read = read_regular_file(path.string(), kMaxSecretBytes);
  if (!read) return fail("the secret: " + read.error().message);
  std::string text = std::move(*read);
  if (text.ends_with('\n')) text.pop_back();
  if (text.ends_with('\r')) text.pop_back();
  if (text.empty()) return fail("the secret in " + path.string() + " is empty");
  return text;
}

Result<std::string> from_credential(const std::string& name, const Environment& environment) {
  const auto folder = environment.find("CREDENTIALS_DIRECTORY");
  if (folder == environment.end()) return fail("credential:" + name + " needs $CREDENTIALS_DIRECTORY, which systemd sets for LoadCredential=");
  if (name.find('/') != std::string::npos || name == "." || name == "..") return fail("credential:" + name + " is not a credential's name");
  return from_file(fs::path(folder->second) / name);
}

Result<std::string> from_environment(const std::string& name, const Environment& environment) {
  const auto at = environment.find(name);
  if (at == environment.end()) return fail("the environment has no " + name);
  if (at->second.empty()) return fail(name + " is empty in the environment");
  return at->second;
}

bool is_reference(std::string_view key, std::string_view text) {
  return is_secret_ref(text) && (!text.starts_with("file:") || names_a_secret(key));
}

// Replaces references in place; the first that cannot be resolved ends it.
Result<void> resolve_in(Json& value, const std::string& key, const Environment& environment, ResolvedSettings& out) {
  if (value.is_string()) {
    const auto& text = value.get_ref<const std::string&>();
    if (!is_reference(key, text)) return {};
    auto secret = resolve_secret(text, environment);
    if (!secret) return fail(quote(key) + ": " + secret.error().message);
    if (const auto unsafe = names_a_url(key) ? unsafe_in_url(*secret) : ""; !unsafe.empty()) return fail(quote(key) + ": the value of " + text + " " + unsafe);
    if (secret->size() < kShortSecret)
      out.notes.push_back(quote(key) + ": the value of " + text + " has fewer than " + std::to_string(kShortSecret) +
                          " bytes, so wherever it stands as a word, also an innocent one, models read \"[secret]\"; a longer one has no such effect");
    out.secrets.push_back(*secret);
    value = std::move(*secret);
    return {};
  }
  if (!value.is_structured()) return {};
  for (auto item = value.begin(); item != value.end(); ++item)
    if (auto done = resolve_in(*item, value.is_object() ? item.key() : key, environment, out); !done) return done;
  return {};
}

}  // namespace

Result<std::string> resolve_secret(std::string_view reference, const Environment& environment) {
  const auto colon = reference.find(':');
  const auto scheme = reference.substr(0, colon);
  const std::string name(colon == std::string_view::npos ? std::string_view() : reference.substr(colon + 1));
  if (scheme == "env" && !name.empty()) return from_environment(name, environment);
  if (scheme == "file" && !name.empty()) return from_file(name);
  if (scheme == "credential" && !name.empty()) return from_credential(name, environment);
  return fail("a secret is given as \"env:NAME\", \"file:PATH\" or \"credential:NAME\"");
}

Result<ResolvedSettings> resolve_settings(std::string_view settings_json, const Environment& environment) {
  auto settings = Json::parse(settings_json, nullptr, false);
  if (!settings.is_object()) return fail("settings are not a JSON object");
  ResolvedSettings out;
  if (auto done = resolve_in(settings, "", environment, out); !done) return std::unexpected(done.error());
  out.json = settings.dump(-1, ' ', false, Json::error_handler_t::replace);
  return out;
}

}  // namespace agentd::manifest
