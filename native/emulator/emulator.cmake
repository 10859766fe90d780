# The test doubles of NVIDIA's libraries, under the real SONAMEs, for tests only. Their folder comes first on
# LD_LIBRARY_PATH; FOVEA_EMULATOR_DIR says where it is.

set(FOVEA_EMULATOR_DIR ${CMAKE_BINARY_DIR}/emulator)

function(fovea_double name soname map)
  add_library(${name} SHARED ${ARGN})
  target_include_directories(${name} SYSTEM PRIVATE ${FOVEA_CUDA_INCLUDES})
  target_link_libraries(${name} PRIVATE fovea_core)
  # The vendor's headers declare what is exported; the version script keeps the rest inside.
  set_target_properties(${name} PROPERTIES CXX_VISIBILITY_PRESET default PREFIX "" OUTPUT_NAME ${soname} SUFFIX ""
                        NO_SONAME TRUE BUILD_RPATH "\$ORIGIN" LIBRARY_OUTPUT_DIRECTORY ${FOVEA_EMULATOR_DIR})
  target_link_options(${name} PRIVATE -Wl,-z,defs -Wl,-soname,${soname}
                      -Wl,--version-script=${CMAKE_CURRENT_SOURCE_DIR}/emulator/${map})
endfunction()

fovea_double(fovea_emulated_cudart libcudart.so.13 cudart.map
  emulator/config.cc
  emulator/cudart_device.cc
  emulator/cudart_kernel.cc
  emulator/cudart_memory.cc
  emulator/cudart_stream.cc
  emulator/faults.cc
  emulator/kernels.cc
  emulator/memory.cc
  emulator/runtime.cc
)
fovea_double(fovea_emulated_cublas libcublas.so.13 cublas.map emulator/cublas.cc emulator/faults.cc)
fovea_double(fovea_emulated_cublas_lt libcublasLt.so.13 cublas_lt.map emulator/cublas_lt.cc emulator/faults.cc)
fovea_double(fovea_emulated_cudnn libcudnn.so.9 cudnn.map
  emulator/config.cc
  emulator/convolution.cc
  emulator/cudnn.cc
  emulator/cudnn_descriptor.cc
  emulator/cudnn_engines.cc
  emulator/cudnn_execute.cc
  emulator/cudnn_finalize.cc
  emulator/cudnn_serialize.cc
  emulator/faults.cc
)
find_package(OpenMP REQUIRED COMPONENTS CXX)
target_link_libraries(fovea_emulated_cudnn PRIVATE OpenMP::OpenMP_CXX)
foreach(double fovea_emulated_cublas fovea_emulated_cublas_lt fovea_emulated_cudnn)
  target_link_libraries(${double} PRIVATE fovea_emulated_cudart)
endforeach()
add_custom_target(fovea_emulator DEPENDS fovea_emulated_cudart fovea_emulated_cublas fovea_emulated_cublas_lt
                                         fovea_emulated_cudnn)
