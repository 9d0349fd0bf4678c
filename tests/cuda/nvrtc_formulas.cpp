// Has NVRTC compile each formula of a file, for a GPU:
//   nvrtc_formulas FILE sm_90
// Ends with 3 where NVRTC is not on this machine.
#include "cuda/compiled/compiler.h"
#include "cuda/compiled/text.h"
#include "cuda/error.h"
#include "formulas.h"

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  if (!hornbeam::compiler_presence().is_there) {
    std::cout << hornbeam::compiler_presence().text << '\n';
    return 3;
  }
  size_t bytes = 0, refused = 0;
  const auto all = read_formulas(argv[1]);
  for (const auto& d : all) {
    try {
      bytes += hornbeam::compile(hornbeam::text_of(d, "formula"), argv[2]).size();
    } catch (const hornbeam::GpuError& error) {
      std::cout << error.what() << '\n' << hornbeam::text_of(d, "formula");
      ++refused;
    }
  }
  std::cout << all.size() << " formulas compiled by " << hornbeam::compiler_presence().text << " for " << argv[2]
            << ": " << refused << " refused, " << bytes << " bytes\n";
  return refused != 0;
}
