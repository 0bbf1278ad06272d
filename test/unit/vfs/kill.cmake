# SPDX-License-Identifier: BSD-2-Clause
# vfs's host tests; test/unit/CMakeLists.txt includes this. What lies below vfs is model.c.
set(vfs_flags ${AXO_SERVER_FLAGS})
set(vfs_own ${CMAKE_CURRENT_LIST_DIR}/model.c ${CMAKE_CURRENT_LIST_DIR}/clock.c)
foreach(file main mount process descriptor file walk proc text open transfer pipe device terminal poll stat name change directory)
    list(APPEND vfs_own ${CMAKE_SOURCE_DIR}/personality/vfs/${file}.c)
endforeach()
list(APPEND AXO_SERVER_FLAGS -I${CMAKE_CURRENT_LIST_DIR})
if(EXISTS ${CMAKE_CURRENT_LIST_DIR}/vfsd_kill.c)
    axo_kill_test(vfsd ${CMAKE_CURRENT_LIST_DIR} SOURCES ${vfs_own} MUTANTS no-undo no-slot-check)
    set_tests_properties(kill-vfsd-instructions PROPERTIES TIMEOUT 900 LABELS "host;kill;long")
endif()
set(program ${CMAKE_BINARY_DIR}/host/vfsd/linux)
_axo_server_program(${program} FLAGS ${AXO_SANITIZE} SOURCES ${CMAKE_CURRENT_LIST_DIR}/test_linux.c ${CMAKE_CURRENT_LIST_DIR}/client.c
    ${vfs_own} ${AXO_WORLD} ${AXO_SERVER_SOURCES})
add_test(NAME vfs-linux COMMAND ${program})
set_tests_properties(vfs-linux PROPERTIES LABELS "host" TIMEOUT 300 REQUIRED_FILES ${program})
set(AXO_SERVER_FLAGS ${vfs_flags})
