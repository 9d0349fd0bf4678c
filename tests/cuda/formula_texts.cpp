// Makes what formulas are compared and compiled as:
//   formula_texts random COUNT    descriptions: of each instruction in each type alone, and COUNT formulas of many
//   formula_texts texts FILE      the texts of the file's descriptions, as one
#include <cstdlib>
#include <random>
#include <set>

#include "core/limits.h"
#include "cuda/compiled/text.h"
#include "formulas.h"

using namespace hornbeam;

namespace {

std::mt19937 draw(1);
int below(int n) { return static_cast<int>(draw() % static_cast<unsigned>(n)); }

DType any_dtype() { return static_cast<DType>(below(kDTypeCount)); }

template <class T> bool is_possible(Opcode op) { return kIsFloat<T> || !kInstructions[static_cast<int>(op)].floating; }

// `count` instructions, or `only` one of a kind.
template <class T> void write_random(int count, const Opcode* only) {
  const int n_in = only ? 3 : 1 + below(5), n_constants = below(3);
  std::vector<int32_t> code;
  std::vector<double> constants;
  std::vector<int32_t> outputs;
  for (int k = 0; k < n_constants; ++k) constants.push_back(below(7) - 3.0);
  for (int i = 0; i < count; ++i) {
    Opcode op = only ? *only : static_cast<Opcode>(below(kOpcodes));
    while (!is_possible<T>(op)) op = static_cast<Opcode>(below(kOpcodes));
    code.push_back(static_cast<int32_t>(op));
    for (int k = 0; k < kInstructions[static_cast<int>(op)].arity; ++k)
      code.push_back(only ? k : below(n_in + n_constants + i));
  }
  for (int j = 0; j < 1 + (only ? 0 : below(3)); ++j) outputs.push_back(n_in + n_constants + below(count));
  outputs.push_back(n_in + n_constants + count - 1);
  if (only) outputs.resize(1);
  const Formula g = {code.data(), static_cast<int32_t>(code.size()),   constants.data(), n_constants, outputs.data(),
                     n_in,        static_cast<int32_t>(outputs.size())};
  const bool is_grouped = !only && below(4) == 0;
  const int n_shared = is_grouped ? below(n_in) : 0;
  bool scalar[kMaxFusedInputs] = {}, wanted[kMaxFusedOutputs] = {};
  Tensors tensors{};
  Groups groups{};
  groups.n_shared = n_shared;
  for (int v = 0; v < n_in; ++v) {
    Source& source = tensors.in[v];
    source.access = only     ? Access::contiguous
                    : v == 0 ? static_cast<Access>(1 + below(3))
                             : static_cast<Access>(below(3));
    source.rank = 2 + below(3);
    source.dtype = groups.in_dtype[v] = below(2) ? any_dtype() : detail::kDTypeOf<T>;
    scalar[v] = is_grouped ? v < n_shared : source.access == Access::scalar;
  }
  for (size_t j = 0; j < outputs.size(); ++j) {
    wanted[j] = j == 0 || below(5) > 0;
    tensors.out[j].dtype = groups.out_dtype[j] = below(2) ? any_dtype() : detail::kDTypeOf<T>;
  }
  const BlockFormula<T> p = prepare<T>(g, scalar, wanted);
  write_formula(is_grouped ? describe(p, groups) : describe(p, tensors));
}

template <class T> void write_all(int count) {
  for (int op = 0; op < kOpcodes; ++op)
    if (const Opcode only = static_cast<Opcode>(op); is_possible<T>(only)) write_random<T>(1, &only);
  for (int i = 0; i < count; ++i) write_random<T>(1 + below(30), nullptr);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  if (std::string(argv[1]) == "random") {
    const int count = std::atoi(argv[2]);
    write_all<float>(count), write_all<double>(count), write_all<int32_t>(count), write_all<int64_t>(count);
    return 0;
  }
  int number = 0;
  for (const FormulaDescription& d : read_formulas(argv[2]))
    std::cout << text_of(d, "formula" + std::to_string(number++));
  return 0;
}
