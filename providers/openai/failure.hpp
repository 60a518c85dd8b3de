// What kept a completion from being answered, in the classes that decide about retry, fallback and the provider's health.
#pragma once
#include <agentd/sdk/http.hpp>
#include <agentd/sdk/provider.hpp>

#include <optional>
#include <string_view>

namespace agentd::openai {

struct Failed {
  sdk::Error error;
  sdk::ModelFailure why;
};

// An answer with a status other than 200.
Failed failed_with_status(const sdk::HttpHead& head, std::string_view body, int64_t now_unix_s);

// An answer of 200 that holds an error all the same, as gateways send it, also in mid-stream. Nothing when it holds none.
std::optional<Failed> failed_inside(std::string_view body, const sdk::HttpHead& head, int64_t now_unix_s);

// 200, but not an answer: HTML, half of one, something else.
Failed unreadable(std::string_view host, std::string_view body, std::string_view problem, std::string_view wanted = "a completion");

// An exchange that was stopped: one that was sent may be charged for.
Failed stopped(const sdk::Error& error);

// No answer at all.
Failed unreachable(const sdk::Error& error);

}  // namespace agentd::openai
