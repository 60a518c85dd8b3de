#include "core/net/client.hpp"

#include "core/net/loop.hpp"

namespace agentd::net {

Client::Client(World world, Settings settings) : loop_(std::make_unique<Loop>(std::move(world), std::move(settings))) {}
Client::~Client() = default;
port::HttpClient::Id Client::start(port::HttpRequest request, port::HttpHandler handler) { return loop_->start(std::move(request), std::move(handler)); }
void Client::pause(Id id, bool paused) { loop_->pause(id, paused); }
void Client::abort(Id id) { loop_->abort(id); }
std::size_t Client::in_flight() const { return loop_->in_flight(); }

}  // namespace agentd::net
