// Binding: from a Program and concrete input shapes to a Plan. Everything that depends on shapes is
// decided here: what is known already, where each value lives, what may be written in place, which
// kernel runs each op and how its weights are packed. Private to the three bind*.cpp.
#pragma once
#include <memory>
#include <vector>

#include "core/arena.h"
#include "program/plan.h"

namespace hornbeam {

// Fills in one Plan, in the order in which the parts stand here. A value's root is the value whose bytes it has: for a
// view what it views, else itself.
class Binder {
 public:
  explicit Binder(Plan& plan) : plan_(plan), program_(plan.program_), arena_(plan.program_.options.reuse) {}
  void bind();

 private:
  // What is decided of a value while a plan is bound; -1 is none.
  struct ValueState {
    int root;
    int folded = -1;                  // where among the plan's folded values
    int made_by = -1, last_use = -1;  // steps; of a root, whichever of its views is read last
    bool needed = false;              // something reads it
    bool given = false;               // an output of the step that reads it last took its range over
    bool retired = false;             // its range is free again
  };
  struct OpState {
    bool skipped = false;  // a view, or known when bound
    bool alive = false;    // something reads its results
    std::vector<std::shared_ptr<Plan>> bodies;
  };
  struct PendingCopy {
    int source;
    Place to;
    int64_t bytes;
  };

  int root(int v) const { return values_[v].root; }

  // bind_shapes.cpp: shapes, and the integers that are known already.
  void infer();
  std::vector<int> unknown_integers(const OpInstance&) const;
  std::vector<int> fed_from(const OpInstance&, const std::vector<int>& body_values) const;
  void fold(int value);
  bool fold_by_kernel(int op);

  // bind.cpp: which ops run, when, and by which kernel.
  void find_uses();
  void order_steps();
  void make_step(int op);
  const Kernel* choose(const KernelTable&, const OpInstance&, const KernelCall&) const;

  // bind_places.cpp: where values live.
  void place_outputs();
  void place_updates();
  void place_values();
  bool placed(int r) const { return plan_.places_[r].kind != Place::nowhere; }
  bool carried_in_place(int output) const;
  bool direct(int r, ValueKind, int index) const;
  bool is_leaf(int r, ValueKind, int index) const;
  bool may_overwrite(const Step&, size_t input, int output) const;
  int inplace_donor(const Step&, int step, int output, std::vector<char>& taken);

  Plan& plan_;
  Program& program_;
  ArenaPlanner arena_;
  size_t early_ops_ = 0, tail_ = 0;  // in order_, and in the plan's steps: where what only serves updates begins
  std::vector<ValueState> values_;
  std::vector<OpState> ops_;
  std::vector<int> order_;  // of the ops that run
  std::vector<PendingCopy> copies_;
};

}  // namespace hornbeam
