# SPDX-License-Identifier: BSD-2-Clause
# The policy monitor's host test; test/unit/CMakeLists.txt includes this. Its policy is rules.c.
set(policy_flags ${AXO_SERVER_FLAGS})
list(APPEND AXO_SERVER_FLAGS -I${CMAKE_SOURCE_DIR}/personality)
axo_kill_test(policyd ${CMAKE_CURRENT_LIST_DIR} SOURCES ${CMAKE_SOURCE_DIR}/personality/policy/policy.c ${CMAKE_CURRENT_LIST_DIR}/rules.c
    MUTANTS no-undo entry-late label-not-told pass-unjudged)
set(AXO_SERVER_FLAGS ${policy_flags})
