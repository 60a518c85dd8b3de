#pragma once
#include <agentd/sdk/error.hpp>

#include <string_view>

namespace agentd::redis {

// The server is there and not ready: it reads its data, or a script keeps it busy.
bool is_not_ready(std::string_view error);

// What an error of the server means to whoever asked. Redis repeats the arguments of what it does not know, a password among them: they are
// left out.
sdk::Error refusal(std::string_view error);

}  // namespace agentd::redis
