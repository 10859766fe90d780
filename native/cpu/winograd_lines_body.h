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

/** At an edge: kTaken points of kTaken + 1 inputs that lie `step` apart. */
template <int kAll, int kTaken>
FOVEA_INLINE void inputOfFewer(const V* i, int step, V o[kAll + 1]) {
  constexpr InputMatrix<kAll, kTaken> kMatrix;
#pragma GCC unroll 8
  for (int e = 0; e <= kAll; ++e) {
    o[e] = V{};
    if (e >= kTaken && e < kAll) continue;
    const int row = e == kAll ? kTaken : e;
#pragma GCC unroll 8
    for (int j = 0; j <= kTaken; ++j) {
      if (kMatrix.rows[row][j] != 0) o[e] += kMatrix.rows[row][j] * i[j * step];
    }
  }
}

/** The same where `taken` is known when it runs: kMost at most, kLeast at least. */
template <int kAll, int kMost, int kLeast>
FOVEA_INLINE void inputOfFewer(int taken, const V* i, int step, V o[kAll + 1]) {
  if constexpr (kMost > kLeast) {
    if (taken < kMost) return inputOfFewer<kAll, kMost - 1, kLeast>(taken, i, step, o);
  }
  inputOfFewer<kAll, kMost>(i, step, o);
}

/** F(4, 3) and F(2, 5) at 0, 1, -1, 2, -2 and infinity. */
template <int kTapsOfLine>
struct PlainLines {
  static constexpr int kTaps = kTapsOfLine;
  static constexpr Form kForm = kTaps == 5 ? Form::kFive : Form::kThree;
  static constexpr int kTile = lineOf(kForm).tile;

  /** How much of `i` is read. */
  static constexpr int reads(int taken) { return taken + 1; }

  /** B^T */
  static FOVEA_INLINE void input(int taken, bool /*oddFirst*/, const V i[6], V o[6]) {
    if (taken < 5) return inputOfFewer<5, 4, 6 - kTile>(taken, i, 1, o);
    const V a = i[4] - 4.0f * i[2], b = i[3] - 4.0f * i[1], c = i[4] - i[2], d = 2.0f * (i[3] - i[1]);
    o[0] = 4.0f * i[0] - 5.0f * i[2] + i[4];
    o[1] = a + b;
    o[2] = a - b;
    o[3] = c + d;
    o[4] = c - d;
    o[5] = 4.0f * i[1] - 5.0f * i[3] + i[5];
  }

  /**
   * A^T: elements that are not taken have to be 0. m[5], of the point infinity, goes to the last output that the points
   * are for; those after it mean nothing.
   */
  static FOVEA_INLINE void output(int taken, bool /*oddFirst*/, const V m[6], V y[kTile]) {
    const V a = m[1] + m[2], b = m[1] - m[2], c = m[3] + m[4], d = m[3] - m[4];
    y[0] = m[0] + a + c;
    y[1] = b + 2.0f * d;
    if constexpr (kTile == 4) {
      y[2] = a + 4.0f * c;
      y[3] = b + 8.0f * d;
    }
    const int last = taken + kTile - 6;
#pragma GCC unroll 4
    for (int i = 0; i < kTile; ++i) {
      if (i == last) y[i] += m[5];
    }
  }

  /** A: outputs after the last one that the points are for have to be 0. */
  static FOVEA_INLINE void outputTransposed(int taken, const V y[kTile], V o[6]) {
    V e = y[0], f = y[1], g = y[0], h = 2.0f * y[1];
    if constexpr (kTile == 4) {
      e += y[2];
      f += y[3];
      g += 4.0f * y[2];
      h += 8.0f * y[3];
    }
    o[0] = y[0];
    o[1] = e + f;
    o[2] = e - f;
    o[3] = g + h;
    o[4] = g - h;
    o[5] = y[0];
    const int last = taken + kTile - 6;
#pragma GCC unroll 4
    for (int i = 1; i < kTile; ++i) {
      if (i == last) o[5] = y[i];
    }
  }

  /** G */
  static FOVEA_INLINE void kernel(const V w[kTaps], V u[6]) {
    V a = w[0] + w[2], b = w[1], c = w[0] * (1.0f / 24) + w[2] * (1.0f / 6), d = w[1] * (1.0f / 12);
    if constexpr (kTaps == 5) {
      a += w[4];
      b += w[3];
      c += w[4] * (2.0f / 3);
      d += w[3] * (1.0f / 3);
    }
    a *= -1.0f / 6;
    b *= 1.0f / 6;
    u[0] = w[0] * 0.25f;
    u[1] = a - b;
    u[2] = a + b;
    u[3] = c + d;
    u[4] = c - d;
    u[5] = w[kTaps - 1];
  }

  /** G^T */
  static FOVEA_INLINE void kernelTransposed(const V u[6], V w[kTaps]) {
    const V a = (u[1] + u[2]) * (1.0f / 6), b = u[3] + u[4], c = (u[2] - u[1]) * (1.0f / 6), d = u[3] - u[4];
    w[0] = u[0] * 0.25f - a + b * (1.0f / 24);
    w[1] = c + d * (1.0f / 12);
    w[2] = b * (1.0f / 6) - a;
    if constexpr (kTaps == 5) {
      w[3] = c + d * (1.0f / 3);
      w[4] = b * (2.0f / 3) - a;
    }
    w[kTaps - 1] += u[5];
  }
};

/** F(6, 3) and F(4, 5) at 0, 1, -1, 2, -2, 1/2, -1/2 and infinity. */
template <int kTapsOfLine>
struct LargeLines {
  static constexpr int kTaps = kTapsOfLine;
  static constexpr Form kForm = kTaps == 5 ? Form::kFiveLarge : Form::kThreeLarge;
  static constexpr int kTile = lineOf(kForm).tile;

  static constexpr int reads(int taken) { return taken + 1; }

  /** B^T */
  static FOVEA_INLINE void input(int taken, bool /*oddFirst*/, const V i[8], V o[8]) {
    if (taken < 7) return inputOfFewer<7, 6, 8 - kTile>(taken, i, 1, o);
    const V a = i[2] + i[6] - 4.25f * i[4], b = i[1] + i[5] - 4.25f * i[3];
    const V c = i[6] + 0.25f * i[2] - 1.25f * i[4], d = 0.5f * i[1] - 2.5f * i[3] + 2.0f * i[5];
    const V e = i[6] + 4.0f * i[2] - 5.0f * i[4], f = 2.0f * i[1] - 2.5f * i[3] + 0.5f * i[5];
    o[0] = i[6] - i[0] + 5.25f * (i[2] - i[4]);
    o[1] = a + b;
    o[2] = a - b;
    o[3] = c + d;
    o[4] = c - d;
    o[5] = e + f;
    o[6] = e - f;
    o[7] = i[7] - i[1] + 5.25f * (i[3] - i[5]);
  }

  /** A^T, as PlainLines' in all else. */
  static FOVEA_INLINE void output(int taken, bool /*oddFirst*/, const V m[8], V y[kTile]) {
    const V a = m[1] + m[2], b = m[1] - m[2], c = m[3] + m[4], d = m[3] - m[4], e = m[5] + m[6], f = m[5] - m[6];
    y[0] = m[0] + a + c + e;
    y[1] = b + 2.0f * d + 0.5f * f;
    y[2] = a + 4.0f * c + 0.25f * e;
    y[3] = b + 8.0f * d + 0.125f * f;
    if constexpr (kTile == 6) {
      y[4] = a + 16.0f * c + 0.0625f * e;
      y[5] = b + 32.0f * d + 0.03125f * f;
    }
    const int last = taken + kTile - 8;
#pragma GCC unroll 6
    for (int i = 0; i < kTile; ++i) {
      if (i == last) y[i] += m[7];
    }
  }

  /** A */
  static FOVEA_INLINE void outputTransposed(int taken, const V y[kTile], V o[8]) {
    V a = y[0] + y[2], b = y[1] + y[3], c = y[0] + 4.0f * y[2], d = 2.0f * y[1] + 8.0f * y[3];
    V e = y[0] + 0.25f * y[2], f = 0.5f * y[1] + 0.125f * y[3];
    if constexpr (kTile == 6) {
      a += y[4];
      b += y[5];
      c += 16.0f * y[4];
      d += 32.0f * y[5];
      e += 0.0625f * y[4];
      f += 0.03125f * y[5];
    }
    o[0] = y[0];
    o[1] = a + b;
    o[2] = a - b;
    o[3] = c + d;
    o[4] = c - d;
    o[5] = e + f;
    o[6] = e - f;
    o[7] = y[0];
    const int last = taken + kTile - 8;
#pragma GCC unroll 6
    for (int i = 1; i < kTile; ++i) {
      if (i == last) o[7] = y[i];
    }
  }

  /** G */
  static FOVEA_INLINE void kernel(const V w[kTaps], V u[8]) {
    V a = w[0] + w[2], b = w[1], c = w[0] + 4.0f * w[2], d = 2.0f * w[1], e = w[0] + 0.25f * w[2], f = 0.5f * w[1];
    if constexpr (kTaps == 5) {
      a += w[4];
      b += w[3];
      c += 16.0f * w[4];
      d += 8.0f * w[3];
      e += 0.0625f * w[4];
      f += 0.125f * w[3];
    }
    u[0] = -w[0];
    u[1] = (a + b) * (-2.0f / 9);
    u[2] = (a - b) * (-2.0f / 9);
    u[3] = (c + d) * (1.0f / 90);
    u[4] = (c - d) * (1.0f / 90);
    u[5] = (e + f) * (32.0f / 45);
    u[6] = (e - f) * (32.0f / 45);
    u[7] = w[kTaps - 1];
  }

  /** G^T */
  static FOVEA_INLINE void kernelTransposed(const V u[8], V w[kTaps]) {
    const V a = (u[1] + u[2]) * (-2.0f / 9), b = (u[1] - u[2]) * (-2.0f / 9);
    const V c = (u[3] + u[4]) * (1.0f / 90), d = (u[3] - u[4]) * (1.0f / 90);
    const V e = (u[5] + u[6]) * (32.0f / 45), f = (u[5] - u[6]) * (32.0f / 45);
    w[0] = a - u[0] + c + e;
    w[1] = b + 2.0f * d + 0.5f * f;
    w[2] = a + 4.0f * c + 0.25f * e;
    if constexpr (kTaps == 5) {
      w[3] = b + 8.0f * d + 0.125f * f;
      w[4] = a + 16.0f * c + 0.0625f * e;
    }
    w[kTaps - 1] += u[7];
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
#pragma GCC unroll 4
    for (int i = 0; i < 4; ++i) {
      if (i == taken - 1) y[i] += m[4];
    }
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
    o[4] = y[0];
#pragma GCC unroll 4
    for (int i = 0; i < 4; ++i) {
      if (i == taken - 1) o[4] = y[i];
      o[5 + i] = y[i];
    }
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
