# The test of execution plans against the real cuDNN. It loads the libraries that were found at build time.

add_executable(fovea_cudnn_plans
  ${CMAKE_CURRENT_LIST_DIR}/cudnn_plans_test.cc
  cuda/check.cc
  cuda/graph/conv_graph.cc
  cuda/graph/plan.cc
)
target_include_directories(fovea_cudnn_plans SYSTEM PRIVATE ${FOVEA_CUDA_INCLUDES})
target_link_libraries(fovea_cudnn_plans PRIVATE fovea_core ${FOVEA_CUDA_LIBRARIES})
# cuDNN loads its parts from its own folder by itself.
foreach(library IN LISTS FOVEA_CUDA_LIBRARIES)
  get_filename_component(folder ${library} DIRECTORY)
  list(APPEND folders ${folder})
endforeach()
set_target_properties(fovea_cudnn_plans PROPERTIES
  RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin BUILD_WITH_INSTALL_RPATH ON INSTALL_RPATH "${folders}")
