# Flags shared by every target of the project.
add_library(ffconv_flags INTERFACE)
target_include_directories(ffconv_flags INTERFACE ${PROJECT_SOURCE_DIR}/src)
# Contraction would make a tier's rounding depend on the compiler: fused operations are written as such.
target_compile_options(ffconv_flags INTERFACE -ffp-contract=off)
if(FFCONV_DEVELOPER)
  target_compile_options(ffconv_flags INTERFACE -Wall -Wextra -Wpedantic -Wconversion -Werror)
endif()
if(FFCONV_CHECKS)
  target_compile_definitions(ffconv_flags INTERFACE FFCONV_CHECKS=1)
endif()
if(FFCONV_SANITIZE)
  target_compile_options(ffconv_flags INTERFACE -fsanitize=${FFCONV_SANITIZE} -fno-omit-frame-pointer
                                                -fno-sanitize-recover=all)
  target_link_options(ffconv_flags INTERFACE -fsanitize=${FFCONV_SANITIZE})
  target_compile_definitions(ffconv_flags INTERFACE FFCONV_SANITIZED=1)
endif()
if(FFCONV_FUZZERS)
  # Coverage in every library; only the fuzzers themselves link libFuzzer's main.
  target_compile_options(ffconv_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()

# ffconv_library(NAME SOURCES... DEPENDS ...): the static library ffconv_NAME; links public what its
# folder may include, so that the folder order of docs/architecture.md is also the link order.
function(ffconv_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPENDS" ${ARGN})
  add_library(ffconv_${name} STATIC ${ARG_SOURCES})
  target_link_libraries(ffconv_${name} PUBLIC ffconv_flags ${ARG_DEPENDS})
endfunction()
