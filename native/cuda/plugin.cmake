# The cuda plugin, fovea_cuda<CUDA's major version>.so beside the addon, where the toolkit is found.

option(FOVEA_CUDA "Build the cuda plugin where CUDA is found" ON)
if(NOT FOVEA_CUDA OR FOVEA_SANITIZE)
  message(STATUS "Fovea: no cuda plugin (FOVEA_CUDA is off, or a sanitizer on)")
  return()
endif()
include(${CMAKE_CURRENT_LIST_DIR}/toolkit.cmake)
if(FOVEA_CUDA_MISSING)
  message(STATUS "Fovea: no cuda plugin: ${FOVEA_CUDA_MISSING}")
  return()
endif()
message(STATUS "Fovea: cuda plugin with CUDA ${FOVEA_CUDA_VERSION} (${FOVEA_NVCC}), ${FOVEA_CUDNN}, ${FOVEA_CUBLAS}")

# nvcc by custom commands: its own checks of compilers and architectures stop CMake, and ours must not.
include(${CMAKE_CURRENT_LIST_DIR}/sources.cmake)
set(objects "")
foreach(source IN LISTS FOVEA_CUDA_KERNELS)
  string(REGEX REPLACE "[/.]" "_" name ${source})
  set(object ${CMAKE_CURRENT_BINARY_DIR}/${name}.o)
  add_custom_command(
    OUTPUT ${object}
    COMMAND ${FOVEA_NVCC} ${FOVEA_NVCC_FLAGS} -I${CMAKE_CURRENT_SOURCE_DIR} -MD -MF ${object}.d -MT ${object}
            -c ${CMAKE_CURRENT_SOURCE_DIR}/${source} -o ${object}
    DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${source}
    DEPFILE ${object}.d
    COMMENT "Building CUDA object ${source}"
    VERBATIM)
  set_source_files_properties(${object} PROPERTIES EXTERNAL_OBJECT ON GENERATED ON)
  list(APPEND objects ${object})
endforeach()

add_library(fovea_cuda SHARED ${FOVEA_CUDA_SOURCES} ${objects})
target_include_directories(fovea_cuda SYSTEM PRIVATE ${FOVEA_CUDA_INCLUDES})
target_link_libraries(fovea_cuda PRIVATE fovea_core ${FOVEA_CUDA_LIBRARIES})
target_link_options(fovea_cuda PRIVATE -Wl,-z,defs -Wl,-z,nodelete -Wl,--enable-new-dtags)
set_target_properties(fovea_cuda PROPERTIES
  PREFIX "" SUFFIX ".so" OUTPUT_NAME fovea_cuda${FOVEA_CUDA_MAJOR}
  BUILD_WITH_INSTALL_RPATH ON INSTALL_RPATH "\$ORIGIN")
if(TARGET fovea)
  get_target_property(folder fovea LIBRARY_OUTPUT_DIRECTORY)
  if(folder)
    set_target_properties(fovea_cuda PROPERTIES LIBRARY_OUTPUT_DIRECTORY ${folder})
  endif()
endif()
