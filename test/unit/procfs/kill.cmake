# SPDX-License-Identifier: BSD-2-Clause
# procfs's host tests; test/unit/CMakeLists.txt includes this.
set(procfs_own ${CMAKE_CURRENT_LIST_DIR}/windows.c ${CMAKE_SOURCE_DIR}/libl4/string/format.c ${CMAKE_SOURCE_DIR}/libl4/string/error.c ${CMAKE_SOURCE_DIR}/libl4/string/parse.c
    ${CMAKE_SOURCE_DIR}/libl4/string/string.c)
foreach(file procfs census tree text process system service)
    list(APPEND procfs_own ${CMAKE_SOURCE_DIR}/personality/procfs/${file}.c)
endforeach()
axo_kill_test(procfsd ${CMAKE_CURRENT_LIST_DIR} LONG SOURCES ${procfs_own} MUTANTS no-undo no-slot-check op-not-resent)
