// The structures of DLPack, by which array libraries pass arrays without copying them.
#pragma once
#include <cstdint>

namespace hornbeam {

struct DlpackDtype {
  enum : uint8_t { integer = 0, unsigned_integer = 1, floating = 2, boolean = 6 };
  uint8_t code, bits;
  uint16_t lanes;
  bool operator==(const DlpackDtype& o) const { return code == o.code && bits == o.bits && lanes == o.lanes; }
};

struct DlpackTensor {
  void* data;
  int32_t device_type, device_number;
  int32_t rank;
  DlpackDtype dtype;
  int64_t* shape;
  int64_t* strides;  // in elements; null where there are no gaps
  uint64_t byte_offset;
};

struct DlpackManaged {
  DlpackTensor tensor;
  void* owner;
  void (*release)(DlpackManaged*);
};

constexpr char kDlpackCapsule[] = "dltensor", kDlpackUsed[] = "used_dltensor";

}  // namespace hornbeam
