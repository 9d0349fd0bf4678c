// The one-dimensional transforms of Winograd's F(4, 3): four outputs of a three-tap sum for six products.
//
//     y = A^T [(G g) * (B^T x)]    over six inputs x, three taps g, four outputs y
//
// A product of polynomials, taken at the points 0, +-a, +-b and infinity. The usual points (a, b) = (1, 2)
// grow numbers by factors up to 8; with b = 1/a the growth is even on both sides, and a = sqrt(1/2) is
// where rounding errors are least, a fourth of those of the usual points. a^2 b^2 = 1 also saves products.
#pragma once
#include "cpu/simd.h"

HB_CPU_BEGIN

constexpr int64_t kWinogradTile = 4;          // outputs along an axis
constexpr int64_t kWinogradPatch = 6;         // inputs along an axis
constexpr int64_t kWinogradPoints = 36;       // products of a tile, a channel and an output channel
constexpr float kWinogradA = 0x1.6a09e6p-1f;  // sqrt(1/2)
constexpr float kWinogradB = 0x1.6a09e6p+0f;  // sqrt(2)
constexpr float kWinogradA3 = 0.5f * kWinogradA, kWinogradB3 = 2 * kWinogradB;

HB_INLINE vf times(float a, vf x, vf y) { return fma<float>(splat<float>(a), x, y); }

// Rows of B^T: the polynomials that vanish at all points but one.
static HB_INLINE void winograd_input(const vf (&x)[6], vf (&v)[6]) {
  const vf even_a = times(-2, x[2], x[4]), odd_a = times(-2, x[1], x[3]);
  const vf even_b = times(-0.5f, x[2], x[4]), odd_b = times(-0.5f, x[1], x[3]);
  v[0] = times(-2.5f, x[2], x[0] + x[4]);
  v[1] = times(kWinogradA, odd_a, even_a);
  v[2] = times(-kWinogradA, odd_a, even_a);
  v[3] = times(kWinogradB, odd_b, even_b);
  v[4] = times(-kWinogradB, odd_b, even_b);
  v[5] = times(-2.5f, x[3], x[1] + x[5]);
}

// A^T: powers of the points.
static HB_INLINE void winograd_output(const vf (&m)[6], vf (&y)[4]) {
  const vf sum_a = m[1] + m[2], diff_a = m[1] - m[2], sum_b = m[3] + m[4], diff_b = m[3] - m[4];
  y[0] = m[0] + sum_a + sum_b;
  y[1] = times(kWinogradA, diff_a, kWinogradB * diff_b);
  y[2] = times(0.5f, sum_a, 2.0f * sum_b);
  y[3] = times(kWinogradA3, diff_a, times(kWinogradB3, diff_b, m[5]));
}

// A: the adjoint of winograd_output.
static HB_INLINE void winograd_output_adjoint(const vf (&y)[4], vf (&m)[6]) {
  const vf even_a = times(0.5f, y[2], y[0]), odd_a = times(kWinogradA3, y[3], kWinogradA * y[1]);
  const vf even_b = times(2, y[2], y[0]), odd_b = times(kWinogradB3, y[3], kWinogradB * y[1]);
  m[0] = y[0];
  m[1] = even_a + odd_a;
  m[2] = even_a - odd_a;
  m[3] = even_b + odd_b;
  m[4] = even_b - odd_b;
  m[5] = y[3];
}

// G: powers of the points over the values that B^T's polynomials take there, 1, -3/2 and 6.
static HB_INLINE void winograd_filter(const vf (&g)[3], vf (&u)[6]) {
  const vf even_a = times(0.5f, g[2], g[0]) * (-2 / 3.0f), odd_a = g[1] * (-2 / 3.0f * kWinogradA);
  const vf even_b = times(2, g[2], g[0]) * (1 / 6.0f), odd_b = g[1] * (1 / 6.0f * kWinogradB);
  u[0] = g[0];
  u[1] = even_a + odd_a;
  u[2] = even_a - odd_a;
  u[3] = even_b + odd_b;
  u[4] = even_b - odd_b;
  u[5] = g[2];
}

// G^T: the adjoint of winograd_filter.
static HB_INLINE void winograd_filter_adjoint(const vf (&u)[6], vf (&g)[3]) {
  const vf sum_a = (u[1] + u[2]) * (-2 / 3.0f), diff_a = (u[1] - u[2]) * (-2 / 3.0f * kWinogradA);
  const vf sum_b = (u[3] + u[4]) * (1 / 6.0f), diff_b = (u[3] - u[4]) * (1 / 6.0f * kWinogradB);
  g[0] = u[0] + sum_a + sum_b;
  g[1] = diff_a + diff_b;
  g[2] = times(0.5f, sum_a, times(2, sum_b, u[5]));
}

// One of them along both axes: N x N values from read(i, j), M x M handed to write(i, j, value).
template <int N, int M, class Read, class Write>
HB_INLINE void winograd_2d(void (*transform)(const vf (&)[N], vf (&)[M]), const Read& read, const Write& write) {
  vf half[M][N];
#pragma GCC unroll 1
  for (int j = 0; j < N; ++j) {
    vf in[N], out[M];
#pragma GCC unroll 6
    for (int i = 0; i < N; ++i) in[i] = read(i, j);
    transform(in, out);
#pragma GCC unroll 6
    for (int i = 0; i < M; ++i) half[i][j] = out[i];
  }
#pragma GCC unroll 1
  for (int i = 0; i < M; ++i) {
    vf out[M];
    transform(half[i], out);
#pragma GCC unroll 6
    for (int j = 0; j < M; ++j) write(i, j, out[j]);
  }
}

HB_CPU_END
