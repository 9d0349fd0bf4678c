#include "program/run.h"

#include "core/error.h"

namespace hornbeam {

bool Run::bind() {
  if ((cut_ = program_->cut())) return false;
  std::vector<Shape> shapes;
  shapes.reserve(feeds_->size());
  for (const Feed& feed : *feeds_) shapes.push_back(feed.fed_shape());
  try {
    plan_ = program_->plan_for(target_, shapes, ints_);
    return true;
  } catch (const NeedsValues& e) {
    if (e.values.empty()) throw;
    cut_ = program_->cut(e.values);
    return false;
  }
}

void Run::run_first_part() {
  if (locking_ == Locking::take) {
    order_ = program_->lock_order();
    locks_.emplace(program_->variables, order_).take(false);
    locking_ = Locking::held;
  }
  const uint64_t number = counter_->begin(program_->has_random());
  number_.set(number);
  counter_ = &number_;

  RunCounter of_first(number);
  Run first(*cut_->first, target_, *feeds_, of_first, Locking::held, ints_);
  while (!first.bind()) first.run_first_part();
  std::vector<Feed> fed = *feeds_;
  std::vector<void*> results;
  for (size_t i = 0; i < cut_->first->outputs.size(); ++i) {
    const DType dtype = first.plan().output_dtype(static_cast<int>(i));
    const Shape& shape = first.plan().output_shape(static_cast<int>(i));
    made_.emplace_back(shape.count() * item_size(dtype) + 1);
    results.push_back(made_.back().data());
    fed.push_back(contiguous(made_.back().data(), dtype, shape));
  }
  first.run(results, false);

  ints_.resize(fed.size());
  for (size_t i = 0; i < fed.size(); ++i) {
    if (!cut_->needed[i]) continue;
    const DType dtype = cut_->rest->values[cut_->rest->feeds[i]].dtype;
    const int64_t count = fed[i].fed_shape().count();
    Buffer values(count * item_size(dtype) + 1);
    stage(fed[i], dtype, values.data());
    ints_[i] = integers(dtype, values.data(), count);
  }
  fed_ = std::move(fed);
  feeds_ = &fed_;
  program_ = cut_->rest.get();
}

bool Run::run(const std::vector<void*>& outputs, bool at_once, const RunOptions& options) {
  RunOptions of_last = options;
  if (locking_ == Locking::held) of_last.now = of_last.next = nullptr;  // it is fed what the first part made, too
  if (!plan_->run(*feeds_, outputs, *counter_, locking_, at_once, of_last)) return false;
  locks_.reset();
  return true;
}

}  // namespace hornbeam
