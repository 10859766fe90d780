#pragma once

#include "core/backend.h"
#include "core/matmul_geometry.h"

namespace fovea::cpu {

/**
 * y = x B + bias, of one row x: a dense layer of one example. It reads B once, from front to back, which is what takes
 * its time; and no code is generated for it, which takes oneDNN as long as some tens of such products.
 *
 * Null for other products: more rows, batches, B transposed, other types than float32.
 */
KernelPtr makeRowProduct(const MatmulGeometry&);

}  // namespace fovea::cpu
