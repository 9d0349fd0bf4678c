// Compares the functions of formulas' texts with the interpreter, bit for bit, NaN being NaN:
//   compare_formulas FILE    of descriptions, whose texts were compiled into FORMULA_TEXTS
// Both compute on the host's memory.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <memory>
#include <random>

#include "core/dispatch.h"
#include "cuda/compiled/text.h"
#include "cuda/interpret.h"
#include "formulas.h"
#include FORMULA_TEXTS

using namespace hornbeam;

namespace {

using OneThread = void (*)(const void*, int, int, int, int);
#define HB_X(number) formula##number,
constexpr OneThread kFormulas[] = {FORMULA_LIST(HB_X)};
#undef HB_X

constexpr int64_t kCount = 1500;  // elements of a tensor, and room for what strides reach
constexpr int kOneNumber = 1;     // of a group's inputs, in one of the groups
std::mt19937_64 draw(2);

template <class T> T any_value() {
  const uint64_t bits = draw();
  if constexpr (kIsFloat<T>) {
    constexpr T kSpecial[] = {T(0), T(-0.0), T(1), T(-1), T(0.5), kHighest<T>, kLowest<T>, T(NAN), T(1e-38), T(3e38)};
    if (bits % 4 == 0) return kSpecial[bits / 4 % std::size(kSpecial)];
    return static_cast<T>(std::ldexp(static_cast<double>(static_cast<int64_t>(bits)) * 0x1p-63, bits % 24 - 12));
  } else {
    return static_cast<T>(bits % 3 ? static_cast<int64_t>(bits >> 8) % 9 - 4 : static_cast<int64_t>(bits >> 3));
  }
}

template <class T> bool is_nan(T x) { return x != x; }
bool is_nan(Half h) { return (h.bits & 0x7fff) > 0x7c00; }

struct Array {
  DType dtype;
  std::vector<uint64_t> memory = std::vector<uint64_t>(kCount);

  explicit Array(DType t) : dtype(t) {}
  void* data() { return memory.data(); }
  void fill() {
    for (uint64_t& word : memory) word = draw();
    for (int64_t i = 0; i < kCount; ++i) {
      if (dtype == DType::float16) static_cast<Half*>(data())[i] = float_to_half(any_value<float>());
      if (dtype == DType::float32) static_cast<float*>(data())[i] = any_value<float>();
      if (dtype == DType::float64) static_cast<double*>(data())[i] = any_value<double>();
      if (dtype == DType::int32) static_cast<int32_t*>(data())[i] = any_value<int32_t>();
      if (dtype == DType::int64) static_cast<int64_t*>(data())[i] = any_value<int64_t>();
    }
  }
  bool equals(Array& o) {
    for (int64_t i = 0; i < kCount; ++i) {
      bool is_same = true;
      const auto compare = [&](auto tag) {
        using T = decltype(tag);
        const T a = static_cast<T*>(data())[i], b = static_cast<T*>(o.data())[i];
        is_same = std::memcmp(&a, &b, sizeof a) == 0;
        is_same = is_same || (is_nan(a) && is_nan(b));
      };
      if (dtype == DType::float16) compare(Half{});
      else if (dtype == DType::float32) compare(float{});
      else if (dtype == DType::float64) compare(double{});
      else if (item_size(dtype) == 8) compare(int64_t{});
      else if (item_size(dtype) == 4) compare(int32_t{});
      else if (item_size(dtype) == 2) compare(int16_t{});
      else compare(int8_t{});
      if (!is_same) return false;
    }
    return true;
  }
};

// A formula's tensors. Where the dtype and the way of reading allow it, an output lies over an input.
struct Data {
  std::vector<Array> in, out;
  std::vector<int32_t> places;

  explicit Data(const FormulaDescription& d) {
    for (int v = 0; v < d.n_in; ++v) in.emplace_back(d.in_dtype[v]).fill();
    for (int j = 0; j < d.n_out; ++j) out.emplace_back(d.out_dtype[j]).fill();
    for (int64_t i = 0; i < kCount; ++i) places.push_back(static_cast<int32_t>(draw() % 12) - 2);
  }
  void* out_over(const FormulaDescription& d, int j) {
    for (int v = d.n_shared; v < d.n_in; ++v) {
      const bool is_whole = d.is_grouped ? v != d.n_shared + kOneNumber : d.access[v] == Access::contiguous;
      if (is_whole && v == d.n_shared + j && d.in_dtype[v] == d.out_dtype[j]) return in[static_cast<size_t>(v)].data();
    }
    return out[static_cast<size_t>(j)].data();
  }
};

Tensors tensors_of(const FormulaDescription& d, Data& data) {
  Tensors t{};
  t.n = kCount - 3;
  for (int v = 0; v < d.n_in; ++v) {
    Source& s = t.in[v];
    s.data = data.in[static_cast<size_t>(v)].data();
    s.dtype = d.in_dtype[v];
    s.access = d.access[v];
    s.rank = d.rank[v];
    for (int k = 0; k < s.rank; ++k) s.n[k] = Divider::of(3 + k + v % 2), s.stride[k] = k == v % 3 ? 0 : 1 + 7 * k;
    if (s.access != Access::rows) continue;
    s.place = data.places.data();
    s.n[0] = Divider::of(13);
    s.n_rows = 9;
  }
  for (int j = 0; j < d.n_out; ++j) t.out[j] = {data.out_over(d, j), d.out_dtype[j], 0};
  return t;
}

// Three groups one behind another: in the first input kOneNumber is one number for all, the last lacks the last output.
Groups groups_of(const FormulaDescription& d, Data& data, int tile) {
  constexpr int64_t kSizes[] = {700, 1, 600};
  Groups g{};
  g.n_shared = d.n_shared, g.n_each = d.n_in - d.n_shared, g.n_out = d.n_out;
  std::memcpy(g.in_dtype, d.in_dtype, sizeof g.in_dtype);
  std::memcpy(g.out_dtype, d.out_dtype, sizeof g.out_dtype);
  for (int v = 0; v < d.n_shared; ++v) g.shared[v] = data.in[static_cast<size_t>(v)].data();
  int64_t begin = 0;
  for (const int64_t n : kSizes) {
    int64_t* word = g.word + g.n_groups * g.words();
    word[0] = g.n_groups ? g.tiles(tile) : 0;
    word[1] = n;
    word[2] = n == kSizes[0] && g.n_each > kOneNumber ? 1 << kOneNumber : 0;
    for (int k = 0; k < g.n_each; ++k)
      word[3 + k] = reinterpret_cast<int64_t>(data.in[static_cast<size_t>(d.n_shared + k)].data()) +
                    begin * item_size(d.in_dtype[d.n_shared + k]);
    for (int j = 0; j < d.n_out; ++j)
      word[3 + g.n_each + j] = reinterpret_cast<int64_t>(data.out_over(d, j)) + begin * item_size(d.out_dtype[j]);
    if (n == kSizes[2] && d.n_out > 1) word[2 + g.n_each + d.n_out] = 0;
    ++g.n_groups;
    begin += n;
  }
  return g;
}

template <class T> BlockFormula<T> formula_of(const FormulaDescription& d) {
  BlockFormula<T> p{};
  p.n_in = d.n_in, p.n_out = d.n_out, p.n_constants = d.n_constants;
  p.n_uniform_steps = d.n_uniform_steps, p.n_steps = d.n_steps, p.n_slots = d.n_slots, p.n_uniform = d.n_uniform;
  std::memcpy(p.in_at, d.in_at, sizeof p.in_at);
  std::memcpy(p.out_at, d.out_at, sizeof p.out_at);
  std::memcpy(p.constant_at, d.constant_at, sizeof p.constant_at);
  std::memcpy(p.step, d.step, sizeof p.step);
  for (int k = 0; k < d.n_constants; ++k) std::memcpy(&p.constant[k], &d.constant[k], sizeof(T));
  return p;
}

template <class T, class Operands> void run_interpreter(const BlockFormula<T>& p, const Operands& operands) {
  const int threads = threads_for(p);
  const auto bytes = static_cast<size_t>(shared_bytes(p, threads));
  sim::run_blocks(dim3(2), dim3(static_cast<unsigned>(threads)), bytes, [&] { interpret<T, Operands>(p, operands); });
}
template <class Operands> void run_compiled(OneThread f, const Operands& operands, int threads) {
  for (int block = 0; block < 2; ++block)
    for (int thread = 0; thread < threads; ++thread) f(&operands, block, 2, thread, threads);
}

bool is_same(const FormulaDescription& d, OneThread f) {
  Data one(d), two = one;
  const int threads = compiled::kThreads, tile = threads * elements_of_thread(d);
  with_compute_type(d.type, [&](auto t) {
    const auto p = formula_of<decltype(t)>(d);
    if (d.is_grouped) run_interpreter(p, groups_of(d, one, threads_for(p) * kWide));
    else run_interpreter(p, tensors_of(d, one));
  });
  if (d.is_grouped) run_compiled(f, groups_of(d, two, tile), threads);
  else run_compiled(f, tensors_of(d, two), threads);
  bool is_same = true;
  for (size_t j = 0; j < one.out.size(); ++j) is_same = is_same && one.out[j].equals(two.out[j]);
  for (size_t v = 0; v < one.in.size(); ++v) is_same = is_same && one.in[v].equals(two.in[v]);
  return is_same;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  const std::vector<FormulaDescription> all = read_formulas(argv[1]);
  if (all.size() != std::size(kFormulas)) return 2;
  int wrong = 0;
  for (size_t i = 0; i < all.size(); ++i) {
    if (is_same(all[i], kFormulas[i])) continue;
    ++wrong;
    std::cout << "formula " << i << " has other bits than the interpreter:\n" << text_of(all[i], "formula");
  }
  std::cout << all.size() << " formulas compared, " << wrong << " differ\n";
  return wrong != 0;
}
