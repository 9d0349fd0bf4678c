# The project's version, HORNBEAM_VERSION: the core opens modules of its own version only, whichever build made them.
set(project_file ${CMAKE_CURRENT_LIST_DIR}/../pyproject.toml)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${project_file})
file(STRINGS ${project_file} version_line REGEX "^version = ")
string(REGEX REPLACE "^version = \"(.*)\"" "\\1" HORNBEAM_VERSION "${version_line}")
