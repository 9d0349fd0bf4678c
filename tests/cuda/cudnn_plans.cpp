// Has cuDNN an exact plan for each convolution of a file (HORNBEAM_DUMP_LIBRARY)? Asked without a GPU, by a description
// of one: cudnn_plans DEVICE.json CONVOLUTIONS. Prints a table, and the convolutions without a plan; ends with 1 if the
// library refuses one that it should know.
#include <algorithm>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <map>

#include "cuda/library/cudnn_plan.h"
#include "cuda/library/library.h"
#include "cuda/library/text.h"

using namespace hornbeam;

namespace {

struct Count { int64_t convolutions = 0, planned = 0, fewest_exact = INT64_MAX, workspace = 0; };

std::string kind_of(const Conv& c) {
  static const char* const kinds[] = {"forward", "input gradient", "filter gradient"};
  return std::to_string(c.axes) + "-D " + kinds[static_cast<int>(c.kind)] + (c.bias ? ", bias" : "") +
         (c.relu ? ", relu" : "") + (c.dtype == DType::float64 ? ", float64" : "");
}

void plan(const Conv& c, int64_t alignment, const CudnnPlace& place, Count& count) {
  ++count.convolutions;
  const ConvKey key{c, alignment, alignment, alignment, alignment};
  const CudnnGraph graph(key, place);  // a refusal is a mistake in the description
  int64_t exact = 0;
  for (const CudnnDescriptor& suggestion : graph.suggestions()) exact += is_exact(suggestion, c);
  count.fewest_exact = std::min(count.fewest_exact, exact);
  const auto made = exact_plan(key, place, LibraryWorkspace::kBytes);
  if (!made) {
    std::printf("no exact plan, %d-byte aligned: %s\n", static_cast<int>(alignment), text_of(c).c_str());
    return;
  }
  ++count.planned;
  count.workspace = std::max(count.workspace, made->workspace);
}

int describe() {
  try {
    cudnnHandle_t handle;
    check_cudnn("Create", cudnn().Create(&handle));
    CudnnDescriptor device(CUDNN_BACKEND_DEVICEPROP_DESCRIPTOR);
    device.set(CUDNN_ATTR_DEVICEPROP_HANDLE, CUDNN_TYPE_HANDLE, &handle).finalize();
    std::string text(
        static_cast<size_t>(device.get(CUDNN_ATTR_DEVICEPROP_JSON_REPRESENTATION, CUDNN_TYPE_CHAR, 0, nullptr)), ' ');
    device.get(CUDNN_ATTR_DEVICEPROP_JSON_REPRESENTATION, CUDNN_TYPE_CHAR, static_cast<int64_t>(text.size()),
               text.data());
    std::printf("%s\n", text.c_str());
    return 0;
  } catch (const CudnnError& e) {
    std::fprintf(stderr, "%s\n", e.what());
    return 2;
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (!cudnn().library) {
    std::fprintf(stderr, "%s\n", cudnn().library.missing().c_str());
    return 2;
  }
  if (argc == 2 && std::string(argv[1]) == "--describe") return describe();
  if (argc != 3) {
    std::fprintf(stderr, "cudnn_plans DEVICE.json CONVOLUTIONS, or --describe\n");
    return 2;
  }
  std::ifstream json(argv[1]), lines(argv[2]);
  if (!json || !lines) {
    std::fprintf(stderr, "cannot read %s and %s\n", argv[1], argv[2]);
    return 2;
  }
  const std::string text((std::istreambuf_iterator<char>(json)), {});
  std::map<std::string, Count> table;
  int refused = 0;
  try {
    CudnnDescriptor device(CUDNN_BACKEND_DEVICEPROP_DESCRIPTOR);
    device.set(CUDNN_ATTR_DEVICEPROP_JSON_REPRESENTATION, CUDNN_TYPE_CHAR, text.c_str(),
               static_cast<int64_t>(text.size()) + 1);
    device.finalize();
    const CudnnPlace place{nullptr, &device};
    for (std::string line; std::getline(lines, line);) {
      const std::string start = "conv done ";
      if (line.compare(0, start.size(), start) != 0) continue;
      const Conv c = read_description<Conv>(line.substr(start.size()));
      for (const int64_t alignment : {int64_t{16}, item_size(c.dtype)}) {
        try {
          plan(c, alignment, place, table[kind_of(c) + (alignment == 16 ? "" : ", unaligned")]);
        } catch (const CudnnError& e) {
          ++refused;
          std::printf("refused: %s\n  %s\n", line.c_str(), e.what());
        }
      }
    }
  } catch (const std::runtime_error& e) {
    std::fprintf(stderr, "%s\n", e.what());
    return 2;
  }
  std::printf("%-44s %8s %8s %14s %12s\n", "", "asked", "planned", "exact at least", "workspace");
  for (const auto& [kind, n] : table)
    std::printf("%-44s %8lld %8lld %14lld %9.1f MB\n", kind.c_str(), static_cast<long long>(n.convolutions),
                static_cast<long long>(n.planned), static_cast<long long>(n.fewest_exact),
                static_cast<double>(n.workspace) / (1 << 20));
  return refused ? 1 : 0;
}
