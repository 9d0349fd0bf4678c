// Decoding of connectionist temporal classification: the best path, and prefix beam search (Graves 2012, "Supervised
// Sequence Labelling with Recurrent Neural Networks", section 7.5) with a beam of prefixes, whose probabilities are
// kept apart by whether they end in a blank. A sample is one task.
#include "ops/ctc_decode.h"

#include "cpu/export.h"
#include "cpu/parallel.h"
#include "cpu/row_sums.h"

HB_CPU_BEGIN

HB_INLINE int64_t steps_of(const KernelCall& c, int64_t b) {
  return larger(0, smaller(c.in[1].as<const int32_t>()[b], c.in[0].shape[1]));
}

template <class T> static void run_greedy(const KernelCall& c) {
  const bool merge = static_cast<const CtcGreedyAttrs*>(c.attrs)->merge_repeated;
  const int64_t time = c.in[0].shape[1], classes = c.in[0].shape[2];
  parallel_tasks(c, c.in[0].shape[0], [&](int64_t b) {
    const T* x = c.in[0].as<const T>() + b * time * classes;
    int64_t *labels = c.out[0].present ? c.out[0].as<int64_t>() + b * time : nullptr, count = 0, before = -1;
    double score = 0;
    for (int64_t t = 0, steps = steps_of(c, b); t < steps; ++t, x += classes) {
      int64_t best = 0;
      for (int64_t k = 1; k < classes; ++k)
        if (x[k] > x[best]) best = k;
      score -= static_cast<double>(x[best]);
      if (best != classes - 1 && !(merge && best == before)) {
        if (labels) labels[count] = best;
        ++count;
      }
      before = best;
    }
    for (int64_t t = count; labels && t < time; ++t) labels[t] = -1;
    if (c.out[1].present) c.out[1].as<int32_t>()[b] = static_cast<int32_t>(count);
    if (c.out[2].present) c.out[2].as<T>()[b] = static_cast<T>(score);
  });
}

// A prefix is its last label and the prefix before that. Prefixes are never forgotten, so that one which falls out of
// the beam and comes back is again the parent of those which had grown from it. `place` is where in the beam it is, or
// one of:
constexpr int32_t kOutside = -1, kPushedOut = -2, kGivenUp = -3;
struct Prefix { int32_t label, parent, child, sibling, place; };

// Logarithms of the probabilities of a prefix at the present step: ending in a blank, in its last label, and both. A
// prefix that is only considered has no number yet (-1): it is `label` after `parent`.
struct Entry {
  double total, blank, ending;
  int32_t prefix, parent, label, order;
};

HB_INLINE double log_sum(double a, double b) {
  const double top = a > b ? a : b, low = a > b ? b : a;
  return low == -kInf<double> ? top : top + log1p<double>(exp<double>(splat(low - top)))[0];
}

// What comes first in the beam: of equals, what was found first.
HB_INLINE bool better(const Entry& a, const Entry& b) {
  return a.total != b.total ? a.total > b.total : a.order < b.order;
}

// The best `width` entries seen, as a heap with the worst of them on top.
struct Best {
  Entry* items;
  int64_t width, size = 0;

  HB_INLINE bool admits(double total) const {
    return total > -kInf<double> && (size < width || total > items[0].total);
  }
  HB_INLINE void sink(int64_t at, int64_t end) {
    const Entry moved = items[at];
    for (int64_t child; (child = 2 * at + 1) < end; at = child) {
      if (child + 1 < end && better(items[child], items[child + 1])) ++child;
      if (!better(moved, items[child])) break;
      items[at] = items[child];
    }
    items[at] = moved;
  }
  // Returns the prefix that was pushed out, or -1 if none was that had a number.
  HB_INLINE int32_t add(const Entry& e) {
    if (size == width) {
      const int32_t out = items[0].prefix;
      items[0] = e;
      sink(0, size);
      return out;
    }
    int64_t at = size++;
    for (; at > 0 && better(items[(at - 1) / 2], e); at = (at - 1) / 2) items[at] = items[(at - 1) / 2];
    items[at] = e;
    return -1;
  }
  // Best first; it is no heap any more.
  HB_INLINE void sort() {
    for (int64_t end = size; end-- > 1;) {
      const Entry worst = items[0];
      items[0] = items[end];
      items[end] = worst;
      sink(0, end);
    }
  }
};

struct BeamSizes {
  int64_t time, classes, width, paths, prefixes, bytes;

  HB_INLINE explicit BeamSizes(const KernelCall& c) {
    const auto* a = static_cast<const CtcBeamAttrs*>(c.attrs);
    time = c.in[0].shape[1];
    classes = c.in[0].shape[2];
    width = a->beam_width;
    paths = a->top_paths;
    prefixes = 1 + width * time;
    bytes = classes * static_cast<int64_t>(sizeof(double)) + 2 * width * static_cast<int64_t>(sizeof(Entry)) +
            (classes + 5 * prefixes) * 4 + 64;
    bytes = bytes / 64 * 64;
  }
};

template <class T> struct BeamSearch {
  const BeamSizes& n;
  double* p;
  Entry *beam, *next;
  int32_t* child_with;  // per label: a prefix of the beam that ends in it, of which only the present parent's count
  Prefix* prefixes;
  int64_t size = 1;
  int32_t known = 1;

  HB_INLINE BeamSearch(const BeamSizes& sizes, char* w) : n(sizes) {
    p = reinterpret_cast<double*>(w);
    beam = reinterpret_cast<Entry*>(p + n.classes);
    next = beam + n.width;
    child_with = reinterpret_cast<int32_t*>(next + n.width);
    prefixes = reinterpret_cast<Prefix*>(child_with + n.classes);
    prefixes[0] = {-1, -1, -1, -1, 0};  // nothing said yet
    beam[0] = {0, 0, -kInf<double>, 0, -1, -1, 0};
    for (int64_t k = 0; k < n.classes; ++k) child_with[k] = -1;
  }

  // Log softmax of the step.
  HB_INLINE void normalize(const T* x) {
    for (int64_t k = 0; k < n.classes; ++k) p[k] = static_cast<double>(x[k]);
    const double top = row_max<double>(p, n.classes);
    const double norm = top + log<double>(splat(softmax_row<double>(p, top, n.classes, nullptr)))[0];
    for (int64_t k = 0; k < n.classes; ++k) p[k] -= norm;
  }

  HB_INLINE void step(const T* x) {
    normalize(x);
    Best best{next, n.width};
    int32_t order = 0;
    // Prefixes that stay: a blank, their last label again, or that label after their parent.
    for (int64_t i = 0; i < size; ++i) {
      Entry e = beam[i];
      const Prefix& own = prefixes[e.prefix];
      e.blank = beam[i].total + p[n.classes - 1];
      if (own.parent >= 0) {
        const int32_t parent = prefixes[own.parent].place;
        if (parent >= 0)
          e.ending =
              log_sum(e.ending, prefixes[own.parent].label == own.label ? beam[parent].blank : beam[parent].total);
        e.ending += p[own.label];
      }
      e.total = log_sum(e.blank, e.ending);
      e.order = order++;
      best.add(e);
    }
    // Prefixes that grow by a label, best first.
    for (int64_t i = 0; i < size; ++i) grow(beam[i], best, order);
    best.sort();
    for (int64_t i = 0; i < size; ++i) prefixes[beam[i].prefix].place = kOutside;
    for (int64_t i = 0; i < best.size; ++i) {
      if (next[i].prefix < 0) next[i].prefix = prefix_of(next[i].parent, next[i].label);
      prefixes[next[i].prefix].place = static_cast<int32_t>(i);
    }
    size = best.size;
    Entry* done = beam;
    beam = next;
    next = done;
  }

  // A child that is in the beam has had its share already. One that others have pushed out by now is considered again
  // by its parent and fails, and then grows no further itself: so TensorFlow's decoder has it, whose results these are.
  HB_INLINE void grow(const Entry& e, Best& best, int32_t& order) {
    if (prefixes[e.prefix].place == kGivenUp || !best.admits(e.total)) return;
    for (int32_t child = prefixes[e.prefix].child; child >= 0; child = prefixes[child].sibling)
      if (prefixes[child].place != kOutside) child_with[prefixes[child].label] = child;
    for (int32_t k = 0; k < n.classes - 1; ++k) {
      const int32_t child = child_with[k];
      if (child >= 0 && prefixes[child].parent == e.prefix) {
        if (prefixes[child].place == kPushedOut) prefixes[child].place = kGivenUp;
        continue;
      }
      const double total = (k == prefixes[e.prefix].label ? e.blank : e.total) + p[k];
      if (!best.admits(total)) continue;
      const int32_t out = best.add({total, -kInf<double>, total, -1, e.prefix, k, order++});
      if (out >= 0) prefixes[out].place = kPushedOut;
    }
    for (int64_t k = 0; k < n.classes; ++k) child_with[k] = -1;
  }

  HB_INLINE int32_t prefix_of(int32_t parent, int32_t label) {
    for (int32_t child = prefixes[parent].child; child >= 0; child = prefixes[child].sibling)
      if (prefixes[child].label == label) return child;
    prefixes[known] = {label, parent, -1, prefixes[parent].child, kOutside};
    return prefixes[parent].child = known++;
  }

  // Labels of a prefix in reading order; returns their number.
  HB_INLINE int64_t spell(int32_t prefix, bool merge, int64_t* labels) {
    int64_t count = 0;
    for (int32_t at = prefix; prefixes[at].parent >= 0; at = prefixes[at].parent)
      count += !merge || prefixes[at].label != prefixes[prefixes[at].parent].label;
    int64_t to = count;
    for (int32_t at = prefix; labels && prefixes[at].parent >= 0; at = prefixes[at].parent)
      if (!merge || prefixes[at].label != prefixes[prefixes[at].parent].label) labels[--to] = prefixes[at].label;
    return count;
  }
};

template <class T> static void run_beam(const KernelCall& c) {
  const BeamSizes n(c);
  const bool merge = static_cast<const CtcBeamAttrs*>(c.attrs)->merge_repeated;
  parallel_tasks(c, c.in[0].shape[0], [&](int64_t b) {
    BeamSearch<T> search(n, c.workspace + b * n.bytes);
    const T* x = c.in[0].as<const T>() + b * n.time * n.classes;
    for (int64_t t = 0, steps = steps_of(c, b); t < steps && !interrupted(c); ++t) search.step(x + t * n.classes);

    for (int64_t i = 0; i < n.paths; ++i) {
      const int64_t path = b * n.paths + i;
      int64_t *labels = c.out[0].present ? c.out[0].as<int64_t>() + path * n.time : nullptr, count = 0;
      const bool found = i < search.size;
      if (found) count = search.spell(search.beam[i].prefix, merge, labels);
      for (int64_t t = count; labels && t < n.time; ++t) labels[t] = -1;
      if (c.out[1].present) c.out[1].as<int32_t>()[path] = static_cast<int32_t>(count);
      if (c.out[2].present) c.out[2].as<T>()[path] = static_cast<T>(found ? search.beam[i].total : -kInf<double>);
    }
  });
}

static int64_t beam_workspace(const KernelCall& c) { return c.in[0].shape[0] * BeamSizes(c).bytes; }
static bool is_double(const KernelCall& c) { return c.in[0].dtype == DType::float64; }

HB_EXPORT_KERNELS(ctc_decode,
                  {"ctc_greedy", "samples", supports_floats, nullptr,
                   [](const KernelCall& c) { is_double(c) ? run_greedy<double>(c) : run_greedy<float>(c); }},
                  {"ctc_beam", "samples", supports_floats, beam_workspace,
                   [](const KernelCall& c) { is_double(c) ? run_beam<double>(c) : run_beam<float>(c); }})

HB_CPU_END
