// The request for vectors of texts, and its answer.
#pragma once
#include <agentd/sdk/provider.hpp>

#include <cstddef>
#include <string>
#include <string_view>

#include "request.hpp"

namespace agentd::openai {

// OpenAI's bound; other servers have none or a higher one.
inline constexpr std::size_t kMostInputs = 2048;

// The body of POST /embeddings. Throws sdk::Error for more texts than an endpoint takes at once.
std::string embedding_body(const sdk::Texts& texts, EncodingFormat format);

// The vectors in the order of the texts, whatever order they came in and in whichever of the two forms: numbers, or base64 of 32-bit
// floats, the least significant byte first. Throws sdk::Error on what is no such answer to so many texts.
sdk::Vectors read_vectors(std::string_view body, std::size_t count);

}  // namespace agentd::openai
