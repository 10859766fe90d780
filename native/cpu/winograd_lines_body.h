// No #pragma once: winograd_body.h includes this. The transforms of winograd.h along one line, down or across, for each
// form: `taken` is how many points, `oddFirst` is for kTransposed only.

#include "cpu/vectors_body.h"

using V = Vector;

/** The points but infinity, in the order in which lines take them. */
constexpr float kPoints[] = {0, 1, -1, 2, -2, 0.5f, -0.5f};

/** B^T of the first kTaken of kAll points, and infinity. */
template <int kAll, int kTaken>
struct InputMatrix {
  float rows[kTaken + 1][kTaken + 1] = {};

  /**
   * The row of a point a is the product of (x - b) for the others, times (a - b) for every b left out (winograd.h);
   * that of infinity the product of (x - b) for all.
   */
  constexpr InputMatrix() {
    for (int e = 0; e <= kTaken; ++e) {
      float* row = rows[e];
      row[0] = 1;
      for (int b = 0, degree = 0; b < kTaken; ++b) {
        if (b == e) continue;
        row[++degree] = 0;
        for (int j = degree; j > 0; --j) row[j] = row[j - 1] - kPoints[b] * row[j];
        row[0] *= -kPoints[b];
      }
      for (int b = kTaken; b < kAll && e < kTaken; ++b) {
        for (int j = 0; j <= kTaken; ++j) row[j] *= kPoints[e] - kPoints[b];
      }
    }
  }
};

/** The sum of factors[j] * values[j * step] over every by-th j < count; the factors are known when it is compiled. */
FOVEA_INLINE V sumOf(const float* factors, const V* values, int step, int first, int count, int by) {
  V sum{};
  bool none = true;
#pragma GCC unroll 9
  for (int j = first; j < count; j += by) {
    if (factors[j] == 0) continue;
    const V product = factors[j] * values[j * step];
    sum = none ? product : sum + product;
    none = false;
  }
  return sum;
}

/** At an edge: kTaken points of kTaken + 1 inputs that lie `step` apart. */
template <int kAll, int kTaken>
FOVEA_INLINE void inputOfFewer(const V* i, int step, V o[kAll + 1]) {
  static constexpr InputMatrix<kAll, kTaken> kMatrix;
#pragma GCC unroll 8
  for (int e = 0; e < kAll; ++e) o[e] = e < kTaken ? sumOf(kMatrix.rows[e], i, step, 0, kTaken + 1, 1) : V{};
  o[kAll] = sumOf(kMatrix.rows[kTaken], i, step, 0, kTaken + 1, 1);
}

/** The same where `taken` is known when it runs: kMost at most, kLeast at least. */
template <int kAll, int kMost, int kLeast>
FOVEA_INLINE void inputOfFewer(int taken, const V* i, int step, V o[kAll + 1]) {
  if constexpr (kMost > kLeast) {
    if (taken < kMost) return inputOfFewer<kAll, kMost - 1, kLeast>(taken, i, step, o);
  }
  inputOfFewer<kAll, kMost>(i, step, o);
}

// The point infinity stands for the last output that the points taken are for.

template <int kTile>
FOVEA_INLINE void addAt(int last, V v, V y[kTile]) {
#pragma GCC unroll 6
  for (int i = 0; i < kTile; ++i) {
    if (i == last) y[i] += v;
  }
}
template <int kTile>
FOVEA_INLINE V valueAt(int last, const V y[kTile]) {
  V v = y[0];
#pragma GCC unroll 6
  for (int i = 1; i < kTile; ++i) {
    if (i == last) v = y[i];
  }
  return v;
}

/** F(2, 3), F(4, 3) and F(2, 5), F(6, 3) and F(4, 5): at 0, pairs of p and -p, and infinity. */
template <Form kFormOfLines>
struct PlainLines {
  static constexpr Form kForm = kFormOfLines;
  static constexpr int kAll = lineOf(kForm).points, kPairs = kAll / 2, kTile = lineOf(kForm).tile;
  static constexpr int kTaps = lineOf(kForm).reads - kTile + 1;

  /** How much of `i` is read. */
  static constexpr int reads(int taken) { return taken + 1; }
  /** The output of infinity. */
  static constexpr int last(int taken) { return taken + kTile - kAll - 1; }

  /** B^T: rows of a pair have the same factors for even inputs, and opposite ones for odd inputs. */
  static FOVEA_INLINE void input(int taken, bool /*oddFirst*/, const V i[kAll + 1], V o[kAll + 1]) {
    if (taken < kAll) return inputOfFewer<kAll, kAll - 1, kAll + 1 - kTile>(taken, i, 1, o);
    static constexpr InputMatrix<kAll, kAll> kMatrix;
    o[0] = sumOf(kMatrix.rows[0], i, 1, 0, kAll + 1, 1);
#pragma GCC unroll 3
    for (int e = 1; e < kAll; e += 2) {
      const V even = sumOf(kMatrix.rows[e], i, 1, 0, kAll + 1, 2), odd = sumOf(kMatrix.rows[e], i, 1, 1, kAll + 1, 2);
      o[e] = even + odd;
      o[e + 1] = even - odd;
    }
    o[kAll] = sumOf(kMatrix.rows[kAll], i, 1, 0, kAll + 1, 1);
  }

  /** A^T: elements that are not taken have to be 0; outputs after the last one that the points are for mean nothing. */
  static FOVEA_INLINE void output(int taken, bool /*oddFirst*/, const V m[kAll + 1], V y[kTile]) {
    coefficients<kTile>(m, y);
    y[0] += m[0];
    addAt<kTile>(last(taken), m[kAll], y);
  }

  /** A: outputs after the last one that the points are for have to be 0. */
  static FOVEA_INLINE void outputTransposed(int taken, const V y[kTile], V o[kAll + 1]) {
    values<kTile>(y, o);
    o[0] = y[0];
    o[kAll] = valueAt<kTile>(last(taken), y);
  }

  /** G: a point is divided by the product of its distances from the others. */
  static FOVEA_INLINE void kernel(const V w[kTaps], V u[kAll + 1]) {
    values<kTaps>(w, u);
    u[0] = w[0];
#pragma GCC unroll 7
    for (int e = 0; e < kAll; ++e) u[e] *= kConstants.shares[e];
    u[kAll] = w[kTaps - 1];
  }

  /** G^T */
  static FOVEA_INLINE void kernelTransposed(const V u[kAll + 1], V w[kTaps]) {
    V shares[kAll];
#pragma GCC unroll 7
    for (int e = 0; e < kAll; ++e) shares[e] = u[e] * kConstants.shares[e];
    coefficients<kTaps>(shares, w);
    w[0] += shares[0];
    w[kTaps - 1] += u[kAll];
  }

 private:
  struct Constants {
    float powers[kPairs][6] = {};  ///< Of p.
    float shares[kAll] = {};       ///< 1 / the product of (a - b) for the other points b.

    constexpr Constants() {
      for (int k = 0; k < kPairs; ++k) {
        powers[k][0] = 1;
        for (int j = 1; j < 6; ++j) powers[k][j] = powers[k][j - 1] * kPoints[2 * k + 1];
      }
      for (int e = 0; e < kAll; ++e) {
        float product = 1;
        for (int b = 0; b < kAll; ++b) product *= b == e ? 1 : kPoints[e] - kPoints[b];
        shares[e] = 1 / product;
      }
    }
  };
  static constexpr Constants kConstants{};

  /** The values of the polynomial of these coefficients at the pairs. */
  template <int kCount>
  static FOVEA_INLINE void values(const V coefficients[kCount], V o[kAll]) {
#pragma GCC unroll 3
    for (int k = 0; k < kPairs; ++k) {
      const V even = sumOf(kConstants.powers[k], coefficients, 1, 0, kCount, 2);
      const V odd = sumOf(kConstants.powers[k], coefficients, 1, 1, kCount, 2);
      o[2 * k + 1] = even + odd;
      o[2 * k + 2] = even - odd;
    }
  }

  /** The transpose of `values`. */
  template <int kCount>
  static FOVEA_INLINE void coefficients(const V o[kAll], V to[kCount]) {
#pragma GCC unroll 3
    for (int k = 0; k < kPairs; ++k) {
      const V even = o[2 * k + 1] + o[2 * k + 2], odd = o[2 * k + 1] - o[2 * k + 2];
#pragma GCC unroll 6
      for (int j = 0; j < kCount; ++j) {
        const V product = kConstants.powers[k][j] * (j % 2 == 0 ? even : odd);
        to[j] = k == 0 ? product : to[j] + product;
      }
    }
  }
};

/** F(4, 2) at 0, 1, -1, 2 and infinity: the even half of a line of stride 2. */
struct EvenLines {
  /** B^T, of inputs that lie `step` apart. */
  static FOVEA_INLINE void input(int taken, const V* i, int step, V o[5]) {
    if (taken < 4) return inputOfFewer<4, 3, 1>(taken, i, step, o);
    const V a = i[0], b = i[step], c = i[2 * step], d = i[3 * step], e = i[4 * step], f = d - c, g = d - b;
    o[0] = 2.0f * (a - c) + g;
    o[1] = f - 2.0f * b;
    o[2] = f - 2.0f * (c - b);
    o[3] = g;
    o[4] = e - c - 2.0f * g;
  }

  /** A^T, as PlainLines' in all else. */
  static FOVEA_INLINE void output(int taken, const V m[5], V y[4]) {
    const V a = m[1] + m[2], b = m[1] - m[2];
    y[0] = m[0] + a + m[3];
    y[1] = b + 2.0f * m[3];
    y[2] = a + 4.0f * m[3];
    y[3] = b + 8.0f * m[3];
    addAt<4>(taken - 1, m[4], y);
  }
};

/** Elements 0 to 4 are of the even inputs, 5 to 8 the odd ones. */
struct StridedLines {
  static constexpr int kTaps = 3, kTile = 4;
  static constexpr Form kForm = Form::kStrided;

  static constexpr int reads(int taken) { return 2 * taken + 1; }

  static FOVEA_INLINE void input(int taken, bool /*oddFirst*/, const V i[9], V o[9]) {
    EvenLines::input(taken, i, 2, o);
#pragma GCC unroll 4
    for (int j = 0; j < 4; ++j) o[5 + j] = i[2 * j + 1];
  }

  static FOVEA_INLINE void output(int taken, bool /*oddFirst*/, const V m[9], V y[4]) {
    EvenLines::output(taken, m, y);
#pragma GCC unroll 4
    for (int i = 0; i < 4; ++i) y[i] += m[5 + i];
  }

  static FOVEA_INLINE void outputTransposed(int taken, const V y[4], V o[9]) {
    const V e = y[0] + y[2], f = y[1] + y[3];
    o[0] = y[0];
    o[1] = e + f;
    o[2] = e - f;
    o[3] = y[0] + 2.0f * y[1] + 4.0f * y[2] + 8.0f * y[3];
    o[4] = valueAt<4>(taken - 1, y);
#pragma GCC unroll 4
    for (int i = 0; i < 4; ++i) o[5 + i] = y[i];
  }

  static FOVEA_INLINE void kernel(const V w[3], V u[6]) {
    u[0] = w[0] * 0.5f;
    u[1] = (w[0] + w[2]) * -0.5f;
    u[2] = (w[2] - w[0]) * (1.0f / 6);
    u[3] = w[0] * (1.0f / 6) + w[2] * (1.0f / 3);
    u[4] = w[2];
    u[5] = w[1];
  }

  static FOVEA_INLINE void kernelTransposed(const V u[6], V w[3]) {
    w[0] = (u[0] - u[1]) * 0.5f + (u[3] - u[2]) * (1.0f / 6);
    w[1] = u[5];
    w[2] = u[4] - u[1] * 0.5f + u[2] * (1.0f / 6) + u[3] * (1.0f / 3);
  }
};

/** Elements 0 to 4 are of the even outputs, 5 to 8 of the odd ones. */
struct TransposedLines {
  static constexpr int kTile = 8;
  static constexpr Form kForm = Form::kTransposed;

  static constexpr int reads(int taken) { return taken + 1; }

  static FOVEA_INLINE void input(int taken, bool oddFirst, const V i[5], V o[9]) {
    EvenLines::input(taken, i, 1, o);
#pragma GCC unroll 4
    for (int j = 0; j < 4; ++j) o[5 + j] = oddFirst ? i[j] : i[j + 1];
  }

  static FOVEA_INLINE void output(int taken, bool oddFirst, const V m[9], V y[8]) {
    V even[4];
    EvenLines::output(taken, m, even);
#pragma GCC unroll 4
    for (int i = 0; i < 4; ++i) {
      y[2 * i] = oddFirst ? m[5 + i] : even[i];
      y[2 * i + 1] = oddFirst ? even[i] : m[5 + i];
    }
  }
};
