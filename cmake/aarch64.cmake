# For `cmake --preset aarch64`: cross-compiles with Debian's g++-aarch64-linux-gnu against the CPython headers under
# AARCH64_ROOT, an unpacked arm64 system that ci/aarch64 makes.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_CXX_COMPILER aarch64-linux-gnu-g++)
list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES AARCH64_ROOT)
# Last of all directories: only pyconfig.h comes from there, the C library's headers are the compiler's own.
set(CMAKE_CXX_FLAGS_INIT "-idirafter ${AARCH64_ROOT}/usr/include")
file(GLOB Python_INCLUDE_DIR ${AARCH64_ROOT}/usr/include/python3.*)
cmake_path(GET Python_INCLUDE_DIR FILENAME python_name)
string(REGEX REPLACE "[^0-9]" "" python_digits ${python_name})
set(PYTHON_MODULE_EXTENSION .cpython-${python_digits}-aarch64-linux-gnu.so)
