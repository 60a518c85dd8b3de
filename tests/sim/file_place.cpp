// In the place of the store's own: what is on a disk in memory is where it was, and to look twice a second for months costs more
// than the rest.
#include "stores/sqlite/file_place.hpp"

#include <utility>

namespace agentd::sqlite {

FilePlace::FilePlace(std::filesystem::path file) : path_(std::move(file)) {}
bool FilePlace::lost() const { return device_ != inode_; }  // never: it has looked at neither

}  // namespace agentd::sqlite
