# SPDX-License-Identifier: BSD-2-Clause
# The policy monitor's host test; test/unit/CMakeLists.txt includes this. Its policy is rules.c.
set(policy_flags ${AXO_SERVER_FLAGS})
list(APPEND AXO_SERVER_FLAGS -I${CMAKE_SOURCE_DIR}/personality)
axo_kill_test(policyd ${CMAKE_CURRENT_LIST_DIR} SOURCES ${CMAKE_SOURCE_DIR}/personality/policy/policy.c ${CMAKE_CURRENT_LIST_DIR}/rules.c
    MUTANTS no-undo entry-late label-not-told pass-unjudged)

# The loop of a monitor.
_axo_server_program(${CMAKE_BINARY_DIR}/host/policyd/test_judge FLAGS ${AXO_SANITIZE} SOURCES ${CMAKE_CURRENT_LIST_DIR}/test_judge.c
    ${CMAKE_SOURCE_DIR}/personality/policy/policy.c ${CMAKE_CURRENT_LIST_DIR}/rules.c ${AXO_WORLD} ${AXO_SERVER_SOURCES})
add_test(NAME judge COMMAND ${CMAKE_BINARY_DIR}/host/policyd/test_judge)
set_tests_properties(judge PROPERTIES LABELS "host;libl4" TIMEOUT 60 REQUIRED_FILES ${CMAKE_BINARY_DIR}/host/policyd/test_judge)
set(AXO_SERVER_FLAGS ${policy_flags})
