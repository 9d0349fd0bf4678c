#include "cuda/compiled/formulas.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <system_error>
#include <thread>

#include "cuda/compiled/compiler.h"
#include "cuda/compiled/formula.h"
#include "cuda/compiled/hash.h"
#include "cuda/compiled/headers.h"
#include "cuda/compiled/text.h"
#include "cuda/error.h"

namespace hornbeam {

namespace {

constexpr char kName[] = "formula";

// A process that ends waits for the formula that is being settled: the compiler's and the driver's data go with the
// process. No other begins.
std::mutex& settling() {
  static auto* mutex = new std::mutex;
  return *mutex;
}
std::atomic<bool> is_ending{false};  // a mutex alone is not fair: the thread would take it again before the waiting end
// Before what was there already when this was called comes to its end.
void stop_at_exit() {
  static const pid_t process = getpid();
  std::atexit([] {
    // A forked child has no such thread.
    if (process == getpid() && !is_ending.exchange(true)) settling().lock();
  });
}

// HORNBEAM_DUMP_FORMULAS=file: two lines for each formula of a process, when it is first run and when it is settled
// where its code comes from, with its description in hexadecimal digits. Several processes may write to the file.
void dump(const char* event, const FormulaDescription& d) {
  static const char* const path = std::getenv("HORNBEAM_DUMP_FORMULAS");
  if (!path || !*path) return;
  std::string line = std::string(event) + ' ';
  const auto* bytes = reinterpret_cast<const unsigned char*>(&d);
  for (size_t i = 0; i < sizeof d; ++i)
    for (const int digit : {bytes[i] >> 4, bytes[i] & 15}) line += "0123456789abcdef"[digit];
  line += '\n';
  const int file = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  if (file < 0) return;
  static_cast<void>(!write(file, line.data(), line.size()));
  close(file);
}

cudaKernel_t load(const std::string& code) {
  cudaLibrary_t library;
  cudaKernel_t kernel;
  check("cudaLibraryLoadData", cudaLibraryLoadData(&library, code.data(), nullptr, nullptr, 0, nullptr, nullptr, 0));
  check("cudaLibraryGetKernel", cudaLibraryGetKernel(&kernel, library, kName));
  cudaFuncAttributes loaded;  // puts it on the device now, and not when it is launched
  check("cudaFuncGetAttributes", cudaFuncGetAttributes(&loaded, reinterpret_cast<const void*>(kernel)));
  return kernel;
}

}  // namespace

size_t Formulas::Hash::operator()(const FormulaDescription& d) const {
  uint64_t words[sizeof d / sizeof(uint64_t)], hash = 0xcbf29ce484222325;
  static_assert(sizeof words == sizeof d);
  std::memcpy(words, &d, sizeof d);
  for (const uint64_t word : words) hash = (hash ^ word) * 0x100000001b3;
  return hash ^ hash >> 32;
}

void Formulas::start(int device) {
  device_ = device;
  int major = 0, minor = 0;
  check("cudaDeviceGetAttribute", cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, device));
  check("cudaDeviceGetAttribute", cudaDeviceGetAttribute(&minor, cudaDevAttrComputeCapabilityMinor, device));
  architecture_ = "sm_" + std::to_string(major) + std::to_string(minor);
  is_on_ = !compiler_version().empty();
  const char* wanted = std::getenv("HORNBEAM_NVRTC");
  waits_ = wanted && std::string(wanted) == "wait";
}

// False where the system has no more threads.
bool Formulas::start_to_work() {
  try {
    std::thread([this] { work(); }).detach();
    stop_at_exit();
  } catch (const std::system_error&) {
    is_on_ = false;
  }
  return is_on_;
}

const CompiledFormula* Formulas::find(const FormulaDescription& d, std::vector<const CompiledFormula*>* awaited) {
  auto it = formulas_.find(d);
  if (it == formulas_.end()) {
    if (formulas_.size() == kMost || (formulas_.empty() && !start_to_work())) return nullptr;
    it = formulas_.emplace(d, std::make_unique<CompiledFormula>()).first;
    it->second->tile = compiled::kThreads * elements_of_thread(d);
    if (!waits_) return nullptr;  // who runs it once has no use for code
  }
  if (!it->second->is_wanted) {
    it->second->is_wanted = true;
    dump("wanted", d);
    const std::lock_guard<std::mutex> lock(mutex_);
    wanted_.push_back({d, it->second.get()});
    is_wanted_.notify_one();
  }
  const CompiledFormula& formula = *it->second;
  if (waits_ && !awaited) {  // what is recorded was run before
    std::unique_lock<std::mutex> lock(mutex_);
    is_settled_.wait(lock, [&] { return formula.state.load() != CompiledFormula::pending; });
  }
  switch (formula.state.load(std::memory_order_acquire)) {
    case CompiledFormula::ready: return &formula;
    case CompiledFormula::pending:
      if (awaited) awaited->push_back(&formula);
      return nullptr;
    case CompiledFormula::none: break;
  }
  return nullptr;
}

Formulas::Wanted Formulas::take() {
  std::unique_lock<std::mutex> lock(mutex_);
  is_wanted_.wait(lock, [&] { return !wanted_.empty(); });
  const Wanted wanted = wanted_.front();
  wanted_.pop_front();
  return wanted;
}

void Formulas::work() {
  for (;;) {
    const Wanted wanted = take();
    const CompiledFormula::State state = settle(wanted);
    const std::lock_guard<std::mutex> lock(mutex_);
    wanted.formula->state.store(state, std::memory_order_release);
    is_settled_.notify_all();
  }
}

CompiledFormula::State Formulas::settle(const Wanted& wanted) {
  const std::lock_guard<std::mutex> lock(settling());
  if (is_ending) return CompiledFormula::none;
  try {
    make(wanted);
    return CompiledFormula::ready;
  } catch (const std::exception&) {  // it stays interpreted
    dump("none", wanted.description);
    return CompiledFormula::none;
  }
}

void Formulas::make(const Wanted& wanted) {
  check("cudaSetDevice", cudaSetDevice(device_));
  const std::string text = text_of(wanted.description, kName);
  const std::string identity =
      compiler_version() + "\n" + architecture_ + "\n" + std::to_string(hash_of_headers()) + "\n" + text;
  if (const std::string code = cache_.read(identity); !code.empty()) {
    try {
      wanted.formula->kernel = load(code);
      return dump("read", wanted.description);
    } catch (const GpuError&) {  // it is of no use to this driver
    }
  }
  if (!compiler_presence().is_there) throw GpuError(compiler_presence().text);
  static std::once_flag opened;
  std::call_once(opened, stop_at_exit);  // before the compiler ends, too
  const std::string code = compile(text, architecture_);
  wanted.formula->kernel = load(code);
  cache_.write(identity, code);
  dump("compiled", wanted.description);
}

cudaError_t launch(const CompiledFormula& formula, const void* operands, int64_t tiles, cudaStream_t stream) {
  constexpr int64_t kMostBlocks = 4096;  // each thread computes the uniform values
  if (tiles == 0) return cudaSuccess;    // groups without elements; CUDA refuses a grid without blocks
  void* arguments[] = {const_cast<void*>(operands)};
  const dim3 grid(static_cast<unsigned>(std::min(tiles, kMostBlocks)));
  return cudaLaunchKernel(reinterpret_cast<const void*>(formula.kernel), grid, dim3(compiled::kThreads), arguments, 0,
                          stream);
}

}  // namespace hornbeam
