# The project's version, HORNBEAM_VERSION: the core opens modules of its own version only, whichever build made them.
file(STRINGS ${CMAKE_CURRENT_LIST_DIR}/../pyproject.toml version_line REGEX "^version = ")
string(REGEX REPLACE "^version = \"(.*)\"" "\\1" version "${version_line}")
set(HORNBEAM_VERSION "${version}" CACHE STRING "version string of the build")
