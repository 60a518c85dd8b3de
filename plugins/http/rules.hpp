// What a call may ask for. All throw sdk::Error with a sentence for the model.
#pragma once
#include <agentd/sdk/http.hpp>

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace http_plugin {

// The host of an http or https URL, in lower case. Strict, so that no other reader of the URL can see another host in it.
std::string host_of(std::string_view url);

// "example.com" itself, "*.example.com" what is below it. No patterns: every host.
bool is_allowed_host(std::string_view host, const std::vector<std::string>& patterns);
void check_host_pattern(std::string_view pattern);

// Headers that a model may set; Host, Cookie and those that frame the message are never among them.
agentd::sdk::HttpHeaders checked_headers(const std::map<std::string, std::string>& asked, const std::vector<std::string>& allowed);

std::string lower(std::string_view text);
bool contains(const std::vector<std::string>& list, std::string_view item);

}  // namespace http_plugin
