// Names that a vector database takes for its points: UUIDs that follow from what they name, so that putting twice is putting once.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

namespace agentd::points {

std::string entry_key(std::string_view agent, std::string_view id);
// Of the vector that came with one version of an entry.
std::string vector_key(std::string_view entry_key, std::uint64_t revision);

// 16 hexadecimal digits that stand for a space in the name of a collection.
std::string short_name(std::string_view space);

}  // namespace agentd::points
