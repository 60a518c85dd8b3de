// From a component of a plugin to what the engine works with. Each makes an instance, with its settings checked against the
// component's schema before any code of it runs, and answers the port or why there is none.
#pragma once
#include <memory>
#include <string>

#include "core/plugin/catalog.hpp"
#include "core/plugin/instances.hpp"
#include "core/plugin/ledger_port.hpp"
#include "core/port/events.hpp"
#include "core/port/memory.hpp"
#include "core/port/provider.hpp"
#include "core/port/task.hpp"
#include "core/port/tool.hpp"

namespace agentd::plugin {

// `instances` outlives the ports. `name` is the configuration's name of the instance, `settings` a JSON object with references resolved.
Async<Result<std::unique_ptr<port::Toolset>>> open_toolset(Instances& instances, Catalog::Found component, std::string name, std::string settings);
Async<Result<std::unique_ptr<port::Task>>> open_task(Instances& instances, Catalog::Found component, std::string name, std::string settings);
// max_concurrent: completions and embeddings of this instance at once; waiting counts against their timeout.
Async<Result<std::unique_ptr<port::Provider>>> open_provider(Instances& instances, Catalog::Found component, std::string name, std::string settings,
                                                             std::size_t max_concurrent);
Async<Result<std::unique_ptr<port::MemoryStore>>> open_memory(Instances& instances, Catalog::Found component, std::string name, std::string settings);
Async<Result<std::unique_ptr<port::EventStore>>> open_events(Instances& instances, Catalog::Found component, std::string name, std::string settings);
// The store says in its settings where it keeps its files. Of another version than the host's: refused.
Async<Result<std::unique_ptr<LedgerPort>>> open_ledger(Instances& instances, Catalog::Found component, std::string name, std::string settings);

}  // namespace agentd::plugin
