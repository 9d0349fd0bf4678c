// The elementwise interpreter: runs a register program (ops/elementwise.h) tile by tile, so that what
// lies between its inputs and outputs stays in L1. Every plain op is a program of one instruction.
//
// A call is cut into passes, one per distinct shape among its outputs (`compile`), a pass into tasks of
// kTaskElements of the flattened output, a task into tiles (`run_range`). In a tile, each input is first
// made readable as a run of the compute type: used where it lies, or loaded into a slot of scratch.
// Instructions then run over whole vectors; the last few elements go through one padded vector each.
#include "core/dispatch.h"
#include "cpu/convert.h"
#include "cpu/elementwise_joined.h"
#include "cpu/export.h"
#include "cpu/parallel.h"

HB_CPU_BEGIN

constexpr int64_t kTaskElements = 16384;
constexpr int64_t kMaxTile = 512;
constexpr int64_t kScratchBytes = 48 * 1024;
constexpr int64_t kFetchBytes = 8 << 20;  // inputs beyond this are not in a cache; those inside lose by prefetching
constexpr int16_t kNoSlot = -1;

// ---- inputs --------------------------------------------------------------------------------------
// How an input covers the flattened output: one element for all; element by element; a short run
// repeated; in general by strides; or row by row, each somewhere or missing, which is zero.
enum class Access { scalar, contiguous, periodic, strided, rows };

struct Source : Cover {
  const char* data;
  ConvertRow load;  // to the compute type
  int64_t item;
  Access access;
  bool convert;          // has another dtype than the compute type
  const int32_t* place;  // rows: where each of them, dim[0] long, is among the dim[1] at `data`, or -1
};

template <class T> constexpr DType dtype_of() {
  return __is_same(T, float)     ? DType::float32
         : __is_same(T, double)  ? DType::float64
         : __is_same(T, int32_t) ? DType::int32
                                 : DType::int64;
}

template <class T> static void set_data(Source& s, const TensorRef& t) {
  s.data = static_cast<const char*>(t.data);
  s.load = load_row<T>(t.dtype);
  s.item = item_size(t.dtype);
  s.convert = t.dtype != dtype_of<T>();
}

static void set_access(Source& s, const Shape& in, const Shape& out) {
  s.set(in, out);
  if (s.is_scalar()) s.access = Access::scalar;
  else if (s.is_whole()) s.access = Access::contiguous;
  else if (s.rank == 2 && s.stride[0] == 1 && s.dim[0] <= kMaxTile) s.access = Access::periodic;
  else s.access = Access::strided;
}

// n elements of a run; whole vectors may be written past its end, as slots have room for one more.
template <class T> HB_INLINE void load_run(const Source& s, const char* from, T* dst, int64_t n) {
  if (s.convert) return s.load(dst, from, n);
  const T* p = reinterpret_cast<const T*>(from);
  int64_t i = 0;
  for (; i + kLanes<T> <= n; i += kLanes<T>) store<T>(dst + i, load<T>(p + i));
  if (i < n) store<T>(dst + i, load_tail<T>(p + i, static_cast<int>(n - i)));
}

// Elements [pos, pos + n) of the flattened output.
template <class T> static void load_strided(const Source& s, int64_t pos, T* dst, int64_t n) {
  int64_t index[kMaxRank], offset = 0;
  for (int d = 0; d < s.rank; ++d) {
    index[d] = pos % s.dim[d];
    pos /= s.dim[d];
    offset += index[d] * s.stride[d];
  }
  while (n > 0) {
    const int64_t left = s.dim[0] - index[0], run = left < n ? left : n;
    const char* from = s.data + offset * s.item;
    if (s.stride[0]) {
      load_run<T>(s, from, dst, run);
    } else {
      T one;
      s.load(&one, from, 1);
      for (int64_t i = 0; i < run; i += kLanes<T>) store<T>(dst + i, splat<T>(one));
    }
    dst += run;
    n -= run;
    offset -= index[0] * s.stride[0];
    index[0] = 0;
    for (int d = 1; d < s.rank; ++d) {
      offset += s.stride[d];
      if (++index[d] < s.dim[d]) break;
      offset -= index[d] * s.stride[d];
      index[d] = 0;
    }
  }
}

template <class T> static void load_rows(const Source& s, int64_t pos, T* dst, int64_t n) {
  for (int64_t row = pos / s.dim[0], at = pos % s.dim[0]; n > 0; ++row, at = 0) {
    const int64_t left = s.dim[0] - at, run = left < n ? left : n;
    if (s.place[row] >= 0 && s.place[row] < s.dim[1])
      load_run<T>(s, s.data + (s.place[row] * s.dim[0] + at) * s.item, dst, run);
    else
      for (int64_t i = 0; i < run; i += kLanes<T>) store<T>(dst + i, Vec<T>{});
    dst += run;
    n -= run;
  }
}

// ---- passes --------------------------------------------------------------------------------------
// What is needed for some of the outputs. Steps whose operands are all scalars come first and run once.
template <class T> struct Pass {
  Formula formula;
  bool wanted[kMaxFusedOutputs];
  bool used[kMaxFusedInputs];
  bool in_slot[kMaxFusedInputs];  // loaded into its slot, never read where it lies
  int16_t slot[kMaxFusedValues];
  int16_t writer[kMaxFusedOutputs];    // the step that makes output j, or -1
  int16_t last_read[kMaxFusedInputs];  // by which step
  int32_t n_uniform, n_steps;
  Instruction<T> steps[kMaxFusedInstructions];
  int64_t tile, slot_size;
  bool fetch_ahead;                     // the next tile's inputs, from memory, while one is computed
  Operand<T> uniform[kMaxFusedValues];  // of values that are scalars for the whole pass
  alignas(64) T uniform_data[kMaxFusedValues * kLanes<T>];
};

// What is decided of each value on the way to a pass.
struct Marks {
  int first, total;  // the number of the first step's result, and how many steps the code has
  bool needed[kMaxFusedValues];
  bool uniform[kMaxFusedValues];  // a scalar for the whole pass
  int16_t last[kMaxFusedValues];  // the step that reads it last
};

template <class T> static void decode(Pass<T>& p, Marks& m) {
  const Formula& g = p.formula;
  m.first = g.n_in + g.n_constants;
  m.total = 0;
  for (int32_t pc = 0; pc < g.code_size; ++m.total) {
    Instruction<T>& s = p.steps[m.total];
    const Opcode op = static_cast<Opcode>(g.code[pc++]);
    const int arity = kInstructions[static_cast<int>(op)].arity;
    s.op = op == Opcode::square ? Opcode::mul : op;  // x x, with two equal operands
    s.run = rows<T>()[static_cast<int>(s.op)];
    s.result = static_cast<int16_t>(m.first + m.total);
    for (int k = 0; k < 4; ++k) s.arg[k] = static_cast<int16_t>(g.code[k < arity ? pc + k : pc]);
    pc += arity;
  }
}

template <class T> static void find_needed(Pass<T>& p, Marks& m) {
  const Formula& g = p.formula;
  for (int v = 0; v < m.first + m.total; ++v) m.needed[v] = false;
  for (int j = 0; j < g.n_out; ++j)
    if (p.wanted[j]) m.needed[g.outputs[j]] = true;
  for (int i = m.total - 1; i >= 0; --i)
    if (m.needed[p.steps[i].result])
      for (int16_t a : p.steps[i].arg) m.needed[a] = true;
  for (int v = 0; v < g.n_in; ++v) p.used[v] = m.needed[v];
}

// The steps that are needed, uniform ones to the front, the others joined where one instruction does what two did;
// both parts keep their order.
template <class T>
static void order_steps(Pass<T>& p, Marks& m, const Source* sources, int32_t n_uniform_inputs) {
  const Formula& g = p.formula;
  for (int v = 0; v < m.first; ++v)
    m.uniform[v] = v >= g.n_in || (m.needed[v] && v < n_uniform_inputs && sources[v].access == Access::scalar);
  Instruction<T> later[kMaxFusedInstructions];
  int n_later = 0;
  p.n_uniform = 0;
  for (int i = 0; i < m.total; ++i) {
    const Instruction<T> s = p.steps[i];
    if (!m.needed[s.result]) continue;
    m.uniform[s.result] = true;
    for (int16_t a : s.arg) m.uniform[s.result] &= m.uniform[a];
    if (m.uniform[s.result]) p.steps[p.n_uniform++] = s;
    else later[n_later++] = s;
  }
  int16_t uses[kMaxFusedValues] = {};
  for (int i = 0; i < n_later; ++i)
    for (int k = 0; k < kInstructions[static_cast<int>(later[i].op)].arity; ++k) ++uses[later[i].arg[k]];
  for (int j = 0; j < g.n_out; ++j)
    if (p.wanted[j]) uses[g.outputs[j]] = 2;
  n_later = join_instructions(later, n_later, uses, m.first);
  for (int i = 0; i < n_later; ++i) p.steps[p.n_uniform + i] = later[i];
  p.n_steps = p.n_uniform + n_later;
}

template <class T> static void find_lifetimes(Pass<T>& p, Marks& m) {
  const Formula& g = p.formula;
  for (int v = 0; v < m.first; ++v) m.last[v] = -1;
  for (int i = p.n_uniform; i < p.n_steps; ++i) {
    m.last[p.steps[i].result] = static_cast<int16_t>(i);
    for (int16_t a : p.steps[i].arg) m.last[a] = static_cast<int16_t>(i);
  }
  for (int v = 0; v < g.n_in; ++v) {
    p.last_read[v] = m.last[v];
    p.in_slot[v] = false;
  }
  for (int j = 0; j < g.n_out; ++j) {
    p.writer[j] = -1;
    if (!p.wanted[j]) continue;
    const int v = g.outputs[j];
    m.last[v] = static_cast<int16_t>(p.n_steps);
    // Another output may be written over this input before it is copied out.
    if (v < g.n_in && !m.uniform[v]) p.in_slot[v] = true;
    for (int i = p.n_uniform; i < p.n_steps; ++i)
      if (p.steps[i].result == v) p.writer[j] = static_cast<int16_t>(i);
  }
}

// Slots of scratch: of inputs that are not read where they lie, and of results, which take those of operands that die.
template <class T> static void assign_slots(Pass<T>& p, const Marks& m, const Source* sources) {
  const Formula& g = p.formula;
  int16_t slots = 0, free_slots[kMaxFusedInstructions];
  int n_free = 0;
  for (int v = 0; v < g.n_in; ++v) {
    p.slot[v] = kNoSlot;
    if (!p.used[v] || m.uniform[v] || sources[v].access == Access::scalar) continue;
    p.in_slot[v] |= sources[v].convert || sources[v].access != Access::contiguous;
    if (p.in_slot[v]) {
      p.slot[v] = slots;
      slots = static_cast<int16_t>(slots + (sources[v].access == Access::periodic ? 2 : 1));
    }
  }
  for (int i = p.n_uniform; i < p.n_steps; ++i) {
    const Instruction<T>& s = p.steps[i];
    // Operands that die here make room at once: rows may work in place.
    for (int k = 0; k < 4; ++k) {
      const int16_t a = s.arg[k];
      bool repeated = false;
      for (int earlier = 0; earlier < k; ++earlier) repeated |= s.arg[earlier] == a;
      if (a >= m.first && !m.uniform[a] && m.last[a] == i && !repeated) free_slots[n_free++] = p.slot[a];
    }
    p.slot[s.result] = n_free ? free_slots[--n_free] : slots++;
  }
  const int64_t tile = kScratchBytes / static_cast<int64_t>(sizeof(T)) / (slots ? slots : 1) - kLanes<T>;
  p.tile = (tile < kMaxTile ? tile : kMaxTile) / kLanes<T> * kLanes<T>;
  p.slot_size = p.tile + kLanes<T>;
}

template <class T> static void compute_uniform(Pass<T>& p, const Marks& m, const Source* sources) {
  const Formula& g = p.formula;
  for (int v = 0; v < m.first + m.total; ++v) p.uniform[v] = {p.uniform_data + v * kLanes<T>, 0};
  for (int c = 0; c < g.n_constants; ++c)
    store<T>(p.uniform_data + (g.n_in + c) * kLanes<T>, splat<T>(static_cast<T>(g.constants[c])));
  for (int v = 0; v < g.n_in; ++v) {
    if (!m.uniform[v]) continue;
    T one;
    sources[v].load(&one, sources[v].data, 1);
    store<T>(p.uniform_data + v * kLanes<T>, splat<T>(one));
  }
  for (int i = 0; i < p.n_uniform; ++i) {
    const Instruction<T>& s = p.steps[i];
    s.run(p.uniform_data + s.result * kLanes<T>, p.uniform, s.arg, kLanes<T>);
  }
}

// Decides which steps run and where their results live. Inputs below `n_uniform_inputs` whose access is
// scalar are uniform; sources of inputs that are not read may be unset.
template <class T> static void compile(Pass<T>& p, const Source* sources, int32_t n_uniform_inputs) {
  Marks marks;
  decode(p, marks);
  find_needed(p, marks);
  order_steps(p, marks, sources, n_uniform_inputs);
  find_lifetimes(p, marks);
  assign_slots(p, marks, sources);
  compute_uniform(p, marks, sources);
}

// ---- running -------------------------------------------------------------------------------------
// Elements [begin, end) of the flattened output; begin is a multiple of kLanes.
template <class T>
static void run_range(const Pass<T>& p, const Source* sources, const TensorRef* const* outs, int64_t begin,
                      int64_t end) {
  constexpr int64_t L = kLanes<T>, kLine = 64 / sizeof(T);
  alignas(64) T scratch[kScratchBytes / sizeof(T)];
  alignas(64) T edge_in[kMaxFusedInputs * L], edge_out[kMaxFusedOutputs * L];
  Operand<T> value[kMaxFusedValues];
  T* result[kMaxFusedInstructions];
  const Formula& g = p.formula;
  const int n_values = g.n_in + g.n_constants;
  const int64_t tile = end - begin < p.tile ? (end - begin + L - 1) / L * L : p.tile;

  for (int v = 0; v < n_values; ++v) value[v] = p.uniform[v];
  for (int i = 0; i < p.n_uniform; ++i) value[p.steps[i].result] = p.uniform[p.steps[i].result];
  for (int i = p.n_uniform; i < p.n_steps; ++i) {
    result[i] = scratch + p.slot[p.steps[i].result] * p.slot_size;
    value[p.steps[i].result] = {result[i], L};
  }
  bool is_scalar[kMaxFusedInputs], repeats[kMaxFusedInputs];
  for (int v = 0; v < g.n_in; ++v) {
    if (!p.used[v]) continue;
    const Source& s = sources[v];
    repeats[v] = s.access == Access::periodic && s.dim[0] <= p.tile;
    is_scalar[v] = s.access == Access::scalar;
    if (is_scalar[v]) {
      T one;
      s.load(&one, s.data, 1);
      store<T>(edge_in + v * L, splat<T>(one));
      value[v] = {edge_in + v * L, 0};
    } else if (repeats[v]) {
      // Once around and a tile more, so that a tile can start at any phase.
      T* at = scratch + p.slot[v] * p.slot_size;
      for (int64_t filled = 0; filled < tile + s.dim[0]; filled += s.dim[0]) {
        const int64_t room = tile + s.dim[0] - filled;
        load_run<T>(s, s.data, at + filled, room < s.dim[0] ? room : s.dim[0]);
      }
    }
  }
  // An output is made in its place if nothing reads what lies there any more.
  bool direct[kMaxFusedOutputs];
  for (int j = 0; j < g.n_out; ++j) {
    direct[j] = p.wanted[j] && outs[j]->data && p.writer[j] >= 0 && outs[j]->dtype == dtype_of<T>();
    for (int v = 0; v < g.n_in && direct[j]; ++v)
      if (p.used[v] && sources[v].data == outs[j]->data && p.last_read[v] > p.writer[j]) direct[j] = false;
    for (int k = 0; k < j && direct[j]; ++k)
      if (direct[k] && p.writer[k] == p.writer[j]) direct[j] = false;
  }

  for (int64_t pos = begin, n; pos < end; pos += n) {
    n = end - pos < tile ? end - pos : tile;
    const bool tail = n < L;
    if (!tail) n = n / L * L;
    for (int v = 0; v < g.n_in; ++v) {
      if (!p.used[v] || is_scalar[v]) continue;
      const Source& s = sources[v];
      T* slot = scratch + p.slot[v] * p.slot_size;
      if (!p.in_slot[v]) {
        const T* from = reinterpret_cast<const T*>(s.data) + pos;
        if (tail) store<T>(edge_in + v * L, load_tail<T>(from, static_cast<int>(n)));
        if (p.fetch_ahead && end - pos > tile)
          for (int64_t i = 0; i < tile; i += kLine) __builtin_prefetch(from + tile + i, 0);
        value[v] = {tail ? edge_in + v * L : from, L};
        continue;
      }
      if (repeats[v]) {
        value[v] = {slot + pos % s.dim[0], L};
        continue;
      }
      value[v] = {slot, L};
      if (s.access == Access::contiguous) load_run<T>(s, s.data + pos * s.item, slot, n);
      else if (s.access == Access::rows) load_rows<T>(s, pos, slot, n);
      else load_strided<T>(s, pos, slot, n);
    }
    for (int j = 0; j < g.n_out; ++j) {
      if (!direct[j]) continue;
      T* at = tail ? edge_out + j * L : outs[j]->as<T>() + pos;
      result[p.writer[j]] = at;
      value[g.outputs[j]].p = at;
    }
    const int64_t padded = tail ? L : n;
    for (int i = p.n_uniform; i < p.n_steps; ++i) {
      const Instruction<T>& s = p.steps[i];
      s.run(result[i], value, s.arg, padded);
    }
    for (int j = 0; j < g.n_out; ++j) {
      if (!p.wanted[j] || !outs[j]->data || (direct[j] && !tail)) continue;
      const DType t = outs[j]->dtype;
      store_row<T>(t)(outs[j]->as<char>() + pos * item_size(t), value[g.outputs[j]].p, n);
    }
  }
}

// All outputs, a pass for each of their shapes. With `place`, which is the call's input 1, input 0 is rows.
template <class T> static void run_formula(const KernelCall& c, const Formula& g, const int32_t* place = nullptr) {
  bool done[kMaxFusedOutputs];
  const TensorRef* outs[kMaxFusedOutputs];
  for (int j = 0; j < g.n_out; ++j) {
    outs[j] = &c.out[j];
    done[j] = !c.out[j].present || c.out[j].shape.count() == 0;
  }
  for (int j = 0; j < g.n_out; ++j) {
    if (done[j]) continue;
    const Shape& shape = c.out[j].shape;
    Pass<T> p;
    p.formula = g;
    for (int k = 0; k < g.n_out; ++k) {
      p.wanted[k] = !done[k] && c.out[k].shape == shape;
      done[k] |= p.wanted[k];
    }
    Source sources[kMaxFusedInputs];
    for (int v = 0; v < g.n_in; ++v) {
      const TensorRef& t = c.in[v && place ? v + 1 : v];
      set_data<T>(sources[v], t);
      set_access(sources[v], t.shape, shape);
    }
    if (place) {
      sources[0].access = Access::rows;
      sources[0].dim[0] = shape.count(1, shape.rank);
      sources[0].dim[1] = c.in[0].shape[0];
      sources[0].place = place;
    }
    compile(p, sources, g.n_in);
    const int64_t n = shape.count();
    p.fetch_ahead = n * g.n_in * static_cast<int64_t>(sizeof(T)) > kFetchBytes;
    parallel_tasks(c, (n + kTaskElements - 1) / kTaskElements, [&](int64_t task) {
      const int64_t begin = task * kTaskElements, end = begin + kTaskElements;
      run_range(p, sources, outs, begin, end < n ? end : n);
    });
  }
}

static void run_fused(const KernelCall& c) {
  const FusedAttrs& a = *static_cast<const FusedAttrs*>(c.attrs);
  with_compute_type(a.dtype, [&](auto t) { run_formula<decltype(t)>(c, formula_of(a, c.n_in)); });
}

static void run_fused_rows(const KernelCall& c) {
  const FusedAttrs& a = *static_cast<const FusedAttrs*>(c.attrs);
  with_compute_type(
      a.dtype, [&](auto t) { run_formula<decltype(t)>(c, formula_of(a, c.n_in - 1), c.in[1].as<const int32_t>()); });
}

// ---- one instruction -----------------------------------------------------------------------------
// Operands of the compute type that are whole or scalar: no tiles, no slots.
template <class T>
static bool run_flat(const KernelCall& c, RowFunction<T> row, int64_t n, const double* constant) {
  constexpr int64_t L = kLanes<T>;
  alignas(64) T one[3 * L];
  const T* data[3] = {one, one, one};
  int64_t step[3] = {0, 0, 0};
  if (c.out[0].dtype != dtype_of<T>()) return false;
  for (int v = 0; v < c.n_in; ++v) {
    const int64_t count = c.in[v].shape.count();
    if (c.in[v].dtype != dtype_of<T>() || (count != n && count != 1)) return false;
    data[v] = c.in[v].as<T>();
    step[v] = L;
    if (count == n) continue;
    store<T>(one + v * L, splat<T>(*data[v]));
    data[v] = one + v * L;
    step[v] = 0;
  }
  if (constant) store<T>(one + c.n_in * L, splat<T>(static_cast<T>(*constant))), data[c.n_in] = one + c.n_in * L;
  T* out = c.out[0].as<T>();
  parallel_tasks(c, (n + kTaskElements - 1) / kTaskElements, [&](int64_t task) {
    const int64_t begin = task * kTaskElements, stop = begin + kTaskElements, end = stop < n ? stop : n;
    const int64_t whole = (end - begin) / L * L;
    const int16_t order[] = {0, 1, 2};
    Operand<T> x[3];
    for (int v = 0; v < 3; ++v) x[v] = {step[v] ? data[v] + begin : data[v], step[v]};
    if (whole) row(out + begin, x, order, whole);
    const int rest = static_cast<int>(end - begin - whole);
    if (rest == 0) return;
    alignas(64) T padded[4 * L];
    for (int v = 0; v < 3; ++v) {
      if (!step[v]) continue;
      store<T>(padded + v * L, load_tail<T>(x[v].p + whole, rest));
      x[v].p = padded + v * L;
    }
    row(padded + 3 * L, x, order, L);
    store_tail<T>(out + begin + whole, load<T>(padded + 3 * L), rest);
  });
  return true;
}

static void run_one(const KernelCall& c, Opcode op, const double* constant) {
  const int64_t n = c.out[0].shape.count();
  if (n == 0) return;
  const int32_t n_constants = constant ? 1 : 0;
  const DType t = op_dtype(op, c.in[0].dtype, c.in[c.n_in > 1].dtype, c.out[0].dtype);
  with_compute_type(t, [&](auto zero) {
    using T = decltype(zero);
    if (run_flat<T>(c, rows<T>()[static_cast<int>(op)], n, constant)) return;
    const int32_t code[] = {static_cast<int32_t>(op), 0, 1, 2}, output = c.n_in + n_constants;
    run_formula<T>(c, {code, 1 + kInstructions[static_cast<int>(op)].arity, constant, n_constants, &output, c.n_in, 1});
  });
}
template <Opcode op> static void run_op(const KernelCall& c) {
  if constexpr (op == Opcode::elu) run_one(c, op, &static_cast<const EluAttrs*>(c.attrs)->alpha);
  else run_one(c, op, nullptr);
}

static void run_cast(const KernelCall& c) {
  const TensorRef &in = c.in[0], &out = c.out[0];
  const int64_t n = out.shape.count();
  const DType t = cast_dtype(in.dtype, out.dtype);
  with_compute_type(t, [&](auto zero) {
    using T = decltype(zero);
    const ConvertRow load = load_row<T>(in.dtype), store = store_row<T>(out.dtype);
    const int64_t from_size = item_size(in.dtype), to_size = item_size(out.dtype);
    parallel_tasks(c, (n + kTaskElements - 1) / kTaskElements, [&](int64_t task) {
      alignas(64) T tile[kMaxTile];
      const int64_t begin = task * kTaskElements, stop = begin + kTaskElements, end = stop < n ? stop : n;
      for (int64_t i = begin; i < end; i += kMaxTile) {
        const int64_t m = end - i < kMaxTile ? end - i : kMaxTile;
        load(tile, in.as<char>() + i * from_size, m);
        store(out.as<char>() + i * to_size, tile, m);
      }
    });
  });
}

// ---- many groups ---------------------------------------------------------------------------------
// Groups lie one after the other, each rounded up to whole vectors, and tasks are cut from that line.
static int64_t group_size(const KernelCall& c, int64_t n_out, int64_t group) {
  return (c.out[group * n_out].shape.count() + 15) / 16 * 16;
}

static int64_t workspace_multi(const KernelCall& c) {
  return (static_cast<const FusedMultiAttrs*>(c.attrs)->n_groups + 1) * static_cast<int64_t>(sizeof(int64_t));
}

template <class T> static void run_multi(const KernelCall& c, const FusedMultiAttrs& a) {
  const int32_t n_shared = static_cast<int32_t>(a.n_shared), n_groups = static_cast<int32_t>(a.n_groups);
  const int32_t n_each = (c.n_in - n_shared) / n_groups, n_out = a.program.outputs.size;
  const auto set_sources = [&](Source* sources, int32_t from, int32_t to, int32_t group) {
    for (int32_t v = from; v < to; ++v) {
      const TensorRef& t = c.in[v < n_shared ? v : group * n_each + v];
      set_data<T>(sources[v], t);
      const bool whole = v >= n_shared && t.shape.count() == c.out[group * n_out].shape.count();
      sources[v].access = whole ? Access::contiguous : Access::scalar;
    }
  };
  Pass<T> p;
  p.formula = formula_of(a.program, n_shared + n_each);
  for (int32_t j = 0; j < n_out; ++j) {
    p.wanted[j] = false;
    for (int32_t g = 0; g < n_groups; ++g) p.wanted[j] |= c.out[g * n_out + j].present;
  }
  Source shared[kMaxFusedInputs];
  set_sources(shared, 0, n_shared + n_each, 0);
  // Which of a group's inputs are scalars differs from group to group: room for any.
  for (int32_t v = n_shared; v < n_shared + n_each; ++v) shared[v].access = Access::contiguous;
  compile(p, shared, n_shared);

  int64_t* start = reinterpret_cast<int64_t*>(c.workspace);
  start[0] = 0;
  for (int32_t g = 0; g < n_groups; ++g) start[g + 1] = start[g] + group_size(c, n_out, g);
  const int64_t total = start[n_groups];
  p.fetch_ahead = total * n_each * static_cast<int64_t>(sizeof(T)) > kFetchBytes;
  parallel_tasks(c, (total + kTaskElements - 1) / kTaskElements, [&](int64_t task) {
    const int64_t begin = task * kTaskElements, stop = begin + kTaskElements, end = stop < total ? stop : total;
    int32_t group = 0;
    for (int32_t high = n_groups; high - group > 1;) {
      const int32_t middle = (group + high) / 2;
      (start[middle] <= begin ? group : high) = middle;
    }
    Source sources[kMaxFusedInputs];
    set_sources(sources, 0, n_shared, 0);
    for (; group < n_groups && start[group] < end; ++group) {
      const TensorRef* outs[kMaxFusedOutputs];
      for (int32_t j = 0; j < n_out; ++j) outs[j] = &c.out[group * n_out + j];
      set_sources(sources, n_shared, n_shared + n_each, group);
      const int64_t n = outs[0]->shape.count();
      const int64_t from = begin > start[group] ? begin - start[group] : 0, to = end - start[group];
      run_range(p, sources, outs, from, to < n ? to : n);
    }
  });
}

static void run_fused_multi(const KernelCall& c) {
  const FusedMultiAttrs& a = *static_cast<const FusedMultiAttrs*>(c.attrs);
  with_compute_type(a.program.dtype, [&](auto t) { run_multi<decltype(t)>(c, a); });
}

#define HB_X(name, arity, domain, result) {#name, "tiles", nullptr, nullptr, run_op<Opcode::name>},
// clang-format off
HB_EXPORT_KERNELS(elementwise,
  HB_ELEMENTWISE(HB_X)
  {"cast", "tiles", nullptr, nullptr, run_cast},
  {"fused", "tiles", nullptr, nullptr, run_fused},
  {"fused_rows", "tiles", nullptr, nullptr, run_fused_rows},
  {"fused_multi", "tiles", nullptr, workspace_multi, run_fused_multi})
// clang-format on

HB_CPU_END
