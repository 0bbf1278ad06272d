# SPDX-License-Identifier: BSD-2-Clause
# tty's host tests; test/unit/CMakeLists.txt includes this. What lies below tty is driver.c.
set(tty_flags ${AXO_SERVER_FLAGS})
list(APPEND AXO_SERVER_FLAGS -I${CMAKE_CURRENT_LIST_DIR} -I${CMAKE_SOURCE_DIR}/personality/tty -I${CMAKE_SOURCE_DIR}/test/services/host/driver)
set(tty_own ${CMAKE_CURRENT_LIST_DIR}/driver.c)
foreach(file tty port frame host stream terminal discipline echo read)
    list(APPEND tty_own ${CMAKE_SOURCE_DIR}/personality/tty/${file}.c)
endforeach()
axo_kill_test(ttyd ${CMAKE_CURRENT_LIST_DIR} LONG SOURCES ${tty_own} MUTANTS no-undo no-slot-check effects-lost)

# The same typed and written on tty's console and on a pseudo terminal of the Linux that runs the test.
set(folder ${CMAKE_BINARY_DIR}/host/ttyd)
_axo_server_program(${folder}/line FLAGS ${AXO_SANITIZE} SOURCES ${CMAKE_CURRENT_LIST_DIR}/line.c ${tty_own} ${AXO_WORLD} ${AXO_SERVER_SOURCES})
add_custom_command(OUTPUT ${folder}/pty
    COMMAND ${AXO_HOST_CC} -O1 ${AXO_WARNINGS} ${CMAKE_CURRENT_LIST_DIR}/pty.c -o ${folder}/pty
    DEPENDS ${CMAKE_CURRENT_LIST_DIR}/pty.c ${CMAKE_CURRENT_LIST_DIR}/script.h COMMENT "host ${folder}/pty" VERBATIM)
add_custom_target(tty-pty ALL DEPENDS ${folder}/pty)
add_test(NAME tty-as-linux COMMAND ${AXO_PYTHON} -m pytest -q -p no:cacheprovider ${CMAKE_CURRENT_LIST_DIR}/test_line.py)
set_tests_properties(tty-as-linux PROPERTIES LABELS "host" TIMEOUT 600 REQUIRED_FILES "${folder}/line;${folder}/pty"
    ENVIRONMENT "AXO_NATIVE=${CMAKE_BINARY_DIR};PYTHONDONTWRITEBYTECODE=1")
set(AXO_SERVER_FLAGS ${tty_flags})
