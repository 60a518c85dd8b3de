// Relative paths are relative to the file that names them, also in settings, where only a component's schema knows which texts
// are paths: those marked "format": "path".
#pragma once
#include "core/manifest/agent_spec.hpp"
#include "core/manifest/checks.hpp"
#include "core/manifest/reader.hpp"

namespace agentd::manifest {

// Makes such texts of `settings` absolute. `origin` is the tree they were read from and says for each which file named it. What
// does not fit the schema is left as it is, for a validator to refuse; so is a reference to a secret. reader: is told of relative ones that
// came without a file.
void make_paths_absolute(Json& settings, const Tree& origin, const Json& schema, Reader* reader = nullptr);

// The same for an agent's tools.toolsets, read from `manifest`.
void make_toolset_paths_absolute(Reader& reader, Tools& tools, const Tree& manifest, const Checks& checks);

// The same for the params of a gate and of a native task. They have no schema, so a relative path is a text that says so by its first
// characters: ".", "..", "./x" and "../x".
void make_native_paths_absolute(Reader& reader, AgentSpec& spec, const Tree& manifest);

}  // namespace agentd::manifest
