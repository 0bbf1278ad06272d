# SPDX-License-Identifier: BSD-2-Clause
# tty's host tests; test/unit/CMakeLists.txt includes this. What lies below tty is driver.c.
set(tty_flags ${AXO_SERVER_FLAGS})
list(APPEND AXO_SERVER_FLAGS -I${CMAKE_CURRENT_LIST_DIR} -I${CMAKE_SOURCE_DIR}/personality/tty -I${CMAKE_SOURCE_DIR}/test/services/host/driver)
set(tty_own ${CMAKE_CURRENT_LIST_DIR}/driver.c)
foreach(file tty port frame host stream terminal discipline echo read)
    list(APPEND tty_own ${CMAKE_SOURCE_DIR}/personality/tty/${file}.c)
endforeach()
axo_kill_test(ttyd ${CMAKE_CURRENT_LIST_DIR} LONG SOURCES ${tty_own} MUTANTS no-undo no-slot-check effects-lost)
set(AXO_SERVER_FLAGS ${tty_flags})
