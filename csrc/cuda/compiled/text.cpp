#include "cuda/compiled/text.h"

#include <sstream>

namespace hornbeam {

namespace {

const char* name_of(DType t) {
  switch (t) {
#define HB_X(name, type) \
  case DType::name: return #name;
    HB_DTYPES(HB_X)
#undef HB_X
  }
  return "";
}
const char* type_of(DType t) {
  switch (t) {
    case DType::float32: return "float";
    case DType::float64: return "double";
    case DType::int64: return "int64_t";
    default: return "int32_t";
  }
}
std::string dtype(DType t) { return std::string("DType::") + name_of(t); }

std::string uniform(int value) { return "u" + std::to_string(~value); }

class Writer {
 public:
  Writer(const FormulaDescription& d, const std::string& name) : d_(d), name_(name) {}

  std::string text() {
    os_ << "#include \"cuda/compiled/formula.h\"\n\nnamespace hornbeam::compiled {\n\nstruct " << name_ << "_steps {\n"
        << "  using T = " << type_of(d_.type) << ";\n  using Operands = " << (d_.is_grouped ? "Groups" : "Tensors")
        << ";\n  static constexpr int kElements = " << elements_of_thread(d_) << ";\n";
    for (int u = 0; u < d_.n_uniform; ++u) os_ << "  T u" << u << " = T(0);\n";
    os_ << "\n  HB_INLINE explicit " << name_ << "_steps([[maybe_unused]] const Operands& o) {\n";
    write_uniform();
    os_ << "  }\n  HB_INLINE void compute([[maybe_unused]] const Operands& o, [[maybe_unused]] const Tile& tile, const "
           "Share& share) const {\n";
    write_elements();
    os_ << "  }\n};\n\n}  // namespace hornbeam::compiled\n\nHB_FORMULA(hornbeam::compiled::" << name_ << "_steps, "
        << name_ << ")\n";
    return os_.str();
  }

 private:
  void write_uniform() {
    for (int k = 0; k < d_.n_constants; ++k)
      os_ << "    " << uniform(d_.constant_at[k]) << " = constant<T>(" << d_.constant[k] << "u);\n";
    for (int v = 0; v < d_.n_in; ++v)
      if (d_.in_at[v] < 0)
        os_ << "    " << uniform(d_.in_at[v]) << " = item<T, " << dtype(d_.in_dtype[v]) << ">("
            << (d_.is_grouped ? "o.shared[" : "o.in[") << v << (d_.is_grouped ? "]" : "].data") << ", 0);\n";
    for (int k = 0; k < d_.n_uniform_steps; ++k) {
      const BlockStep& s = d_.step[k];
      os_ << "    " << uniform(s.to) << " = " << call(s, "") << ";\n";
    }
  }

  void write_elements() {
    for (int slot = 0; slot < d_.n_slots; ++slot) os_ << "    T s" << slot << "[kElements];\n";
    for (int v = 0; v < d_.n_in; ++v)
      if (d_.in_at[v] >= 0 && d_.in_at[v] != kNowhere) write_load(v);
    for (int k = d_.n_uniform_steps; k < d_.n_steps; ++k) {
      const BlockStep& s = d_.step[k];
      os_ << "    HB_UNROLLED for (int k = 0; k < kElements; ++k) s" << s.to << "[k] = " << call(s, "[k]") << ";\n";
    }
    for (int j = 0; j < d_.n_out; ++j)
      if (d_.out_at[j] != kNowhere) write_store(j);
  }

  void write_load(int v) {
    const std::string to = ", share, s" + std::to_string(d_.in_at[v]) + ");\n", type = dtype(d_.in_dtype[v]);
    const std::string source = "o.in[" + std::to_string(v) + "]";
    os_ << "    ";
    if (d_.is_grouped) os_ << "load_of_group<" << type << ">(o, " << v - d_.n_shared << ", tile" << to;
    else if (d_.access[v] == Access::contiguous) os_ << "load<" << type << ">(" << source << ".data" << to;
    else if (d_.access[v] == Access::rows) os_ << "load_rows<" << type << ">(" << source << to;
    else os_ << "load_strided<" << type << ", " << d_.rank[v] << ">(" << source << to;
  }

  void write_store(int j) {
    std::string from = "s" + std::to_string(d_.out_at[j]);
    os_ << "    ";
    if (d_.out_at[j] < 0) {  // the same number for all elements
      from = "all" + std::to_string(j);
      os_ << "T " << from << "[kElements];\n    HB_UNROLLED for (int k = 0; k < kElements; ++k) " << from
          << "[k] = " << uniform(d_.out_at[j]) << ";\n    ";
    }
    const std::string type = dtype(d_.out_dtype[j]);
    if (d_.is_grouped) os_ << "store_of_group<" << type << ">(o, " << j << ", tile, share, " << from << ");\n";
    else os_ << "store<" << type << ">(o.out[" << j << "].data, share, " << from << ");\n";
  }

  std::string call(const BlockStep& s, const char* index) const {
    const Instruction& info = kInstructions[s.op];
    std::string text = std::string("scalar::evaluate<Opcode::") + info.name + ", T>(";
    const int16_t operands[] = {s.a, s.b, s.c};
    for (int k = 0; k < 3; ++k) {
      if (k) text += ", ";
      if (k >= info.arity) text += "T(0)";
      else text += operands[k] < 0 ? uniform(operands[k]) : "s" + std::to_string(operands[k]) + index;
    }
    return text + ")";
  }

  const FormulaDescription& d_;
  const std::string name_;
  std::ostringstream os_;
};

}  // namespace

int elements_of_thread(const FormulaDescription& d) {
  const int64_t bytes = d.n_slots * item_size(d.type);
  return bytes <= 64 ? 4 : bytes <= 128 ? 2 : 1;
}

std::string text_of(const FormulaDescription& d, const std::string& name) { return Writer(d, name).text(); }

}  // namespace hornbeam
