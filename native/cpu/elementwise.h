#pragma once

#include <cstdint>

#include "core/elementwise_program.h"

namespace fovea::cpu {

/** Operands of one instruction over a run of elements; unused ones are null. `y` may be any of a, b, c. */
template <class T>
struct OpArgs {
  T* y;
  const T *a, *b, *c;
  int64_t n;
  T p0, p1;
};

void runFloat(Op op, const OpArgs<float>& args);
void runInt(Op op, const OpArgs<int32_t>& args);

}  // namespace fovea::cpu
