# SPDX-License-Identifier: BSD-2-Clause
# Included by test/unit, whose functions this uses.
file(GLOB pm_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/personality/pm/*.c)
axo_kill_test(pmd ${CMAKE_SOURCE_DIR}/test/unit/pm LONG SOURCES ${pm_sources}
    MUTANTS no-undo no-slot-check header-first op-not-resent effects-lost)

# The same orders to pm and to the Linux that runs the test. 77: not as root.
set(program ${CMAKE_BINARY_DIR}/host/pmd/linux)
_axo_server_program(${program} FLAGS -O2 SOURCES ${pm_sources} ${CMAKE_CURRENT_LIST_DIR}/test_linux.c
    ${AXO_WORLD} ${AXO_SERVER_SOURCES})
add_test(NAME pm-as-linux COMMAND ${program})
set_tests_properties(pm-as-linux PROPERTIES LABELS "host;pm" TIMEOUT 120 SKIP_RETURN_CODE 77 REQUIRED_FILES ${program})
