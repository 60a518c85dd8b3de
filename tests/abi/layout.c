/* Every offset and every size that crosses the border, on every platform of 64 bits. Compiled as C11 and as C++17, 20 and 23.
 * A line here changes only before the interface is frozen. */
#include <agentd/abi/base.h>
#include <agentd/abi/events.h>
#include <agentd/abi/host.h>
#include <agentd/abi/memory.h>
#include <agentd/abi/provider.h>
#include <agentd/abi/task.h>
#include <agentd/abi/toolset.h>

#define SIZE(type, n) AGENTD_ASSERT(sizeof(type) == (n))
#define AT(type, member, n) AGENTD_ASSERT(offsetof(type, member) == (n))

SIZE(struct agentd_str, 16); AT(struct agentd_str, data, 0); AT(struct agentd_str, size, 8);
SIZE(struct agentd_result, 32); AT(struct agentd_result, size, 0); AT(struct agentd_result, status, 4);
AT(struct agentd_result, value, 8); AT(struct agentd_result, retry_after_ms, 24);
SIZE(struct agentd_component, 80); AT(struct agentd_component, size, 0); AT(struct agentd_component, flags, 4);
AT(struct agentd_component, interface_id, 8); AT(struct agentd_component, name, 24); AT(struct agentd_component, summary, 40);
AT(struct agentd_component, settings_schema, 56); AT(struct agentd_component, table, 72);
SIZE(struct agentd_plugin, 80); AT(struct agentd_plugin, size, 0); AT(struct agentd_plugin, component_count, 4);
AT(struct agentd_plugin, name, 8); AT(struct agentd_plugin, version, 24); AT(struct agentd_plugin, license, 40);
AT(struct agentd_plugin, components, 56); AT(struct agentd_plugin, requires_services, 64);
AT(struct agentd_plugin, requires_count, 72);

SIZE(struct agentd_host, 16); AT(struct agentd_host, size, 0); AT(struct agentd_host, reserved, 4);
AT(struct agentd_host, service, 8);
SIZE(struct agentd_host_ops_v1, 40); AT(struct agentd_host_ops_v1, created, 0); AT(struct agentd_host_ops_v1, finish, 8);
AT(struct agentd_host_ops_v1, progress, 16); AT(struct agentd_host_ops_v1, cancelled, 24);
AT(struct agentd_host_ops_v1, remaining_ms, 32);
SIZE(struct agentd_host_work_v1, 8); AT(struct agentd_host_work_v1, submit, 0);
SIZE(struct agentd_host_log_v1, 8); AT(struct agentd_host_log_v1, write, 0);
SIZE(struct agentd_host_timer_v1, 16); AT(struct agentd_host_timer_v1, after, 0); AT(struct agentd_host_timer_v1, cancel, 8);
SIZE(struct agentd_host_metrics_v1, 24); AT(struct agentd_host_metrics_v1, declare, 0);
AT(struct agentd_host_metrics_v1, add, 8); AT(struct agentd_host_metrics_v1, set, 16);
SIZE(struct agentd_header, 40); AT(struct agentd_header, size, 0); AT(struct agentd_header, reserved, 4);
AT(struct agentd_header, name, 8); AT(struct agentd_header, value, 24);
SIZE(struct agentd_http_request, 112); AT(struct agentd_http_request, size, 0); AT(struct agentd_http_request, flags, 4);
AT(struct agentd_http_request, parent, 8); AT(struct agentd_http_request, method, 16); AT(struct agentd_http_request, url, 32);
AT(struct agentd_http_request, headers, 48); AT(struct agentd_http_request, header_count, 56);
AT(struct agentd_http_request, body, 64); AT(struct agentd_http_request, timeout_ms, 80);
AT(struct agentd_http_request, idle_timeout_ms, 88); AT(struct agentd_http_request, max_response_bytes, 96);
AT(struct agentd_http_request, max_redirects, 104); AT(struct agentd_http_request, reserved, 108);
SIZE(struct agentd_http_head, 40); AT(struct agentd_http_head, size, 0); AT(struct agentd_http_head, status, 4);
AT(struct agentd_http_head, headers, 8); AT(struct agentd_http_head, header_count, 16); AT(struct agentd_http_head, url, 24);
SIZE(struct agentd_http_handler, 40); AT(struct agentd_http_handler, size, 0); AT(struct agentd_http_handler, reserved, 4);
AT(struct agentd_http_handler, context, 8); AT(struct agentd_http_handler, head, 16); AT(struct agentd_http_handler, body, 24);
AT(struct agentd_http_handler, end, 32);
SIZE(struct agentd_host_http_v1, 24); AT(struct agentd_host_http_v1, start, 0); AT(struct agentd_host_http_v1, pause, 8);
AT(struct agentd_host_http_v1, abort, 16);
SIZE(struct agentd_host_io_v1, 16); AT(struct agentd_host_io_v1, watch, 0); AT(struct agentd_host_io_v1, unwatch, 8);
SIZE(struct agentd_process_spec, 80); AT(struct agentd_process_spec, size, 0); AT(struct agentd_process_spec, flags, 4);
AT(struct agentd_process_spec, parent, 8); AT(struct agentd_process_spec, argv, 16); AT(struct agentd_process_spec, argc, 24);
AT(struct agentd_process_spec, environment, 32); AT(struct agentd_process_spec, environment_count, 40);
AT(struct agentd_process_spec, folder, 48); AT(struct agentd_process_spec, memory_bytes, 64);
AT(struct agentd_process_spec, cpu_ms, 72);
SIZE(struct agentd_process_handler, 32); AT(struct agentd_process_handler, size, 0);
AT(struct agentd_process_handler, reserved, 4); AT(struct agentd_process_handler, context, 8);
AT(struct agentd_process_handler, output, 16); AT(struct agentd_process_handler, end, 24);
SIZE(struct agentd_host_process_v1, 24); AT(struct agentd_host_process_v1, spawn, 0);
AT(struct agentd_host_process_v1, write, 8); AT(struct agentd_host_process_v1, kill, 16);
SIZE(struct agentd_host_kv_v1, 24); AT(struct agentd_host_kv_v1, get, 0); AT(struct agentd_host_kv_v1, put, 8);
AT(struct agentd_host_kv_v1, erase, 16);
SIZE(struct agentd_host_model_v1, 8); AT(struct agentd_host_model_v1, complete, 0);
SIZE(struct agentd_host_ask_v1, 8); AT(struct agentd_host_ask_v1, ask, 0);

SIZE(struct agentd_tool, 64); AT(struct agentd_tool, size, 0); AT(struct agentd_tool, flags, 4);
AT(struct agentd_tool, effect, 8); AT(struct agentd_tool, reserved, 12); AT(struct agentd_tool, name, 16);
AT(struct agentd_tool, summary, 32); AT(struct agentd_tool, schema, 48);
SIZE(struct agentd_call, 112); AT(struct agentd_call, size, 0); AT(struct agentd_call, flags, 4); AT(struct agentd_call, op, 8);
AT(struct agentd_call, timeout_ms, 16); AT(struct agentd_call, scope, 24); AT(struct agentd_call, call_id, 32);
AT(struct agentd_call, agent_id, 48); AT(struct agentd_call, run_id, 64); AT(struct agentd_call, tool, 80);
AT(struct agentd_call, arguments, 96);
SIZE(struct agentd_toolset_v1, 48); AT(struct agentd_toolset_v1, create, 0); AT(struct agentd_toolset_v1, destroy, 8);
AT(struct agentd_toolset_v1, bind, 16); AT(struct agentd_toolset_v1, start, 24); AT(struct agentd_toolset_v1, reconcile, 32);
AT(struct agentd_toolset_v1, cancel, 40);
SIZE(struct agentd_host_tools_v1, 8); AT(struct agentd_host_tools_v1, publish, 0);

SIZE(struct agentd_task_run, 104); AT(struct agentd_task_run, size, 0); AT(struct agentd_task_run, flags, 4);
AT(struct agentd_task_run, op, 8); AT(struct agentd_task_run, timeout_ms, 16); AT(struct agentd_task_run, call_id, 24);
AT(struct agentd_task_run, agent_id, 40); AT(struct agentd_task_run, run_id, 56); AT(struct agentd_task_run, params, 72);
AT(struct agentd_task_run, state, 88);
SIZE(struct agentd_task_v1, 32); AT(struct agentd_task_v1, create, 0); AT(struct agentd_task_v1, destroy, 8);
AT(struct agentd_task_v1, start, 16); AT(struct agentd_task_v1, cancel, 24);

SIZE(struct agentd_message, 56); AT(struct agentd_message, size, 0); AT(struct agentd_message, role, 4);
AT(struct agentd_message, json, 8); AT(struct agentd_message, extra, 24); AT(struct agentd_message, extra_owner, 40);
SIZE(struct agentd_completion, 136); AT(struct agentd_completion, size, 0); AT(struct agentd_completion, flags, 4);
AT(struct agentd_completion, op, 8); AT(struct agentd_completion, timeout_ms, 16); AT(struct agentd_completion, call_id, 24);
AT(struct agentd_completion, agent_id, 40); AT(struct agentd_completion, run_id, 56); AT(struct agentd_completion, model, 72);
AT(struct agentd_completion, messages, 88); AT(struct agentd_completion, message_count, 96);
AT(struct agentd_completion, tools, 104); AT(struct agentd_completion, options, 120);
SIZE(struct agentd_delta, 48); AT(struct agentd_delta, size, 0); AT(struct agentd_delta, kind, 4);
AT(struct agentd_delta, index, 8); AT(struct agentd_delta, name, 16); AT(struct agentd_delta, text, 32);
SIZE(struct agentd_usage, 48); AT(struct agentd_usage, size, 0); AT(struct agentd_usage, reserved, 4);
AT(struct agentd_usage, input_tokens, 8); AT(struct agentd_usage, output_tokens, 16);
AT(struct agentd_usage, cache_read_tokens, 24); AT(struct agentd_usage, cache_write_tokens, 32);
AT(struct agentd_usage, reasoning_tokens, 40);
SIZE(struct agentd_tool_request, 56); AT(struct agentd_tool_request, size, 0); AT(struct agentd_tool_request, reserved, 4);
AT(struct agentd_tool_request, id, 8); AT(struct agentd_tool_request, name, 24); AT(struct agentd_tool_request, arguments, 40);
SIZE(struct agentd_answer, 80); AT(struct agentd_answer, size, 0); AT(struct agentd_answer, finish_reason, 4);
AT(struct agentd_answer, text, 8); AT(struct agentd_answer, extra, 24); AT(struct agentd_answer, calls, 40);
AT(struct agentd_answer, call_count, 48); AT(struct agentd_answer, usage, 56); AT(struct agentd_answer, model, 64);
SIZE(struct agentd_embed, 56); AT(struct agentd_embed, size, 0); AT(struct agentd_embed, flags, 4);
AT(struct agentd_embed, op, 8); AT(struct agentd_embed, timeout_ms, 16); AT(struct agentd_embed, model, 24);
AT(struct agentd_embed, texts, 40); AT(struct agentd_embed, text_count, 48);
SIZE(struct agentd_vectors, 56); AT(struct agentd_vectors, size, 0); AT(struct agentd_vectors, reserved, 4);
AT(struct agentd_vectors, values, 8); AT(struct agentd_vectors, dimensions, 16); AT(struct agentd_vectors, count, 24);
AT(struct agentd_vectors, usage, 32); AT(struct agentd_vectors, model, 40);
SIZE(struct agentd_provider_v1, 40); AT(struct agentd_provider_v1, create, 0); AT(struct agentd_provider_v1, destroy, 8);
AT(struct agentd_provider_v1, complete, 16); AT(struct agentd_provider_v1, embed, 24); AT(struct agentd_provider_v1, cancel, 32);
SIZE(struct agentd_host_completions_v1, 32); AT(struct agentd_host_completions_v1, emit, 0);
AT(struct agentd_host_completions_v1, answer, 8); AT(struct agentd_host_completions_v1, fail, 16);
AT(struct agentd_host_completions_v1, embedded, 24);

SIZE(struct agentd_memory_entry, 144); AT(struct agentd_memory_entry, size, 0); AT(struct agentd_memory_entry, type, 4);
AT(struct agentd_memory_entry, agent_id, 8); AT(struct agentd_memory_entry, session_id, 24);
AT(struct agentd_memory_entry, id, 40); AT(struct agentd_memory_entry, text, 56); AT(struct agentd_memory_entry, json, 72);
AT(struct agentd_memory_entry, created_ms, 88); AT(struct agentd_memory_entry, position, 96);
AT(struct agentd_memory_entry, score, 104); AT(struct agentd_memory_entry, vector, 112);
AT(struct agentd_memory_entry, dimensions, 120); AT(struct agentd_memory_entry, space, 128);
SIZE(struct agentd_memory_query, 136); AT(struct agentd_memory_query, size, 0); AT(struct agentd_memory_query, type, 4);
AT(struct agentd_memory_query, op, 8); AT(struct agentd_memory_query, timeout_ms, 16);
AT(struct agentd_memory_query, agent_id, 24); AT(struct agentd_memory_query, session_id, 40);
AT(struct agentd_memory_query, id, 56); AT(struct agentd_memory_query, text, 72); AT(struct agentd_memory_query, before, 88);
AT(struct agentd_memory_query, limit, 96); AT(struct agentd_memory_query, vector, 104);
AT(struct agentd_memory_query, dimensions, 112); AT(struct agentd_memory_query, space, 120);
SIZE(struct agentd_memory_put, 40); AT(struct agentd_memory_put, size, 0); AT(struct agentd_memory_put, flags, 4);
AT(struct agentd_memory_put, op, 8); AT(struct agentd_memory_put, timeout_ms, 16); AT(struct agentd_memory_put, entries, 24);
AT(struct agentd_memory_put, count, 32);
SIZE(struct agentd_memory_v1, 56); AT(struct agentd_memory_v1, create, 0); AT(struct agentd_memory_v1, destroy, 8);
AT(struct agentd_memory_v1, put, 16); AT(struct agentd_memory_v1, list, 24); AT(struct agentd_memory_v1, search, 32);
AT(struct agentd_memory_v1, remove, 40); AT(struct agentd_memory_v1, cancel, 48);
SIZE(struct agentd_host_memories_v1, 8); AT(struct agentd_host_memories_v1, entries, 0);

SIZE(struct agentd_event, 112); AT(struct agentd_event, size, 0); AT(struct agentd_event, reserved, 4);
AT(struct agentd_event, id, 8); AT(struct agentd_event, type, 24); AT(struct agentd_event, agent_id, 40);
AT(struct agentd_event, run_id, 56); AT(struct agentd_event, session_id, 72); AT(struct agentd_event, timestamp_ms, 88);
AT(struct agentd_event, payload, 96);
SIZE(struct agentd_event_batch, 40); AT(struct agentd_event_batch, size, 0); AT(struct agentd_event_batch, flags, 4);
AT(struct agentd_event_batch, op, 8); AT(struct agentd_event_batch, timeout_ms, 16); AT(struct agentd_event_batch, events, 24);
AT(struct agentd_event_batch, count, 32);
SIZE(struct agentd_events_v1, 32); AT(struct agentd_events_v1, create, 0); AT(struct agentd_events_v1, destroy, 8);
AT(struct agentd_events_v1, append, 16); AT(struct agentd_events_v1, cancel, 24);
