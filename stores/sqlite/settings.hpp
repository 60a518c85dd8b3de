// What the components of this plugin are told.
#pragma once
#include <agentd/sdk/fields.hpp>
#include <filesystem>
#include <string>

namespace agentd::sqlite {

struct Settings {
  sdk::Required<sdk::Path> path;  // the folder of the files; made when it is not there
  AGENTD_FIELDS(path)
};

// path/name, in a folder that is there and is its owner's alone if it had to be made.
std::filesystem::path file_in(const Settings& settings, const char* name);

}  // namespace agentd::sqlite
