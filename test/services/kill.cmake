# SPDX-License-Identifier: BSD-2-Clause
# Included by test/unit, whose function axo_kill_test this uses.
set(here ${CMAKE_SOURCE_DIR}/test/services)
set(top ${CMAKE_SOURCE_DIR})
list(REMOVE_ITEM AXO_SERVER_FLAGS ${AXO_HOOKS})
list(INSERT AXO_SERVER_FLAGS 0 ${AXO_HOOKS})
list(APPEND AXO_SERVER_FLAGS -I${top}/bootstrap/include -I${top}/bootstrap/keeper -I${top}/personality/ds -I${top}/personality/rs
    -I${here}/host/driver -I${top}/drivers/framework -I${top}/drivers/serial -I${here})
axo_kill_test(dsd ${here} SOURCES ${top}/personality/ds/ds.c ${top}/personality/ds/ere.c MUTANTS no-undo no-slot-check)
axo_kill_test(rsd ${here} SOURCES ${top}/personality/rs/rs.c ${top}/personality/rs/heartbeat.c ${top}/libl4/string/format.c
    ${top}/libl4/string/error.c MUTANTS no-undo no-slot-check op-not-resent)
axo_kill_test(keeperd ${here} SOURCES ${top}/bootstrap/keeper/keeper.c ${top}/bootstrap/keeper/suspect.c ${top}/bootstrap/keeper/process.c ${here}/keeper_objects.c
    ${here}/keeper_places.c ${here}/keeper_machine.c ${top}/libl4/core/task.c MUTANTS no-undo no-slot-check effects-lost)
axo_kill_test(seriald ${here} SOURCES ${top}/drivers/serial/serial.c ${here}/host/uart_host.c MUTANTS no-undo no-slot-check effects-lost)
