# The CPU backend's sources, relative to native/. Needs C++20, OpenMP and oneDNN (dnnl).
set(FOVEA_CPU_SOURCES
  cpu/backend.cc
  cpu/batch_norm.cc
  cpu/narrow.cc
  cpu/conv.cc
  cpu/conv_depthwise.cc
  cpu/conv_filters.cc
  cpu/conv_gemm.cc
  cpu/conv_indirect.cc
  cpu/conv_onednn.cc
  cpu/conv_primitives.cc
  cpu/conv_shares.cc
  cpu/conv_timing.cc
  cpu/conv_winograd.cc
  cpu/conv_winograd_kernel.cc
  cpu/data_movement.cc
  cpu/elementwise.cc
  cpu/elementwise_compile.cc
  cpu/elementwise_ops.cc
  cpu/filters.cc
  cpu/gather.cc
  cpu/gemm_tile.cc
  cpu/indirect_plan.cc
  cpu/indirect_tile.cc
  cpu/lrn.cc
  cpu/matmul.cc
  cpu/matmul_row.cc
  cpu/memory.cc
  cpu/page_pool.cc
  cpu/philox_blocks.cc
  cpu/pool.cc
  cpu/random.cc
  cpu/reduce.cc
  cpu/resize.cc
  cpu/simd.cc
  cpu/softmax.cc
  cpu/winners.cc
  cpu/winograd.cc
  cpu/winograd_tiles.cc
)
# Without these two promises (nobody reads errno or floating-point exception flags) GCC leaves square roots and selects
# as calls and branches. They change no value: NaN, infinity and signed zero stay as they are.
set_source_files_properties(${FOVEA_CPU_SOURCES} PROPERTIES COMPILE_OPTIONS "-fno-math-errno;-fno-trapping-math")
