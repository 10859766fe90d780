#pragma once

#include <array>
#include <string>
#include <vector>

#include "core/tensor_desc.h"

/**
 * @file
 * What each kernel is told: plain data, no behaviour. Meanings of inputs, outputs and fields are in docs/kernels.md.
 */
namespace fovea {

enum class Activation : uint8_t { kLinear, kRelu };

/** Types and shapes of a kernel's operands, in the order of docs/kernels.md. */
struct Operands {
  std::vector<TensorDesc> inputs;
  std::vector<TensorDesc> outputs;
};

/** Geometry of a 2-D window; pairs are {height, width}, padding is {top, bottom, left, right}, dilation 1 = dense. */
struct Window {
  std::array<int64_t, 2> strides{1, 1};
  std::array<int64_t, 2> dilations{1, 1};
  std::array<int64_t, 4> padding{0, 0, 0, 0};
};

struct Conv2dDesc : Operands {
  Window window;
  int64_t groups = 1;
  Activation activation = Activation::kLinear;
  bool residual = false;  ///< The last input is added to the result before the activation.
};

struct Pool2dDesc : Operands {
  Window window;
  std::array<int64_t, 2> poolSize{1, 1};
};

struct BatchNormDesc : Operands {
  double epsilon = 1e-3;
  Activation activation = Activation::kLinear;
};

struct LrnDesc : Operands {
  int64_t depthRadius = 5;
  double bias = 1, alpha = 1, beta = 0.5;
};

struct MatmulDesc : Operands {
  bool transposeA = false, transposeB = false;
  Activation activation = Activation::kLinear;
};

/** Softmax and cross-entropy kernels need only their operands. */
struct SoftmaxDesc : Operands {};

/** One instruction of an elementwise program; `args` are registers, -1 where unused. */
struct Instruction {
  std::string opcode;
  std::array<int, 3> args{-1, -1, -1};
  std::array<double, 2> params{0, 0};
};

/** What an elementwise kernel computes, element by element. */
struct ElementwiseProgram {
  bool int32 = false;  ///< Compute type: int32, else float32.
  std::vector<Instruction> program;
  std::vector<int> results;
};

struct ElementwiseDesc : Operands, ElementwiseProgram {};

/** One program over several groups of operands; see core/elementwise_group.h for which are whose. */
struct ElementwiseGroupDesc : Operands, ElementwiseProgram {
  int64_t shared = 0;  ///< Inputs that all groups read; each group's own follow.
};

enum class ReduceMode : uint8_t { kSum, kMean, kMax, kMin, kProd };

struct ReduceDesc : Operands {
  ReduceMode mode = ReduceMode::kSum;
  std::vector<int64_t> axes;
};

/** argMax, concat, gather, scatterAdd. */
struct AxisDesc : Operands {
  int64_t axis = 0;
};

struct SliceDesc : Operands {
  std::vector<int64_t> begin;
};

struct PadDesc : Operands {
  std::vector<int64_t> before;
  double value = 0;
};

struct TransposeDesc : Operands {
  std::vector<int64_t> perm;
};

/** A linear map along rows and one along columns. */
struct ResizeDesc : Operands {
  /** Result i is the sum over k of weights[i * taps + k] * source[starts[i] + k]; taps is weights over starts. */
  struct Spans {
    std::vector<int64_t> starts;
    std::vector<double> weights;
  };
  Spans rows, columns;
};

struct DropoutDesc : Operands {
  double rate = 0.5;
};

enum class Distribution : uint8_t { kUniform, kNormal, kTruncatedNormal };

struct RandomDesc : Operands {
  Distribution distribution = Distribution::kUniform;
  double a = 0, b = 1;
};

/** oneHot and copy need only their operands. */
struct PlainDesc : Operands {};

}  // namespace fovea
