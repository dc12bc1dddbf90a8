# Everything FFConv links against; the Debian package of each is named in scripts/packages.txt.
find_package(PkgConfig REQUIRED)
pkg_check_modules(SODIUM REQUIRED IMPORTED_TARGET libsodium)
find_package(TBB REQUIRED)
find_package(fmt REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(Eigen3 REQUIRED)
find_package(CLI11 REQUIRED)
find_package(ZLIB REQUIRED)
find_package(LibLZMA REQUIRED)
find_package(Protobuf REQUIRED)
find_library(FFCONV_ONNX_PROTO onnx_proto REQUIRED)

# ONNX messages: Debian's headers are generated with ONNX_ML.
add_library(ffconv_onnx_proto INTERFACE)
target_compile_definitions(ffconv_onnx_proto INTERFACE ONNX_ML=1 ONNX_NAMESPACE=onnx)
target_link_libraries(ffconv_onnx_proto INTERFACE ${FFCONV_ONNX_PROTO} protobuf::libprotobuf)
