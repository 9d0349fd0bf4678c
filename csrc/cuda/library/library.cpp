#include "cuda/library/library.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <mutex>
#include <set>

#include "cuda/error.h"
#include "cuda/library/find.h"
#include "cuda/library/text.h"

namespace hornbeam {

namespace {

Presence look_for(Presence (*find)()) {
  const char* wanted = std::getenv("HORNBEAM_LIBRARIES");
  if (wanted && std::strcmp(wanted, "0") == 0) return {false, "not used, as HORNBEAM_LIBRARIES=0 says"};
  return find();
}

// HORNBEAM_DUMP_LIBRARY=file: a line for each description that a library was asked to carry out, once in a process, and
// whether it did. Several processes may write to the file.
template <class D> void dump_description(const char* kind, const D& description, bool is_done) {
  static const char* const path = std::getenv("HORNBEAM_DUMP_LIBRARY");
  if (!path || !*path) return;
  static auto* seen = new std::set<std::string>;
  static auto* mutex = new std::mutex;  // several devices may be at work
  const std::string line = std::string(kind) + (is_done ? " done " : " none ") + text_of(description) + "\n";
  const std::lock_guard<std::mutex> lock(*mutex);
  if (!seen->insert(line).second) return;
  const int file = open(path, O_WRONLY | O_CREAT | O_APPEND, 0666);
  const bool is_written = file >= 0 && write(file, line.data(), line.size()) == static_cast<ssize_t>(line.size());
  if (file >= 0) close(file);
  if (!is_written) throw GpuError(std::string("HORNBEAM_DUMP_LIBRARY: cannot write to ") + path);
}

}  // namespace

const Presence& products_presence() {
  static const Presence presence = look_for(find_products);
  return presence;
}
const Presence& convolutions_presence() {
  static const Presence presence = look_for(find_convolutions);
  return presence;
}

void* LibraryWorkspace::of(Lane& lane) {
  if (!memory_) check("cudaMallocAsync", cudaMallocAsync(&memory_, kBytes, lane.stream));
  return memory_;
}

bool Library::multiply(Lane& lane, const char* op, const Gemm& g, const GemmData& data) {
  if (!products_) products_ = make_products(workspace_);
  const bool is_done = products_->multiply(lane, op, g, data);
  dump_description("gemm", g, is_done);
  return is_done;
}
bool Library::convolve(Lane& lane, const char* op, const Conv& c, const ConvData& data) {
  if (!convolutions_) convolutions_ = make_convolutions(workspace_);
  const bool is_done = convolutions_->convolve(lane, op, c, data);
  dump_description("conv", c, is_done);
  return is_done;
}

}  // namespace hornbeam
