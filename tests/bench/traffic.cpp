#include "tests/bench/traffic.hpp"

namespace agentd::bench {

std::string request_body(bool second, bool stream) {
  std::string body = R"({"model":"gpt-4o-mini","messages":[{"role":"system","content":"Monitor system resources and performance"},)"
                     R"({"role":"user","content":"Check CPU, memory and disk usage\n\nParameters:\n```json\n{\"thresholds\":{\"cpu_usage\":80,\"memory_usage\":85,\"disk_usage\":90}}\n```"})";
  if (second) {
    body += R"(,{"role":"assistant","content":null,"tool_calls":[{"id":"742-k3f9q2a/1/0","type":"function","function":{"name":"system__memory","arguments":"{}"}}]})"
            R"(,{"role":"tool","tool_call_id":"742-k3f9q2a/1/0","content":"{\"total_bytes\":8326742016,\"available_bytes\":7016742912,\"used_bytes\":1309999104,\"used_percent\":15.7,\"swap_total_bytes\":0,\"swap_used_bytes\":0}"})";
  }
  body += R"(],"tools":[{"type":"function","function":{"name":"system__memory","description":"Memory and swap in use","parameters":{"type":"object","properties":{},"required":[],"additionalProperties":false}}}],"temperature":0)";
  if (stream) body += R"(,"stream":true,"stream_options":{"include_usage":true})";
  return body + "}";
}

}  // namespace agentd::bench
