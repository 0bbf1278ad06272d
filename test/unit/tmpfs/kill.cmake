# SPDX-License-Identifier: BSD-2-Clause
# tmpfs's host tests; test/unit/CMakeLists.txt includes this. vm is memory.c.
set(tmpfs_flags ${AXO_SERVER_FLAGS})
set(tmpfs_own ${CMAKE_CURRENT_LIST_DIR}/memory.c)
foreach(file tmpfs node name text data directory list rename load check)
    list(APPEND tmpfs_own ${CMAKE_SOURCE_DIR}/personality/tmpfs/${file}.c)
endforeach()
list(APPEND AXO_SERVER_FLAGS -I${CMAKE_CURRENT_LIST_DIR} -DPLACE_BASE=0x200000000000ul)     # out of AddressSanitizer's way
axo_kill_test(tmpfsd ${CMAKE_CURRENT_LIST_DIR} LONG SOURCES ${tmpfs_own} MUTANTS no-undo no-slot-check)
set(program ${CMAKE_BINARY_DIR}/host/tmpfsd/linux)
_axo_server_program(${program} FLAGS ${AXO_SANITIZE} SOURCES ${CMAKE_CURRENT_LIST_DIR}/test_linux.c ${tmpfs_own} ${AXO_WORLD} ${AXO_SERVER_SOURCES})
add_test(NAME tmpfs-linux COMMAND ${program})
set_tests_properties(tmpfs-linux PROPERTIES LABELS "host" TIMEOUT 300 REQUIRED_FILES ${program})
set(AXO_SERVER_FLAGS ${tmpfs_flags})
