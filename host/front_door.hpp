// What [api] says of who may come in.
#pragma once
#include <expected>
#include <functional>
#include <memory>
#include <vector>

#include "core/manifest/config.hpp"
#include "host/api/access.hpp"
#include "host/api/certificate.hpp"

namespace agentd::host {

struct FrontDoor {
  api::Access access;
  std::unique_ptr<api::Certificate> certificate;  // null: it does not speak TLS
};

// Tokens resolved, certificate read; or everything that is wrong with them, each with its place.
using Resolve = std::function<Result<std::string>(const manifest::SecretRef&)>;
std::expected<FrontDoor, std::vector<manifest::Problem>> open_front_door(const manifest::LoadedConfig& loaded, const Resolve& resolve);

}  // namespace agentd::host
