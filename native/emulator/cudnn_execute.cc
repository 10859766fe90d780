#include <algorithm>
#include <bit>
#include <cmath>

#include "core/bfloat16.h"
#include "emulator/convolution.h"
#include "emulator/cudnn_descriptor.h"
#include "emulator/half.h"

/** @file Executes a graph: its convolutions, and the pointwise operations behind them. */
namespace fovea::emulator {
namespace {

float load(const void* data, int64_t i, cudnnDataType_t type) {
  if (type == CUDNN_DATA_FLOAT) return static_cast<const float*>(data)[i];
  const uint16_t bits = static_cast<const uint16_t*>(data)[i];
  return type == CUDNN_DATA_HALF ? halfToFloat(bits) : toFloat(BFloat16{bits});
}

void store(void* data, int64_t i, cudnnDataType_t type, float v) {
  if (type == CUDNN_DATA_FLOAT) {
    static_cast<float*>(data)[i] = v;
  } else {
    static_cast<uint16_t*>(data)[i] = type == CUDNN_DATA_HALF ? floatToHalf(v) : toBFloat16(v).bits;
  }
}

/** To the 10 bits of fraction that tensor cores keep of a float. */
float toTf32(float v) {
  if (!std::isfinite(v)) return v;
  const auto bits = std::bit_cast<uint32_t>(v);
  return std::bit_cast<float>((bits + 0xfff + ((bits >> 13) & 1)) & ~uint32_t{0x1fff});
}

/** Values in the order N,H,W,C (filters K,R,S,C), whatever the strides in memory. */
struct Values {
  std::vector<int64_t> dims;  // n, c, h, w
  std::vector<float> data;
  int64_t index(int64_t n, int64_t c, int64_t h, int64_t w) const {
    return ((n * dims[2] + h) * dims[3] + w) * dims[1] + c;
  }
};

template <class Visit>
void forEach(const TensorView& t, Visit visit) {
  int64_t i = 0;
  for (int64_t n = 0; n < t.dims[0]; ++n)
    for (int64_t h = 0; h < t.dims[2]; ++h)
      for (int64_t w = 0; w < t.dims[3]; ++w)
        for (int64_t c = 0; c < t.dims[1]; ++c, ++i) {
          visit(i, n * t.strides[0] + c * t.strides[1] + h * t.strides[2] + w * t.strides[3]);
        }
}

class Run {
 public:
  Run(const std::map<int64_t, void*>& pointers, bool tf32) : pointers_(pointers), tf32_(tf32) {}

  void operation(const Descriptor& op) {
    switch (op.type) {
      case CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR:
        return forward(op);
      case CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_DATA_DESCRIPTOR:
        return backwardData(op);
      case CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_FILTER_DESCRIPTOR:
        return backwardFilter(op);
      default:
        return pointwise(op);
    }
  }

 private:
  Values read(const TensorView& t, bool convolved = false) {
    if (t.isVirtual) return virtual_.at(t.uid);
    Values v{t.dims, std::vector<float>(static_cast<size_t>(t.size()))};
    const void* data = pointers_.at(t.uid);
    const bool round = convolved && tf32_ && t.type == CUDNN_DATA_FLOAT;
    forEach(t, [&](int64_t i, int64_t at) {
      const float x = load(data, at, t.type);
      v.data[static_cast<size_t>(i)] = round ? toTf32(x) : x;
    });
    return v;
  }

  void write(const TensorView& t, Values v, float alpha = 1, float beta = 0) {
    if (t.isVirtual) {
      for (float& x : v.data) x *= alpha;
      virtual_[t.uid] = std::move(v);
      return;
    }
    void* data = pointers_.at(t.uid);
    forEach(t, [&](int64_t i, int64_t at) {
      const float old = beta == 0 ? 0 : beta * load(data, at, t.type);
      store(data, at, t.type, alpha * v.data[static_cast<size_t>(i)] + old);
    });
  }

  static float scalar(const Descriptor& op, int name, float otherwise) {
    return op.has(name) ? op.get<float>(name) : otherwise;
  }

  /** The tensors of a convolution or of one of its gradients, and how it goes over them. */
  struct Convolved {
    TensorView x, w, y;
    Convolution convolution;
  };

  static Convolved convolved(const Descriptor& op, int xName, int wName, int yName, int convolutionName) {
    const TensorView x(*op.child(xName)), w(*op.child(wName)), y(*op.child(yName));
    const Descriptor& convolution = *op.child(convolutionName);
    const auto pre = convolution.list<int64_t>(CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS),
               strides = convolution.list<int64_t>(CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES),
               dilations = convolution.list<int64_t>(CUDNN_ATTR_CONVOLUTION_DILATIONS);
    const bool flipped = convolution.get<cudnnConvolutionMode_t>(CUDNN_ATTR_CONVOLUTION_CONV_MODE) == CUDNN_CONVOLUTION;
    return {x, w, y, Convolution({x.dims, w.dims, y.dims, pre, strides, dilations, flipped})};
  }

  static Values rounded(const std::vector<int64_t>& dims, const std::vector<double>& sums) {
    Values v{dims, std::vector<float>(sums.size())};
    std::transform(sums.begin(), sums.end(), v.data.begin(), [](double s) { return static_cast<float>(s); });
    return v;
  }

  void forward(const Descriptor& op) {
    const Convolved c =
        convolved(op, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W,
                  CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_CONV_DESC);
    const Values x = read(c.x, true), w = read(c.w, true);
    write(c.y, rounded(c.y.dims, c.convolution.forward(x.data, w.data)),
          scalar(op, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_ALPHA, 1),
          scalar(op, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_BETA, 0));
  }

  void backwardData(const Descriptor& op) {
    const Convolved c =
        convolved(op, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DX, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_W,
                  CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DY, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_CONV_DESC);
    const Values dy = read(c.y, true), w = read(c.w, true);
    write(c.x, rounded(c.x.dims, c.convolution.backwardData(dy.data, w.data)),
          scalar(op, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_ALPHA, 1),
          scalar(op, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_BETA, 0));
  }

  void backwardFilter(const Descriptor& op) {
    const Convolved c = convolved(
        op, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_X, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DW,
        CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DY, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_CONV_DESC);
    const Values x = read(c.x, true), dy = read(c.y, true);
    write(c.w, rounded(c.w.dims, c.convolution.backwardFilter(x.data, dy.data)),
          scalar(op, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_ALPHA, 1),
          scalar(op, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_BETA, 0));
  }

  void pointwise(const Descriptor& op) {
    const auto mode =
        op.child(CUDNN_ATTR_OPERATION_POINTWISE_PW_DESCRIPTOR)->get<cudnnPointwiseMode_t>(CUDNN_ATTR_POINTWISE_MODE);
    const TensorView tx(*op.child(CUDNN_ATTR_OPERATION_POINTWISE_XDESC)),
        ty(*op.child(CUDNN_ATTR_OPERATION_POINTWISE_YDESC));
    Values x = read(tx);
    const float alpha1 = scalar(op, CUDNN_ATTR_OPERATION_POINTWISE_ALPHA1, 1);
    if (mode == CUDNN_POINTWISE_ADD) {
      const TensorView tb(*op.child(CUDNN_ATTR_OPERATION_POINTWISE_BDESC));
      const Values b = read(tb);
      const float alpha2 = scalar(op, CUDNN_ATTR_OPERATION_POINTWISE_ALPHA2, 1);
      const TensorView whole(*op.child(CUDNN_ATTR_OPERATION_POINTWISE_XDESC));
      int64_t i = 0;
      for (int64_t n = 0; n < whole.dims[0]; ++n)
        for (int64_t h = 0; h < whole.dims[2]; ++h)
          for (int64_t w = 0; w < whole.dims[3]; ++w)
            for (int64_t c = 0; c < whole.dims[1]; ++c, ++i) {
              const int64_t j = b.index(b.dims[0] == 1 ? 0 : n, b.dims[1] == 1 ? 0 : c, b.dims[2] == 1 ? 0 : h,
                                        b.dims[3] == 1 ? 0 : w);
              auto& v = x.data[static_cast<size_t>(i)];
              v = alpha1 * v + alpha2 * b.data[static_cast<size_t>(j)];
            }
    } else {  // the engines admit only ReLU besides
      for (float& v : x.data) v = v > 0 || v != v ? v : 0;
    }
    write(ty, std::move(x));
  }

  const std::map<int64_t, void*>& pointers_;
  bool tf32_;
  std::map<int64_t, Values> virtual_;
};

}  // namespace

void execute(const Descriptor& graph, const std::map<int64_t, void*>& pointers, bool tf32) {
  Run run(pointers, tf32);
  for (const DescriptorPtr& op : graph.need(CUDNN_ATTR_OPERATIONGRAPH_OPS).descriptors) run.operation(*op);
}

std::vector<TensorView> realTensors(const Descriptor& graph) {
  std::vector<TensorView> tensors;
  for (const DescriptorPtr& op : graph.need(CUDNN_ATTR_OPERATIONGRAPH_OPS).descriptors) {
    for (const auto& [name, attribute] : op->attributes) {
      for (const DescriptorPtr& child : attribute.descriptors) {
        if (child->type != CUDNN_BACKEND_TENSOR_DESCRIPTOR) continue;
        TensorView t(*child);
        const auto same = [&](const TensorView& other) { return other.uid == t.uid; };
        if (!t.isVirtual && std::none_of(tensors.begin(), tensors.end(), same)) tensors.push_back(std::move(t));
      }
    }
  }
  return tensors;
}

}  // namespace fovea::emulator
