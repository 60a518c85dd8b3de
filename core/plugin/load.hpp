// From a file to a library.
#pragma once
#include <filesystem>
#include <memory>
#include <string>

#include "core/plugin/library.hpp"

namespace agentd::plugin {

// Everything that can be known without running the file's code: writers, digest (64 hex digits, empty: any), architecture, entry symbol,
// unique symbols.
Result<void> check_file(const std::filesystem::path& file, const std::string& digest);

// Maps a file and copies its descriptor; nothing is checked before. Its constructors and its entry function run.
Result<std::unique_ptr<Library>> map_file(const std::filesystem::path& file);

// Both. The error says what to do about it.
Result<std::unique_ptr<Library>> load(const std::filesystem::path& file, const std::string& digest = {});

}  // namespace agentd::plugin
