#include "cuda/layout.h"

#include <algorithm>
#include <cstring>
#include <numeric>

#include "core/bfloat16.h"
#include "core/float16.h"
#include "cuda/kernels/layout.h"

namespace fovea::cuda {
namespace {

/** The widest word that divides everything. */
int64_t wordFor(const void* x, const void* y, std::initializer_list<const Dims*> lists,
                std::initializer_list<int64_t> offsets) {
  uint64_t bits = reinterpret_cast<uintptr_t>(x) | reinterpret_cast<uintptr_t>(y);
  for (const Dims* list : lists) {
    for (int64_t v : *list) bits |= static_cast<uint64_t>(v);
  }
  for (int64_t v : offsets) bits |= static_cast<uint64_t>(v);
  for (int64_t word : {16, 4, 2}) {
    if (bits % static_cast<uint64_t>(word) == 0) return word;
  }
  return 1;
}

/** Calls `body` with a null pointer of the type that moves `word` bytes. */
template <class Body>
void withWord(int64_t word, const Body& body) {
  switch (word) {
    case 16:
      return body(static_cast<Word16*>(nullptr));
    case 4:
      return body(static_cast<uint32_t*>(nullptr));
    case 2:
      return body(static_cast<uint16_t*>(nullptr));
    default:
      return body(static_cast<uint8_t*>(nullptr));
  }
}

void checkAxes(size_t axes) {
  if (axes > kBoxAxes) {
    throw Error("ERR_UNSUPPORTED", "cuda: expected at most " + std::to_string(kBoxAxes) +
                                       " axes that cannot be merged, received " + std::to_string(axes));
  }
}

/** Row-major strides times `element`. */
Dims stridesOf(const Dims& dims, int64_t element) {
  Dims strides(dims.size());
  for (size_t i = dims.size(); i-- > 0; element *= dims[i]) strides[i] = element;
  return strides;
}

template <class From, class To>
void launchTiles(Context& context, const char* op, typename TransposeTiles<From, To>::Args args, const void* x,
                 void* y) {
  args.x = static_cast<const From*>(x);
  args.y = static_cast<To*>(y);
  args.rowTiles = (args.rows + kTile - 1) / kTile;
  args.columnTiles = (args.columns + kTile - 1) / kTile;
  const int64_t tiles = args.planes * args.rowTiles * args.columnTiles;
  Shape shape = gridFor(context, tiles * kTileThreads, kTileThreads);
  shape.sharedBytes = TransposeTiles<From, To>::kSharedBytes;
  launchChecked<TransposeTiles<From, To>>(context, op, shape, args);
}

[[noreturn]] void refuseConversion(const char* op, DType from, DType to) {
  throw Error("ERR_UNSUPPORTED", std::string(op) + ": no conversion from " + nameOf(from) + " to " + nameOf(to));
}

/** Calls `body` with null pointers of the storage types; those of one dtype are words that keep the bits. */
template <class Body>
void withConversion(const char* op, DType from, DType to, const Body& body) {
  constexpr float* single = nullptr;
  constexpr BFloat16* brain = nullptr;
  constexpr Float16* half = nullptr;
  if (from == DType::kFloat32 && to == DType::kBfloat16) return body(single, brain);
  if (from == DType::kFloat32 && to == DType::kFloat16) return body(single, half);
  if (from == DType::kBfloat16 && to == DType::kFloat32) return body(brain, single);
  if (from == DType::kFloat16 && to == DType::kFloat32) return body(half, single);
  refuseConversion(op, from, to);
}

}  // namespace

Box::Box(const Dims& size, const Dims& fromDims, const Dims& fromBegin, const Dims& toDims, const Dims& toBegin,
         size_t element) {
  const auto bytes = static_cast<int64_t>(element);
  const Dims from = stridesOf(fromDims, bytes), to = stridesOf(toDims, bytes);
  for (size_t i = 0; i < size.size(); ++i) {
    fromOffset_ += fromBegin[i] * from[i];
    toOffset_ += toBegin[i] * to[i];
    if (size[i] != 1) append(size[i], from[i], to[i]);
  }
  append(bytes, 1, 1);
  checkAxes(dims_.size());
}

Box::Box(const Dims& dims, const Dims& fromStrides, size_t element) {
  const auto bytes = static_cast<int64_t>(element);
  const Dims to = stridesOf(dims, bytes);
  for (size_t i = 0; i < dims.size(); ++i) {
    if (dims[i] != 1) append(dims[i], fromStrides[i] * bytes, to[i]);
  }
  append(bytes, 1, 1);
  checkAxes(dims_.size());
}

/** Joins the axis to the one before where both sides go on without a gap. */
void Box::append(int64_t size, int64_t from, int64_t to) {
  if (!dims_.empty() && from_.back() == from * size && to_.back() == to * size) {
    dims_.back() *= size;
    from_.back() = from;
    to_.back() = to;
  } else {
    dims_.push_back(size);
    from_.push_back(from);
    to_.push_back(to);
  }
}

void Box::copy(Context& context, const char* op, const void* x, void* y) const {
  const size_t rank = dims_.size();
  const int64_t n = product(dims_);
  if (n == 0) return;
  // The last axis is a run of bytes; with a wider word it gets shorter, and the strides of the others smaller.
  const Dims outerFrom(from_.begin(), from_.end() - 1), outerTo(to_.begin(), to_.end() - 1);
  const int64_t word = wordFor(x, y, {&outerFrom, &outerTo}, {dims_.back(), fromOffset_, toOffset_});
  withWord(word, [&](auto* type) {
    using Word = std::remove_pointer_t<decltype(type)>;
    typename CopyBox<Word>::Args args{};
    args.x = static_cast<const Word*>(x);
    args.y = static_cast<Word*>(y);
    args.n = n / word;
    args.rank = static_cast<int>(rank);
    for (size_t i = 0; i < rank; ++i) {
      const bool last = i + 1 == rank;
      args.dims[i] = Divisor(last ? dims_[i] / word : dims_[i]);
      args.from[i] = last ? 1 : from_[i] / word;
      args.to[i] = last ? 1 : to_[i] / word;
    }
    args.fromOffset = fromOffset_ / word;
    args.toOffset = toOffset_ / word;
    launchChecked<CopyBox<Word>>(context, op, gridFor(context, args.n), args);
  });
}

Padding::Padding(DType dtype, const Dims& xDims, const Dims& yDims, const Dims& before, double value) {
  const auto element = static_cast<int64_t>(bytesPerElement(dtype));
  const Dims strides = stridesOf(xDims, element);
  const auto append = [&](int64_t dim, int64_t begin, int64_t size, int64_t stride) {
    // Whole along the inner axis: the outer one goes on in it.
    if (!dims_.empty() && begin == 0 && size == dim) {
      dims_.back() *= dim;
      begin_.back() *= dim;
      size_.back() *= dim;
      strides_.back() = stride;
      return;
    }
    dims_.push_back(dim);
    begin_.push_back(begin);
    size_.push_back(size);
    strides_.push_back(stride);
  };
  for (size_t i = 0; i < yDims.size(); ++i) append(yDims[i], before[i], xDims[i], strides[i]);
  append(element, 0, element, 1);
  checkAxes(dims_.size());

  std::array<unsigned char, 4> bytes{};
  const auto keep = [&](auto v) { std::memcpy(bytes.data(), &v, sizeof v); };
  switch (dtype) {
    case DType::kFloat32:
      keep(static_cast<float>(value));
      break;
    case DType::kInt32:
      keep(static_cast<int32_t>(value));
      break;
    case DType::kUint8:
      keep(static_cast<uint8_t>(static_cast<int>(value)));
      break;
    case DType::kBool:
      keep(static_cast<uint8_t>(value != 0));
      break;
    case DType::kBfloat16:
      keep(toBFloat16(static_cast<float>(value)));
      break;
    case DType::kFloat16:
      keep(toFloat16(static_cast<float>(value)));
      break;
  }
  for (size_t i = 0; i < pattern_.size(); ++i) pattern_[i] = bytes[i % static_cast<size_t>(element)];
}

void Padding::run(Context& context, const char* op, const void* x, void* y) const {
  const size_t rank = dims_.size();
  const int64_t n = product(dims_);
  if (n == 0) return;
  const Dims outer(strides_.begin(), strides_.end() - 1);
  const int64_t word = wordFor(x, y, {&outer}, {dims_.back(), begin_.back(), size_.back()});
  withWord(word, [&](auto* type) {
    using Word = std::remove_pointer_t<decltype(type)>;
    typename PadBox<Word>::Args args{};
    args.x = static_cast<const Word*>(x);
    args.y = static_cast<Word*>(y);
    args.n = n / word;
    args.rank = static_cast<int>(rank);
    for (size_t i = 0; i < rank; ++i) {
      const bool last = i + 1 == rank;
      const int64_t unit = last ? word : 1;
      args.dims[i] = Divisor(dims_[i] / unit);
      args.begin[i] = begin_[i] / unit;
      args.size[i] = size_[i] / unit;
      args.strides[i] = last ? 1 : strides_[i] / word;
    }
    std::memcpy(&args.value, pattern_.data(), sizeof args.value);
    launchChecked<PadBox<Word>>(context, op, gridFor(context, args.n), args);
  });
}

Transposition::Transposition(const Dims& xDims, const Dims& perm, size_t element)
    : element_(element), size_(product(xDims)) {
  const Dims xStrides = stridesOf(xDims, 1);
  for (int64_t axis : perm) {
    const int64_t d = xDims[axis], s = xStrides[axis];
    if (d == 1) continue;
    if (!dims_.empty() && strides_.back() == s * d) {
      dims_.back() *= d;
      strides_.back() = s;
    } else {
      dims_.push_back(d);
      strides_.push_back(s);
    }
  }
  checkAxes(dims_.size() + 1);
}

void Transposition::run(Context& context, const char* op, const void* x, void* y) const {
  if (size_ == 0) return;
  if (dims_.empty() || strides_.back() == 1) return Box(dims_, strides_, element_).copy(context, op, x, y);
  // x's contiguous axis is y's axis c, y's is the last.
  const size_t rank = dims_.size();
  size_t c = 0;
  while (strides_[c] != 1) ++c;
  const auto launchFor = [&](auto* type) {
    using Word = std::remove_pointer_t<decltype(type)>;
    typename TransposeTiles<Word, Word>::Args args{};
    args.rows = dims_[c];
    args.columns = dims_[rank - 1];
    args.xStride = strides_[rank - 1];
    args.planes = 1;
    const Dims yStrides = stridesOf(dims_, 1);
    args.yStride = yStrides[c];
    for (size_t i = 0; i + 1 < rank; ++i) {
      if (i == c) continue;
      args.dims[args.rank] = dims_[i];
      args.from[args.rank] = strides_[i];
      args.to[args.rank] = yStrides[i];
      args.planes *= dims_[i];
      ++args.rank;
    }
    launchTiles<Word, Word>(context, op, args, x, y);
  };
  if (element_ == 4) {
    launchFor(static_cast<uint32_t*>(nullptr));
  } else if (element_ == 2) {
    launchFor(static_cast<uint16_t*>(nullptr));
  } else {
    launchFor(static_cast<uint8_t*>(nullptr));
  }
}

void transposeMatrices(Context& context, const char* op, const void* x, DType from, void* y, DType to, int64_t batch,
                       int64_t rows, int64_t columns) {
  if (batch * rows * columns == 0) return;
  if (from == to) return Transposition({batch, rows, columns}, {0, 2, 1}, bytesPerElement(from)).run(context, op, x, y);
  withConversion(op, from, to, [&](auto* fromType, auto* toType) {
    using From = std::remove_pointer_t<decltype(fromType)>;
    using To = std::remove_pointer_t<decltype(toType)>;
    typename TransposeTiles<From, To>::Args args{};
    // In the kernel's words rows are contiguous in x.
    args.rows = columns;
    args.columns = rows;
    args.xStride = columns;
    args.yStride = rows;
    args.rank = 1;
    args.dims[0] = args.planes = batch;
    args.from[0] = args.to[0] = rows * columns;
    launchTiles<From, To>(context, op, args, x, y);
  });
}

void convertElements(Context& context, const char* op, const void* x, DType from, void* y, DType to, int64_t n) {
  if (n == 0) return;
  if (from == to) return Box({n}, {1}, bytesPerElement(from)).copy(context, op, x, y);
  withConversion(op, from, to, [&](auto* fromType, auto* toType) {
    using From = std::remove_pointer_t<decltype(fromType)>;
    using To = std::remove_pointer_t<decltype(toType)>;
    launchChecked<ConvertElements<From, To>>(context, op, gridFor(context, n),
                                             {static_cast<const From*>(x), static_cast<To*>(y), n});
  });
}

}  // namespace fovea::cuda
