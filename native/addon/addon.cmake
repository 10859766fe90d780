# The Node addon, by cmake-js (CMAKE_JS_INC), node-gyp (scripts/gyp-cmake.mjs) or plain cmake.

set(FOVEA_NODE_INCLUDES ${CMAKE_JS_INC})
if(NOT CMAKE_JS_INC)
  foreach(package IN ITEMS "require('node-api-headers').include_dir" "require('node-addon-api').include_dir")
    execute_process(COMMAND node -p "require('path').resolve(${package})"
                    WORKING_DIRECTORY ${PROJECT_SOURCE_DIR}
                    OUTPUT_VARIABLE directory OUTPUT_STRIP_TRAILING_WHITESPACE RESULT_VARIABLE failed)
    if(failed)
      message(FATAL_ERROR "Fovea: the Node-API headers are missing. Run `npm ci` first.")
    endif()
    list(APPEND FOVEA_NODE_INCLUDES ${directory})
  endforeach()
endif()

add_library(fovea SHARED
  addon/args.cc
  addon/buffer.cc
  addon/completions.cc
  addon/environment.cc
  addon/errors.cc
  addon/load_buffer.cc
  addon/module.cc
  addon/plan.cc
  addon/plan_args.cc
  ${CMAKE_JS_SRC}
)
set_target_properties(fovea PROPERTIES PREFIX "" SUFFIX ".node")
if(NOT CMAKE_LIBRARY_OUTPUT_DIRECTORY)
  set_target_properties(fovea PROPERTIES LIBRARY_OUTPUT_DIRECTORY ${PROJECT_SOURCE_DIR}/build/${CMAKE_BUILD_TYPE})
endif()
file(READ ${PROJECT_SOURCE_DIR}/package.json FOVEA_PACKAGE)
string(JSON FOVEA_VERSION GET ${FOVEA_PACKAGE} version)
target_compile_definitions(fovea PRIVATE NAPI_VERSION=8 NAPI_CPP_EXCEPTIONS NODE_GYP_MODULE_NAME=fovea
                                         FOVEA_VERSION="${FOVEA_VERSION}")
target_include_directories(fovea SYSTEM PRIVATE ${FOVEA_NODE_INCLUDES})
target_link_libraries(fovea PRIVATE fovea_plan fovea_cpu ${CMAKE_JS_LIB})
# The engine's thread and OpenMP's outlive an environment; a Worker that ends must not unload their code.
target_link_options(fovea PRIVATE -Wl,-z,nodelete)
