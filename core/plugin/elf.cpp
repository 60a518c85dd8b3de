#include "core/plugin/elf.hpp"

#include <elf.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <optional>
#include <string_view>

namespace agentd::plugin {
namespace {

static_assert(std::endian::native == std::endian::little && sizeof(void*) == 8, "written for 64-bit little-endian machines");

struct Machine {
  Elf64_Half id;
  std::string_view name;
};
constexpr Machine kMachines[] = {{EM_386, "x86 (32 bit)"}, {EM_X86_64, "x86-64"}, {EM_ARM, "ARM (32 bit)"}, {EM_AARCH64, "ARM64"}, {EM_RISCV, "RISC-V"}, {EM_PPC64, "PowerPC 64"}, {EM_S390, "S/390"}};
#if defined(__x86_64__)
constexpr Elf64_Half kMachine = EM_X86_64;
#elif defined(__aarch64__)
constexpr Elf64_Half kMachine = EM_AARCH64;
#elif defined(__riscv)
constexpr Elf64_Half kMachine = EM_RISCV;
#endif

std::string machine_name(Elf64_Half id) {
  for (const auto& m : kMachines)
    if (m.id == id) return std::string(m.name);
  return "machine " + std::to_string(id);
}

constexpr std::size_t kMostSymbols = 1 << 20, kMostSegments = 128, kLongestName = 4096, kMostNames = 16;

// A file as the loader lays it out: addresses go through the PT_LOAD segments. Every read is checked.
class Image {
 public:
  explicit Image(std::span<const std::byte> file) : file_(file) {}

  template <class T>
  std::optional<T> at_offset(std::uint64_t offset) const {
    if (offset > file_.size() || file_.size() - offset < sizeof(T)) return std::nullopt;
    T value;
    std::memcpy(&value, file_.data() + offset, sizeof value);
    return value;
  }
  template <class T>
  std::optional<T> at(std::uint64_t address) const {
    const auto bytes = from(address);
    if (bytes.size() < sizeof(T)) return std::nullopt;
    T value;
    std::memcpy(&value, bytes.data(), sizeof value);
    return value;
  }
  // The rest of the segment that holds the address; empty: none does.
  std::span<const std::byte> from(std::uint64_t address) const {
    for (const auto& s : segments_) {
      if (address < s.p_vaddr || address - s.p_vaddr >= s.p_filesz) continue;
      const std::uint64_t into = address - s.p_vaddr;
      if (s.p_offset > file_.size() || into > file_.size() - s.p_offset) return {};
      const auto rest = file_.subspan(s.p_offset + into);
      return rest.first(std::min<std::uint64_t>(rest.size(), s.p_filesz - into));
    }
    return {};
  }
  std::string_view text(std::uint64_t address) const {
    auto bytes = from(address);
    bytes = bytes.first(std::min(bytes.size(), kLongestName));
    const auto end = std::find(bytes.begin(), bytes.end(), std::byte{0});
    if (end == bytes.end()) return {};
    return {reinterpret_cast<const char*>(bytes.data()), static_cast<std::size_t>(end - bytes.begin())};
  }
  void add_segment(const Elf64_Phdr& segment) { segments_.push_back(segment); }

 private:
  std::span<const std::byte> file_;
  std::vector<Elf64_Phdr> segments_;
};

struct Dynamic {
  std::uint64_t symbols = 0, strings = 0, strings_size = 0, hash = 0, gnu_hash = 0;
};

Result<Elf64_Ehdr> read_header(const Image& image) {
  const auto head = image.at_offset<Elf64_Ehdr>(0);
  if (!head || std::memcmp(head->e_ident, ELFMAG, SELFMAG) != 0) return fail("it is not a shared library");
  if (head->e_ident[EI_CLASS] != ELFCLASS64 || head->e_ident[EI_DATA] != ELFDATA2LSB || head->e_machine != kMachine)
    return fail("it is built for " + machine_name(head->e_machine) + ", this host is " + machine_name(kMachine));
  if (head->e_type != ET_DYN) return fail("it is not a shared library but a program or an object file");
  return *head;
}

std::optional<Dynamic> read_dynamic(Image& image, const Elf64_Ehdr& head) {
  std::optional<Elf64_Phdr> dynamic;
  if (head.e_phentsize != sizeof(Elf64_Phdr) || head.e_phnum > kMostSegments) return std::nullopt;
  for (std::uint64_t i = 0; i < head.e_phnum; ++i) {
    const auto segment = image.at_offset<Elf64_Phdr>(head.e_phoff + i * sizeof(Elf64_Phdr));
    if (!segment) return std::nullopt;
    if (segment->p_type == PT_LOAD) image.add_segment(*segment);
    if (segment->p_type == PT_DYNAMIC) dynamic = *segment;
  }
  if (!dynamic) return std::nullopt;
  Dynamic found;
  for (std::uint64_t i = 0; i < dynamic->p_memsz / sizeof(Elf64_Dyn); ++i) {
    const auto entry = image.at<Elf64_Dyn>(dynamic->p_vaddr + i * sizeof(Elf64_Dyn));
    if (!entry || entry->d_tag == DT_NULL) break;
    const auto value = entry->d_un.d_ptr;
    if (entry->d_tag == DT_SYMTAB) found.symbols = value;
    if (entry->d_tag == DT_STRTAB) found.strings = value;
    if (entry->d_tag == DT_STRSZ) found.strings_size = value;
    if (entry->d_tag == DT_HASH) found.hash = value;
    if (entry->d_tag == DT_GNU_HASH) found.gnu_hash = value;
  }
  return found;
}

// The symbol table does not say its length; the hash tables do. In a GNU one the last symbol is the end of the last chain.
std::optional<std::size_t> count_symbols(const Image& image, const Dynamic& d) {
  if (d.hash) {
    const auto chains = image.at<std::uint32_t>(d.hash + 4);
    return chains ? std::optional<std::size_t>(*chains) : std::nullopt;
  }
  const auto buckets = image.at<std::uint32_t>(d.gnu_hash), first = image.at<std::uint32_t>(d.gnu_hash + 4), bloom = image.at<std::uint32_t>(d.gnu_hash + 8);
  if (!buckets || !first || !bloom || *buckets > kMostSymbols) return std::nullopt;
  const std::uint64_t bucket_table = d.gnu_hash + 16 + std::uint64_t{*bloom} * 8, chain_table = bucket_table + std::uint64_t{*buckets} * 4;
  std::uint32_t last = 0;
  for (std::uint32_t i = 0; i < *buckets; ++i) {
    const auto begin = image.at<std::uint32_t>(bucket_table + std::uint64_t{i} * 4);
    if (!begin) return std::nullopt;
    last = std::max(last, *begin);
  }
  if (last < *first) return *first;  // nothing is defined
  for (; last < kMostSymbols; ++last) {
    const auto link = image.at<std::uint32_t>(chain_table + std::uint64_t{last - *first} * 4);
    if (!link) return std::nullopt;
    if (*link & 1) return std::size_t{last} + 1;
  }
  return std::nullopt;
}

}  // namespace

Result<ElfExports> read_elf(std::span<const std::byte> file) {
  Image image(file);
  const auto head = read_header(image);
  if (!head) return std::unexpected(head.error());
  const auto damaged = [] { return fail("its ELF tables are damaged"); };
  const auto dynamic = read_dynamic(image, *head);
  if (!dynamic || !dynamic->symbols || !dynamic->strings || (!dynamic->hash && !dynamic->gnu_hash)) return damaged();
  const auto count = count_symbols(image, *dynamic);
  if (!count || *count > kMostSymbols) return damaged();
  ElfExports out;
  for (std::size_t i = 1; i < *count; ++i) {
    const auto symbol = image.at<Elf64_Sym>(dynamic->symbols + i * sizeof(Elf64_Sym));
    if (!symbol || symbol->st_name >= dynamic->strings_size) return damaged();
    if (symbol->st_shndx == SHN_UNDEF) continue;
    const auto name = image.text(dynamic->strings + symbol->st_name);
    if (name.starts_with("agentd_plugin_entry_v") && out.entries.size() < kMostNames) out.entries.emplace_back(name);
    if (ELF64_ST_BIND(symbol->st_info) == STB_GNU_UNIQUE && out.unique.size() < kMostNames) out.unique.emplace_back(name);
  }
  return out;
}

}  // namespace agentd::plugin
