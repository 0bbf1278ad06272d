# SPDX-License-Identifier: BSD-2-Clause
# Included by test/unit, whose functions this uses.
file(GLOB pm_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/personality/pm/*.c)
axo_kill_test(pmd ${CMAKE_SOURCE_DIR}/test/unit/pm SOURCES ${pm_sources}
    MUTANTS no-undo no-slot-check header-first op-not-resent effects-lost)
