// A copy of a whole file, made a part at a time.
#pragma once
#include <sqlite3.h>

#include <filesystem>
#include <utility>

#include "db.hpp"

namespace agentd::sqlite {

// FILE.part beside the copy's place, 0600, until keep(). One thread at a time; up to let_go() the one that writes with `source`: what it
// writes between two parts is in the copy. What another connection writes makes the copy begin anew, so it is for who writes alone.
//
// FILE is none of the ledger's own: that would put a file under those who have it open.
class Backup {
 public:
  Backup(Db& source, std::filesystem::path file);  // throws sdk::Error and DbError, as the others do
  ~Backup();
  Backup(const Backup&) = delete;
  Backup& operator=(const Backup&) = delete;

  // Copies a megabyte, in a read transaction of its own. False: all is there.
  bool step();
  // The source is not needed any more.
  void let_go();
  // Makes the copy durable, and puts it in its place. Any thread; may take as long as the disk.
  void keep();

 private:
  [[noreturn]] void fail(int code) const;

  const std::filesystem::path file_, part_;
  sqlite3* copy_ = nullptr;
  sqlite3_backup* backup_ = nullptr;
  bool kept_ = false;
};

// Refuses the ledger's file and what stands beside it under its name, however `file` leads there.
void refuse_own(const std::filesystem::path& ledger, const std::filesystem::path& file);

// What is written of a file is on the disk, and so is its name in its folder.
void sync_file(const std::filesystem::path& file);
void sync_folder(const std::filesystem::path& folder);

}  // namespace agentd::sqlite
