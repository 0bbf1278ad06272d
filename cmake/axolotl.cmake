# SPDX-License-Identifier: BSD-2-Clause
# axolotl.cmake: the few functions that every folder's CMakeLists.txt is made of.
#
#   axo_program(NAME SOURCES...)                      a native program: libl4, build/native/bin/NAME, stripped boot/NAME
#   axo_server(NAME SOURCES... [MODULE])              the same; MODULE puts it into the archive that `axo run` boots
#   axo_library(NAME SOURCES...)                      a native library; its folder include/ is for those who link it
#   axo_image(NAME SCRIPT FILE SOURCES... [OPTIONS])  a freestanding image with its own linker script (kernel, loader)
#   axo_archive(NAME FILE OUT MEMBERS...)             a boot archive; its first member is the kernel, or MEMBERS' first one: kernel=TARGET
#   axo_guest_test(NAME ARCHIVE MEMBERS... | OF TEST  [CMDLINE TEXT] [TIMEOUT S] [LABELS L...] [ICOUNT]
#                  [SMP N] [MEM M] [CPU MODEL] [MACHINE pc|q35] [WAY direct|iso|uefi] [KPTI])   OF: the archive of another test;
#                                                     KPTI: with the other kernel
#   axo_guest_bench(GROUP ARCHIVE MEMBERS... [KPTI])  booted by `axo bench GROUP` under -icount; with the other kernel, too
#   axo_host_test(NAME SOURCES... [INCLUDES DIR...] [DEFINES D...] [LABELS L...])   CMocka, ASan, UBSan, host compiler
#   axo_python_test(NAME PATH... [LABELS L...] [NEEDS FILE...])   pytest; the system that `axo run` boots is there
# A test names what it needs in REQUIRED_FILES: `axo test NAME` builds no more than that.
#
# A MEMBER is a target's name, or NAME=TARGET, or NAME=/path/of/a/file.
# Names are looked up when everything is configured, so the order of folders does not matter.

find_package(Python3 REQUIRED COMPONENTS Interpreter)
find_program(AXO_HOST_CC NAMES cc gcc clang REQUIRED)
set(AXO_PYTHON /usr/bin/python3)
set(AXO_GENERATED ${CMAKE_BINARY_DIR}/generated)
set(AXO_BOOT ${CMAKE_BINARY_DIR}/boot)
set(AXO_BIN ${CMAKE_BINARY_DIR}/bin)
set(AXO_IDL_STAMP ${AXO_GENERATED}/idl.stamp)
set(AXO_SYSTEM_FILES ${CMAKE_BINARY_DIR}/system.cpio ${AXO_BOOT}/loader)    # what `axo run` boots
file(MAKE_DIRECTORY ${AXO_GENERATED} ${AXO_BOOT} ${AXO_BIN})

set(AXO_COUNTED "")             # AXO_COVERAGE: host tests count what they reach, for `axo test --coverage`
if(AXO_COVERAGE)
    set(AXO_COUNTED --coverage)
endif()

set(AXO_WARNINGS -Wall -Wextra -Werror -Wno-unused-parameter -Wstrict-prototypes -Wundef)
set(AXO_FREESTANDING ${AXO_WARNINGS} -O2 -g -ffreestanding -nostdlib -fno-pic -no-pie -fno-stack-protector
    -fno-asynchronous-unwind-tables -fno-common -fcf-protection=none -mgeneral-regs-only
    -ffile-prefix-map=${CMAKE_SOURCE_DIR}/= -ffile-prefix-map=${CMAKE_BINARY_DIR}/=)
set(AXO_NATIVE ${AXO_FREESTANDING} -Werror=discarded-qualifiers -Werror=cast-qual)
set(AXO_HIGH -fpie -fvisibility=hidden)     # code that may lie above 2 GB
set(AXO_LINK -static -nostdlib -no-pie -Wl,--build-id=none -Wl,-z,noexecstack -Wl,-z,max-page-size=4096
    -Wl,--fatal-warnings)

# Stubs from every interface file, when one of them or the generator changes. A stub that comes out the same keeps its
# time, so that little is compiled again.
function(axo_idl)
    file(GLOB interfaces CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/idl/interfaces/*.idl)
    file(GLOB_RECURSE generator CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/idl/idlc/*.py ${CMAKE_SOURCE_DIR}/idl/idlc/*.lark
        ${CMAKE_SOURCE_DIR}/idl/idlc/*.j2)
    file(GLOB entry CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/idl/idlc/__main__.py)
    if(interfaces AND entry)
        add_custom_command(OUTPUT ${AXO_IDL_STAMP}
            COMMAND ${AXO_PYTHON} ${CMAKE_SOURCE_DIR}/tools/axo/stubs.py ${CMAKE_SOURCE_DIR}/idl ${AXO_GENERATED}
            DEPENDS ${interfaces} ${generator} ${CMAKE_SOURCE_DIR}/tools/axo/stubs.py
            COMMENT "idlc" VERBATIM)
    else()
        add_custom_command(OUTPUT ${AXO_IDL_STAMP} COMMAND ${CMAKE_COMMAND} -E touch ${AXO_IDL_STAMP} VERBATIM)
    endif()
    add_custom_target(idl DEPENDS ${AXO_IDL_STAMP})
endfunction()

# Sources see the generated headers, and are compiled again when those change.
function(_axo_generated name)
    add_dependencies(${name} idl)
    target_include_directories(${name} PRIVATE ${AXO_GENERATED})
    get_target_property(sources ${name} SOURCES)
    list(FILTER sources INCLUDE REGEX "\\.(c|S)$")
    set_property(SOURCE ${sources} APPEND PROPERTY OBJECT_DEPENDS ${AXO_IDL_STAMP})
endfunction()

# bin/NAME keeps the symbols for the debugger, boot/NAME goes into archives.
function(_axo_stripped name)
    set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${AXO_BIN} OUTPUT_NAME ${name} SUFFIX "")
    add_custom_command(OUTPUT ${AXO_BOOT}/${name}
        COMMAND ${CMAKE_OBJCOPY} --strip-debug $<TARGET_FILE:${name}> ${AXO_BOOT}/${name}
        DEPENDS ${name} VERBATIM)
    add_custom_target(boot-${name} ALL DEPENDS ${AXO_BOOT}/${name})
endfunction()

function(axo_image name)
    cmake_parse_arguments(arg "" "SCRIPT" "OPTIONS" ${ARGN})
    add_executable(${name} ${arg_UNPARSED_ARGUMENTS})
    target_include_directories(${name} PRIVATE ${CMAKE_SOURCE_DIR}/kernel/include ${CMAKE_CURRENT_SOURCE_DIR})
    target_compile_definitions(${name} PRIVATE AXO_VERSION="${AXO_VERSION}")
    target_compile_options(${name} PRIVATE ${AXO_FREESTANDING} ${arg_OPTIONS})
    target_link_options(${name} PRIVATE ${AXO_LINK} -Wl,-T,${arg_SCRIPT})
    set_target_properties(${name} PROPERTIES LINK_DEPENDS ${arg_SCRIPT})
    _axo_generated(${name})
    _axo_stripped(${name})
endfunction()

function(axo_library name)
    add_library(${name} STATIC ${ARGN})
    target_include_directories(${name} PUBLIC include ${CMAKE_SOURCE_DIR}/kernel/include ${AXO_GENERATED}
        PRIVATE ${CMAKE_CURRENT_SOURCE_DIR})
    target_compile_definitions(${name} PRIVATE AXO_VERSION="${AXO_VERSION}")
    target_compile_options(${name} PRIVATE ${AXO_NATIVE})
    _axo_generated(${name})
endfunction()

function(axo_program name)
    cmake_parse_arguments(arg "HIGH" "" "" ${ARGN})     # HIGH: sigma0, which leaves the low addresses to all RAM
    set(script ${CMAKE_SOURCE_DIR}/libl4/native.ld)
    add_executable(${name} ${arg_UNPARSED_ARGUMENTS})
    target_include_directories(${name} PRIVATE ${CMAKE_CURRENT_SOURCE_DIR})
    target_compile_options(${name} PRIVATE ${AXO_NATIVE})
    target_link_options(${name} PRIVATE ${AXO_LINK} -Wl,-T,${script})
    set_target_properties(${name} PROPERTIES LINK_DEPENDS ${script})
    if(arg_HIGH)
        target_compile_options(${name} PRIVATE ${AXO_HIGH})
        target_link_options(${name} PRIVATE -Wl,--defsym=l4_base=0x7f0000000000)
        target_link_libraries(${name} PRIVATE l4-high)
    else()
        target_link_libraries(${name} PRIVATE l4)
    endif()
    _axo_generated(${name})
    _axo_stripped(${name})
endfunction()

function(axo_server name)
    cmake_parse_arguments(arg "MODULE" "" "IDL" ${ARGN})    # IDL: for the reader; every stub is at hand
    axo_program(${name} ${arg_UNPARSED_ARGUMENTS})
    if(arg_MODULE)
        set_property(GLOBAL APPEND PROPERTY AXO_MODULES ${name})
    endif()
endfunction()

# NAME=FILE words and files to wait for, from members as axo_archive takes them.
function(_axo_members words files)
    set(out_words "")
    set(out_files "")
    foreach(entry IN LISTS ARGN)
        string(REGEX MATCH "^([^=]+)=(.*)$" pair ${entry})
        if(pair)
            set(as ${CMAKE_MATCH_1})
            set(from ${CMAKE_MATCH_2})
        else()
            set(as ${entry})
            set(from ${entry})
        endif()
        if(NOT IS_ABSOLUTE ${from})
            if(NOT TARGET ${from})
                set(${words} "missing ${from}" PARENT_SCOPE)
                return()
            endif()
            set(from ${AXO_BOOT}/${from})
        endif()
        list(APPEND out_words ${as}=${from})
        list(APPEND out_files ${from})
    endforeach()
    set(${words} "${out_words}" PARENT_SCOPE)
    set(${files} "${out_files}" PARENT_SCOPE)
endfunction()

function(axo_archive name)
    cmake_parse_arguments(arg "" "FILE" "MEMBERS" ${ARGN})
    cmake_language(EVAL CODE "cmake_language(DEFER DIRECTORY [[${CMAKE_SOURCE_DIR}]]
        CALL _axo_archive_now [[${name}]] [[${arg_FILE}]] [[${arg_MEMBERS}]])")
endfunction()

# Sets `command` to one that checks the archive's manifest, if it has one, against the archive's members.
function(_axo_manifest_check command)
    set(${command} "" PARENT_SCOPE)
    list(TRANSFORM ARGN REPLACE "=.*" "" OUTPUT_VARIABLE names)
    set(text "")
    list(FILTER ARGN INCLUDE REGEX "^manifest=")
    if(ARGN)
        get_filename_component(target ${ARGN} NAME)
        get_property(text GLOBAL PROPERTY AXO_MANIFEST_${target})
    endif()
    if(text)
        set(${command} COMMAND ${CMAKE_COMMAND} -E env PYTHONDONTWRITEBYTECODE=1 ${AXO_PYTHON}
            ${CMAKE_SOURCE_DIR}/bootstrap/manifest/compile.py ${text} --modules ${names} PARENT_SCOPE)
    endif()
endfunction()

function(_axo_archive_now name file members)
    if(NOT members MATCHES "^kernel=")
        list(PREPEND members kernel)
    endif()
    _axo_members(words files ${members})
    if(words MATCHES "^missing (.*)")
        message(WARNING "archive ${name} left out: there is no target ${CMAKE_MATCH_1}")
        return()
    endif()
    set(packer ${CMAKE_SOURCE_DIR}/tools/axo/archive.py)
    _axo_manifest_check(check ${words})
    add_custom_command(OUTPUT ${file} ${check} COMMAND ${AXO_PYTHON} ${packer} ${file} ${words}
        DEPENDS ${files} ${packer} COMMENT "archive ${name}" VERBATIM)
    add_custom_target(archive-${name} ALL DEPENDS ${file})
    set_property(GLOBAL APPEND PROPERTY AXO_ARCHIVES ${name})
endfunction()

# Boots the members and judges by the status that the guest leaves through isa-debug-exit: 33 is a pass.
function(axo_guest_test name)
    cmake_parse_arguments(arg "ICOUNT;KPTI" "OF;CMDLINE;TIMEOUT;SMP;MEM;CPU;MACHINE;WAY" "ARCHIVE;LABELS" ${ARGN})
    file(MAKE_DIRECTORY ${CMAKE_BINARY_DIR}/test)
    if(arg_KPTI)
        get_property(arg_ARCHIVE GLOBAL PROPERTY AXO_MEMBERS_${arg_OF})
        list(PREPEND arg_ARCHIVE kernel=kernel-kpti)
    endif()
    if(arg_OF AND NOT arg_KPTI)
        set(archive ${arg_OF})
    else()
        set(archive ${name})
        axo_archive(${name} FILE ${CMAKE_BINARY_DIR}/test/${name}.cpio MEMBERS ${arg_ARCHIVE})
        set_property(GLOBAL PROPERTY AXO_MEMBERS_${name} ${arg_ARCHIVE})
    endif()
    if(NOT arg_TIMEOUT)
        set(arg_TIMEOUT 60)
    endif()
    set(flags --timeout ${arg_TIMEOUT})
    foreach(word CMDLINE SMP MEM CPU MACHINE WAY)
        if(arg_${word})
            string(TOLOWER ${word} flag)
            list(APPEND flags --${flag} ${arg_${word}})
        endif()
    endforeach()
    if(arg_ICOUNT)
        list(APPEND flags --icount)
    endif()
    math(EXPR patience "${arg_TIMEOUT} + 30")
    list(JOIN flags "]] [[" flags)
    cmake_language(EVAL CODE "cmake_language(DEFER DIRECTORY [[${CMAKE_SOURCE_DIR}]]
        CALL _axo_guest_test_now [[${name}]] [[${archive}]] [[${patience}]] [[guest;${arg_LABELS}]] [[${flags}]])")
endfunction()

function(_axo_guest_test_now name archive patience labels)
    get_property(archives GLOBAL PROPERTY AXO_ARCHIVES)
    if(NOT archive IN_LIST archives OR NOT TARGET loader)
        message(WARNING "guest test ${name} left out: its archive or the loader is missing")
        return()
    endif()
    add_test(NAME ${name} COMMAND ${AXO_PYTHON} ${CMAKE_SOURCE_DIR}/tools/axo/guest_test.py
        --loader ${AXO_BOOT}/loader --log ${CMAKE_BINARY_DIR}/test/${name}.log ${ARGN} ${CMAKE_BINARY_DIR}/test/${archive}.cpio)
    set_tests_properties(${name} PROPERTIES LABELS "${labels}" TIMEOUT ${patience}
        REQUIRED_FILES "${CMAKE_BINARY_DIR}/test/${archive}.cpio;${AXO_BOOT}/loader")
endfunction()

function(axo_guest_bench group)
    cmake_parse_arguments(arg "KPTI" "" "ARCHIVE" ${ARGN})
    set(file bench/${group}.cpio)
    file(MAKE_DIRECTORY ${CMAKE_BINARY_DIR}/bench)
    axo_archive(bench-${group} FILE ${CMAKE_BINARY_DIR}/${file} MEMBERS ${arg_ARCHIVE})
    if(arg_KPTI)
        axo_archive(bench-${group}-kpti FILE ${CMAKE_BINARY_DIR}/bench/${group}-kpti.cpio MEMBERS kernel=kernel-kpti ${arg_ARCHIVE})
    endif()
    set_property(GLOBAL APPEND_STRING PROPERTY AXO_BENCHES "${group} ${file}\n")
endfunction()

function(axo_host_test name)
    cmake_parse_arguments(arg "" "" "INCLUDES;DEFINES;LABELS" ${ARGN})
    set(flags -std=gnu11 ${AXO_WARNINGS} -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=undefined
        -fno-omit-frame-pointer ${AXO_COUNTED})
    foreach(folder IN LISTS arg_INCLUDES)
        list(APPEND flags -I${folder})
    endforeach()
    list(APPEND flags -I${CMAKE_SOURCE_DIR}/kernel/include -I${CMAKE_SOURCE_DIR}/libl4/include -I${AXO_GENERATED} -I${CMAKE_CURRENT_SOURCE_DIR})
    foreach(define IN LISTS arg_DEFINES)
        list(APPEND flags -D${define})
    endforeach()
    set(objects "")
    foreach(source IN LISTS arg_UNPARSED_ARGUMENTS)
        get_filename_component(source ${source} ABSOLUTE)
        string(MAKE_C_IDENTIFIER ${source} object)
        set(object ${CMAKE_BINARY_DIR}/host/${name}/${object}.o)
        add_custom_command(OUTPUT ${object}
            COMMAND ${AXO_HOST_CC} ${flags} -MD -MF ${object}.d -c ${source} -o ${object}
            DEPENDS ${source} ${AXO_IDL_STAMP} DEPFILE ${object}.d COMMENT "host test ${name}" VERBATIM)
        list(APPEND objects ${object})
    endforeach()
    file(MAKE_DIRECTORY ${CMAKE_BINARY_DIR}/host/${name})
    set(program ${CMAKE_BINARY_DIR}/host/${name}/${name})
    add_custom_command(OUTPUT ${program}
        COMMAND ${AXO_HOST_CC} -fsanitize=address,undefined ${AXO_COUNTED} -o ${program} ${objects} -lcmocka
        DEPENDS ${objects} VERBATIM)
    add_custom_target(host-${name} ALL DEPENDS ${program})
    add_test(NAME ${name} COMMAND ${program})
    set_tests_properties(${name} PROPERTIES LABELS "host;${arg_LABELS}" TIMEOUT 300 REQUIRED_FILES ${program})
endfunction()

function(axo_python_test name)
    cmake_parse_arguments(arg "" "" "LABELS;NEEDS" ${ARGN})
    add_test(NAME ${name} COMMAND ${AXO_PYTHON} -m pytest -q -p no:cacheprovider ${arg_UNPARSED_ARGUMENTS}
        WORKING_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR})
    set_tests_properties(${name} PROPERTIES LABELS "python;${arg_LABELS}" TIMEOUT 600
        REQUIRED_FILES "${AXO_SYSTEM_FILES};${arg_NEEDS}"
        ENVIRONMENT "AXO_NATIVE=${CMAKE_BINARY_DIR};PYTHONDONTWRITEBYTECODE=1")
endfunction()

# The archive that `axo run` boots: sigma0, keeper and the modules; as long as there is no keeper, the test first-call.
function(axo_system)
    cmake_language(EVAL CODE "cmake_language(DEFER DIRECTORY [[${CMAKE_SOURCE_DIR}]] CALL _axo_system_now)")
endfunction()

function(_axo_system_now)
    get_property(benches GLOBAL PROPERTY AXO_BENCHES)
    file(WRITE ${CMAKE_BINARY_DIR}/benches.txt "${benches}")
    if(TARGET keeper)
        get_property(modules GLOBAL PROPERTY AXO_MODULES)
        set(members sigma0 keeper manifest ${modules})
    else()
        get_property(members GLOBAL PROPERTY AXO_MEMBERS_first-call)
    endif()
    foreach(kernel IN ITEMS kernel kernel-kpti)
        string(REPLACE kernel system system ${kernel})
        add_custom_target(${system})    # what `axo run` builds: it has no packages for the host tests
        if(members AND TARGET ${kernel})
            _axo_archive_now(${system} ${CMAKE_BINARY_DIR}/${system}.cpio "kernel=${kernel};${members}")
            add_dependencies(${system} archive-${system})
        endif()
        if(TARGET loader)
            add_dependencies(${system} boot-loader)
        endif()
    endforeach()
    add_custom_target(benches)
    get_property(archives GLOBAL PROPERTY AXO_ARCHIVES)
    list(FILTER archives INCLUDE REGEX "^bench-")
    foreach(archive IN LISTS archives)
        add_dependencies(benches archive-${archive})
    endforeach()
    add_dependencies(benches system)
    foreach(part bench-programs bench-lat-programs bench-counter chaos-programs archive-fuzz)
        if(TARGET ${part})
            add_dependencies(benches ${part})
        endif()
    endforeach()
endfunction()
