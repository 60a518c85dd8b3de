// Instances that their plugin keeps using stay in memory on purpose: what a test allocates in this scope is no leak.
#pragma once

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define AGENTD_LEAKS_ARE_LOOKED_FOR
#endif
#endif

#if defined(AGENTD_LEAKS_ARE_LOOKED_FOR)
#include <sanitizer/lsan_interface.h>
#endif

namespace agentd::plugin::test {

#if defined(AGENTD_LEAKS_ARE_LOOKED_FOR)
struct LeftBehind : __lsan::ScopedDisabler {};
#else
struct [[maybe_unused]] LeftBehind {};
#endif

}  // namespace agentd::plugin::test
