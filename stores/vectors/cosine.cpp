#include "stores/vectors/cosine.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>

namespace agentd::stores {
namespace {

// Sums beside each other, which a compiler may keep in one register of the machine's: alone it must not change the order of additions.
constexpr std::size_t kLanes = 16;

double product(const char* a, const char* b, std::size_t count) {
  std::array<float, kLanes> sums{}, left, right;
  std::size_t i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    std::memcpy(left.data(), a + i * sizeof(float), sizeof left);
    std::memcpy(right.data(), b + i * sizeof(float), sizeof right);
    for (std::size_t lane = 0; lane < kLanes; ++lane) sums[lane] += left[lane] * right[lane];
  }
  double sum = 0;
  for (const float one : sums) sum += one;
  for (; i < count; ++i) {
    float x = 0, y = 0;
    std::memcpy(&x, a + i * sizeof(float), sizeof x);
    std::memcpy(&y, b + i * sizeof(float), sizeof y);
    sum += static_cast<double>(x) * y;
  }
  return std::clamp(sum, -1.0, 1.0);
}

}  // namespace

std::vector<float> unit(std::span<const float> vector) {
  double squares = 0;
  for (const float v : vector) squares += static_cast<double>(v) * v;
  const double length = std::sqrt(squares);
  std::vector<float> made;
  made.reserve(vector.size());
  for (const float v : vector) made.push_back(static_cast<float>(v / length));
  return made;
}

std::string_view bytes_of(std::span<const float> unit) { return {reinterpret_cast<const char*>(unit.data()), unit.size_bytes()}; }

double cosine(std::span<const float> a, std::string_view bytes_of_b) { return product(bytes_of(a).data(), bytes_of_b.data(), std::min(a.size(), bytes_of_b.size() / sizeof(float))); }
double cosine(std::span<const float> a, std::span<const float> b) { return cosine(a, bytes_of(b)); }

void Nearest::offer(Neighbour one) {
  if (heap_.size() == most_) {
    if (most_ == 0 || !(one < heap_.front())) return;
    std::pop_heap(heap_.begin(), heap_.end());
    heap_.pop_back();
  }
  heap_.push_back(one);
  std::push_heap(heap_.begin(), heap_.end());
}

std::vector<Neighbour> Nearest::best() {
  std::sort_heap(heap_.begin(), heap_.end());
  return std::move(heap_);
}

}  // namespace agentd::stores
