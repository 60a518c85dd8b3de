#include "host/recall_note.hpp"

#include "core/manifest/problem.hpp"

namespace agentd::host {

std::optional<std::string> recall_note(const manifest::AgentSpec& spec, const manifest::HostConfig& config, const Ports& ports) {
  if (spec.task.is_native() || spec.memory.recall == 0) return std::nullopt;
  if (config.embedding.provider.empty()) return "what agents remember is recalled by words alone (full text): there is no [embedding]";
  if (!ports.embedder()) return "what agents remember is recalled by words alone (full text): [embedding] cannot be used";
  for (const auto* type : {"long_term", "procedural"}) {
    const auto& store = manifest::store_of(spec.memory, type, config.memory.store);
    if (!ports.has_vectors(store) && config.stores.contains(store))
      return "store " + manifest::quote(store) + " keeps no vectors: what is remembered there is recalled by words alone (full text)";
  }
  return std::nullopt;
}

}  // namespace agentd::host
