// A folder for one test, gone afterwards, and the plugins that the tests have built.
#pragma once
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>

namespace agentd::plugin::test {

namespace fs = std::filesystem;

class Folder {
 public:
  Folder() {
    std::string name = (fs::temp_directory_path() / "agentd-plugin-XXXXXX").string();
    if (!mkdtemp(name.data())) std::abort();
    path = name;
  }
  ~Folder() {
    std::error_code ignored;
    fs::remove_all(path, ignored);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  fs::path write(std::string_view name, std::string_view bytes) const {
    std::ofstream(path / name, std::ios::binary) << bytes;
    return path / name;
  }
  // A plugin of the tests, under a name of its own.
  fs::path copy(std::string_view plugin, std::string_view as) const {
    fs::copy_file(built(plugin), path / as, fs::copy_options::overwrite_existing);
    return path / as;
  }
  static fs::path built(std::string_view plugin) { return fs::path(AGENTD_TEST_PLUGINS) / (std::string(plugin) + ".so"); }

  fs::path path;
};

inline std::string bytes_of(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace agentd::plugin::test
