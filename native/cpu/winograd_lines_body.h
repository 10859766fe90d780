// No #pragma once: winograd_body.h includes this. The transforms of winograd.h along one line, down or across, for each
// form: `taken` is how many points, `oddFirst` is for kTransposed only.

#include "cpu/vectors_body.h"

using V = Vector;

/** F(4, 3) and F(2, 5) at 0, 1, -1, 2, -2 and infinity. */
template <int kTapsOfLine>
struct PlainLines {
  static constexpr int kTaps = kTapsOfLine;
  static constexpr Form kForm = kTaps == 5 ? Form::kFive : Form::kThree;
  static constexpr int kTile = lineOf(kForm).tile;

  /** How much of `i` is read. */
  static constexpr int reads(int taken) { return taken + 1; }

  /** B^T of kTaken points: the row of point a is multiplied by (a - b) for every point b left out (winograd.h). */
  template <int kTaken>
  static FOVEA_INLINE void inputOf(const V i[6], V o[6]) {
    if constexpr (kTaken == 5) {
      const V a = i[4] - 4.0f * i[2], b = i[3] - 4.0f * i[1], c = i[4] - i[2], d = 2.0f * (i[3] - i[1]);
      o[0] = 4.0f * i[0] - 5.0f * i[2] + i[4];
      o[1] = a + b;
      o[2] = a - b;
      o[3] = c + d;
      o[4] = c - d;
      o[5] = 4.0f * i[1] - 5.0f * i[3] + i[5];
    } else if constexpr (kTaken == 4) {
      const V a = i[3] - i[1], b = i[3] - i[2];
      o[0] = 4.0f * (i[0] - i[2]) + 2.0f * a;
      o[1] = 3.0f * (b - 2.0f * i[1]);
      o[2] = 2.0f * (i[1] - i[2]) + b;
      o[3] = 4.0f * a;
      o[4] = V{};
      o[5] = i[4] - i[2] - 2.0f * a;
    } else if constexpr (kTaken == 3) {
      o[0] = 4.0f * (i[0] - i[2]);
      o[1] = -3.0f * (i[1] + i[2]);
      o[2] = 3.0f * (i[1] - i[2]);
      o[3] = o[4] = V{};
      o[5] = i[3] - i[1];
    } else {
      o[0] = 4.0f * (i[0] - i[1]);
      o[1] = -6.0f * i[1];
      o[2] = o[3] = o[4] = V{};
      o[5] = i[2] - i[1];
    }
  }
  static FOVEA_INLINE void input(int taken, bool /*oddFirst*/, const V i[6], V o[6]) {
    switch (taken) {
      case 5:
        return inputOf<5>(i, o);
      case 4:
        return inputOf<4>(i, o);
      case 3:
        return inputOf<3>(i, o);
      default:
        return inputOf<2>(i, o);
    }
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

/** F(4, 2) at 0, 1, -1, 2 and infinity: the even half of a line of stride 2. */
struct EvenLines {
  /** B^T of kTaken points, of kTaken + 1 inputs that lie `step` apart. */
  template <int kTaken>
  static FOVEA_INLINE void inputOf(const V* i, int step, V o[5]) {
    const V a = i[0], b = i[step];
    if constexpr (kTaken == 4) {
      const V c = i[2 * step], d = i[3 * step], e = i[4 * step], f = d - c, g = d - b;
      o[0] = 2.0f * (a - c) + g;
      o[1] = f - 2.0f * b;
      o[2] = f - 2.0f * (c - b);
      o[3] = g;
      o[4] = e - c - 2.0f * g;
    } else if constexpr (kTaken == 3) {
      const V c = i[2 * step], d = i[3 * step];
      o[0] = 2.0f * (a - c);
      o[1] = -(b + c);
      o[2] = 3.0f * (b - c);
      o[3] = V{};
      o[4] = d - b;
    } else if constexpr (kTaken == 2) {
      o[0] = 2.0f * (a - b);
      o[1] = -2.0f * b;
      o[2] = o[3] = V{};
      o[4] = i[2 * step] - b;
    } else {
      o[0] = 2.0f * a;
      o[1] = o[2] = o[3] = V{};
      o[4] = b;
    }
  }
  static FOVEA_INLINE void input(int taken, const V* i, int step, V o[5]) {
    switch (taken) {
      case 4:
        return inputOf<4>(i, step, o);
      case 3:
        return inputOf<3>(i, step, o);
      case 2:
        return inputOf<2>(i, step, o);
      default:
        return inputOf<1>(i, step, o);
    }
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
