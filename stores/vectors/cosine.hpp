// How near vectors are to each other, one by one: exact, and fast enough for some ten thousands.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace agentd::stores {

// Of length 1, in the same direction: the product of two is their cosine. A vector of zeros has none.
std::vector<float> unit(std::span<const float> vector);

// Of two units of the same dimensions: the cosine similarity, -1 to 1.
double cosine(std::span<const float> a, std::span<const float> b);

// A unit as the bytes that are kept of it, in this machine's order, and back. The bytes need not be aligned.
std::string_view bytes_of(std::span<const float> unit);
double cosine(std::span<const float> a, std::string_view bytes_of_b);

struct Neighbour {
  std::uint64_t position = 0;
  double score = 0;
  bool operator<(const Neighbour& other) const { return score != other.score ? score > other.score : position > other.position; }  // the better first, the newer of two as good
};

// The best of those that are offered, at most so many.
class Nearest {
 public:
  explicit Nearest(std::uint64_t most) : most_(most) {}
  void offer(Neighbour one);
  std::vector<Neighbour> best();  // the best first; once

 private:
  const std::uint64_t most_;
  std::vector<Neighbour> heap_;  // the worst in front
};

}  // namespace agentd::stores
