#include "core/host_step.h"

#include "core/buffer.h"

namespace hornbeam {

namespace {

int64_t bytes_of(const TensorRef& t) { return t.present ? t.bytes() : 0; }

}  // namespace

HostStep::HostStep(const Kernel& kernel, const KernelCall& there, char* room)
    : kernel_(kernel),
      call_(there),
      refs_(there.in, there.in + there.n_in),
      packed_(static_cast<size_t>(there.n_in)),
      room_(room),
      mode_(float_mode()) {
  refs_.insert(refs_.end(), there.out, there.out + there.n_out);
  for (size_t i = 0; i < refs_.size(); ++i) {
    TensorRef& ref = refs_[i];
    const int64_t bytes = bytes_of(ref);
    const Part part{take(bytes), ref.data, bytes};
    ref.data = ref.present ? part.here : nullptr;
    if (bytes) (i < packed_.size() ? inputs_ : outputs_).push_back(part);
  }
  call_.in = refs_.data();
  call_.out = refs_.data() + there.n_in;
  call_.workspace = take(kernel.workspace ? kernel.workspace(there) : 0);
  if (kernel.pack_input >= 0) {
    packing_ = take(kernel.packed_bytes(there));
    packed_[static_cast<size_t>(kernel.pack_input)] = packing_;
    call_.packed = packed_.data();
  }
  char* number = take(sizeof(uint64_t));
  if (!there.run_info) return;
  run_info_ = *there.run_info;
  call_.run_info = &run_info_;
  if (!run_info_.device_run) return;
  run_number_ = reinterpret_cast<const uint64_t*>(number);
  inputs_.push_back({number, const_cast<uint64_t*>(run_info_.device_run), sizeof(uint64_t)});
}

char* HostStep::take(int64_t bytes) {
  char* part = room_ ? room_ + taken_ : nullptr;
  taken_ += align_up(bytes);
  return part;
}

void HostStep::run() {
  const FloatMode before = float_mode();
  set_float_mode(mode_);
  if (run_number_) run_info_.run = *run_number_;
  if (packing_) kernel_.pack(call_, packing_);
  kernel_.run(call_);
  set_float_mode(before);
}

}  // namespace hornbeam
