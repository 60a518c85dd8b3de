// Whether a run does the same thing again and again. Part of the fold, so that whoever takes the run up counts as the one before
// did.
#pragma once
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/event/record.hpp"

namespace agentd::run {

// A step repeats the one before when its calls, in whatever order, are the same: tool, arguments as JSON, and result. A poll
// whose result changes is none.

// A model that waits for something by asking three times does nothing wrong; at the fourth it is told, once.
inline constexpr int kTellAfter = 4;
// Told, a model has as many steps again to do something else; what repeats itself still does so until a budget is spent.
inline constexpr int kEndAfter = 8;

// A call of a step that is complete.
struct Deed {
  std::string_view tool, arguments, result;  // JSON, but for the name
};

class Repetition {
 public:
  // How many steps in a row have done the same when the run has done this one, too.
  int with(std::span<const Deed> step) const;
  void take(std::span<const Deed> step);
  int times() const { return times_; }
  event::Fault fault() const;  // of a run that is ended for it

 private:
  struct Kept {
    std::string tool, arguments;
    std::size_t result;  // a hash: to be fooled, it takes a collision at every step
  };
  static Kept keep(const Deed& deed);
  static bool same(const Kept& kept, const Deed& deed);

  std::vector<Kept> last_;
  int times_ = 0;
};

event::Json repetition_note();  // what the model is told

}  // namespace agentd::run
