// Secret references, resolved late: what a provider's or a store's instance is given, never what is kept or shown.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.hpp"
#include "core/manifest/environment.hpp"

namespace agentd::manifest {

// A shorter value is taken out of texts only where it is a word of its own: inside of words it would take innocent text with it.
inline constexpr std::size_t kShortSecret = 8;

// The value behind "env:NAME", "file:PATH" (absolute) or "credential:NAME" (a file in $CREDENTIALS_DIRECTORY).
// A file must be regular, not writable by others and at most 64 KiB; one line end at its end is cut. It may be readable by others: so
// are the secrets that Docker and Kubernetes mount. An empty value is an error. Read anew at every call. No message holds the value.
Result<std::string> resolve_secret(std::string_view reference, const Environment& environment);

struct ResolvedSettings {
  std::string json;
  std::vector<std::string> secrets;          // the values that went in, for redaction
  std::vector<std::string> notes;            // what is worth saying about them: one that is short
};
// Puts values in place of references in a JSON object of settings: "env:" and "credential:" anywhere, "file:" under keys whose name
// says secret (api_key, token, password, ...), because elsewhere it may be a plain URL.
Result<ResolvedSettings> resolve_settings(std::string_view settings_json, const Environment& environment);

}  // namespace agentd::manifest
