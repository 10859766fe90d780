# Finds nvcc, the CUDA runtime, cuBLAS and cuDNN 9, and checks that nvcc compiles. Sets FOVEA_CUDA_MISSING to the reason
# when something is not there, else FOVEA_NVCC, FOVEA_CUDA_MAJOR, FOVEA_CUDA_INCLUDES and FOVEA_CUDA_LIBRARIES. Nothing
# here fails: without CUDA the addon is built as ever.
#
# Looked through, in this order: the folder of `npm run cuda:sdk`, CUDA_HOME and CUDA_PATH, the system.

set(FOVEA_CUDA_MISSING "")
set(FOVEA_CUDA_SDK "${PROJECT_SOURCE_DIR}/.cuda" CACHE PATH "The folder that `npm run cuda:sdk` made")
set(FOVEA_CUDA_ROOTS "$ENV{CUDA_HOME}" "$ENV{CUDA_PATH}")
list(FILTER FOVEA_CUDA_ROOTS EXCLUDE REGEX "^$")

# CUDA brings new libraries while a build folder lives: what was not found is looked for again.
foreach(found IN ITEMS FOVEA_NVCC FOVEA_CUDART_INCLUDE FOVEA_CUDART FOVEA_CUBLAS_INCLUDE FOVEA_CUBLAS FOVEA_CUBLASLT
                       FOVEA_CUDNN_INCLUDE FOVEA_CUDNN)
  if(NOT ${found})
    unset(${found} CACHE)
  endif()
endforeach()

find_program(FOVEA_NVCC nvcc HINTS ${FOVEA_CUDA_ROOTS} /usr/local/cuda PATH_SUFFIXES bin)
if(NOT FOVEA_NVCC)
  set(FOVEA_CUDA_MISSING "nvcc was not found (install the CUDA toolkit, or set CUDA_HOME)")
  return()
endif()
execute_process(COMMAND ${FOVEA_NVCC} --version OUTPUT_VARIABLE version ERROR_QUIET RESULT_VARIABLE failed)
if(failed OR NOT version MATCHES "release ([0-9]+)\\.([0-9]+)")
  set(FOVEA_CUDA_MISSING "${FOVEA_NVCC} does not run")
  return()
endif()
set(FOVEA_CUDA_MAJOR ${CMAKE_MATCH_1})
set(FOVEA_CUDA_VERSION ${CMAKE_MATCH_1}.${CMAKE_MATCH_2})
if(FOVEA_CUDA_MAJOR LESS 12)
  set(FOVEA_CUDA_MISSING "${FOVEA_NVCC} is of CUDA ${FOVEA_CUDA_VERSION}, and 12 or 13 is needed")
  return()
endif()
if(CMAKE_VERSION VERSION_LESS 3.20)
  set(FOVEA_CUDA_MISSING "CMake ${CMAKE_VERSION} is older than 3.20")
  return()
endif()
if(NOT CMAKE_CXX_COMPILER_ID STREQUAL "GNU" OR NOT CMAKE_SYSTEM_NAME STREQUAL "Linux")
  set(FOVEA_CUDA_MISSING "the cuda backend is built by GCC on Linux only")
  return()
endif()

# nvcc may be a link or a script: it says itself where its toolkit is.
execute_process(COMMAND ${FOVEA_NVCC} --dryrun -x cu -E /dev/null ERROR_VARIABLE dryrun OUTPUT_QUIET)
set(toolkit "")
if(dryrun MATCHES "TOP=([^\n\"]+)")
  string(STRIP "${CMAKE_MATCH_1}" toolkit)
  get_filename_component(toolkit "${toolkit}" REALPATH)
endif()
set(roots ${FOVEA_CUDA_ROOTS} ${toolkit} /usr/local/cuda)
set(library_suffixes lib64 lib targets/x86_64-linux/lib targets/sbsa-linux/lib)
set(wheel ${FOVEA_CUDA_SDK}/nvidia)
set(wheel_lib cu${FOVEA_CUDA_MAJOR}/lib cublas/lib)
set(wheel_include cu${FOVEA_CUDA_MAJOR}/include cublas/include)

# Wheels have no links without a version, so files are asked for by name.
find_path(FOVEA_CUDART_INCLUDE cuda_runtime_api.h HINTS ${roots} PATH_SUFFIXES include targets/x86_64-linux/include)
find_file(FOVEA_CUDART NAMES libcudart.so libcudart.so.${FOVEA_CUDA_MAJOR} HINTS ${roots}
          PATH_SUFFIXES ${library_suffixes} PATHS /usr/lib/x86_64-linux-gnu /usr/lib/aarch64-linux-gnu)
foreach(library IN ITEMS cublas cublasLt)
  string(TOUPPER ${library} name)
  find_file(FOVEA_${name} NAMES lib${library}.so.${FOVEA_CUDA_MAJOR} HINTS ${wheel} ${roots}
            PATH_SUFFIXES ${wheel_lib} ${library_suffixes} PATHS /usr/lib/x86_64-linux-gnu /usr/lib/aarch64-linux-gnu)
endforeach()
find_path(FOVEA_CUBLAS_INCLUDE cublasLt.h HINTS ${wheel} ${roots}
          PATH_SUFFIXES ${wheel_include} include targets/x86_64-linux/include)
find_file(FOVEA_CUDNN NAMES libcudnn.so.9 HINTS ${wheel} ${roots} PATH_SUFFIXES cudnn/lib ${library_suffixes}
          PATHS /usr/lib/x86_64-linux-gnu /usr/lib/aarch64-linux-gnu)
find_path(FOVEA_CUDNN_INCLUDE cudnn_graph.h HINTS ${wheel} ${roots}
          PATH_SUFFIXES cudnn/include include PATHS /usr/include/x86_64-linux-gnu /usr/include/aarch64-linux-gnu)

foreach(found IN ITEMS FOVEA_CUDART_INCLUDE:cuda_runtime_api.h FOVEA_CUDART:libcudart
                       FOVEA_CUBLAS_INCLUDE:cublasLt.h FOVEA_CUBLAS:libcublas.so.${FOVEA_CUDA_MAJOR}
                       FOVEA_CUBLASLT:libcublasLt.so.${FOVEA_CUDA_MAJOR} FOVEA_CUDNN_INCLUDE:cudnn_graph.h
                       FOVEA_CUDNN:libcudnn.so.9)
  string(REPLACE ":" ";" pair ${found})
  list(GET pair 0 variable)
  list(GET pair 1 file)
  if(NOT ${variable})
    list(APPEND missing ${file})
  endif()
endforeach()
if(missing)
  string(REPLACE ";" ", " missing "${missing}")
  set(FOVEA_CUDA_MISSING "${missing} not found (npm run cuda:sdk fetches cuDNN and cuBLAS)")
  return()
endif()
set(FOVEA_CUDA_INCLUDES ${FOVEA_CUDNN_INCLUDE} ${FOVEA_CUBLAS_INCLUDE} ${FOVEA_CUDART_INCLUDE})
list(REMOVE_DUPLICATES FOVEA_CUDA_INCLUDES)
set(FOVEA_CUDA_LIBRARIES ${FOVEA_CUDNN} ${FOVEA_CUBLAS} ${FOVEA_CUBLASLT} ${FOVEA_CUDART})

# Architectures: one binary for each, and the newest as PTX for devices that are newer still.
if(NOT FOVEA_CUDA_ARCHITECTURES)
  set(architectures 75 80 86 89 90)
  if(FOVEA_CUDA_VERSION VERSION_GREATER_EQUAL 12.8)
    list(APPEND architectures 100 120)
  endif()
else()
  string(REPLACE "," ";" architectures "${FOVEA_CUDA_ARCHITECTURES}")
endif()
set(FOVEA_NVCC_FLAGS -std=c++20 -O3 --expt-relaxed-constexpr -cudart shared -ccbin ${CMAKE_CXX_COMPILER}
    --Werror all-warnings -Xcompiler=-fPIC,-fvisibility=hidden,-Wall,-Wextra)
foreach(architecture IN LISTS architectures)
  list(APPEND FOVEA_NVCC_FLAGS -gencode arch=compute_${architecture},code=sm_${architecture})
endforeach()
list(GET architectures -1 newest)
list(APPEND FOVEA_NVCC_FLAGS -gencode arch=compute_${newest},code=compute_${newest})

# An nvcc that does not go with the host's compiler, or an architecture that it does not know, shows here.
set(trial ${CMAKE_CURRENT_BINARY_DIR}/cuda_trial)
set(trial_key "${FOVEA_NVCC} ${FOVEA_NVCC_FLAGS}")
if(NOT FOVEA_CUDA_TRIED STREQUAL trial_key)
  file(WRITE ${trial}.cu "#include <bit>\n__global__ void trial(float* x) { *x = std::bit_cast<float>(1); }\n")
  execute_process(COMMAND ${FOVEA_NVCC} ${FOVEA_NVCC_FLAGS} -c ${trial}.cu -o ${trial}.o
                  OUTPUT_VARIABLE output ERROR_VARIABLE output RESULT_VARIABLE failed)
  if(failed)
    string(REGEX REPLACE "\n.*" "" output "${output}")
    set(FOVEA_CUDA_MISSING "${FOVEA_NVCC} does not compile: ${output}")
    return()
  endif()
  set(FOVEA_CUDA_TRIED "${trial_key}" CACHE INTERNAL "With what nvcc was tried")
endif()
