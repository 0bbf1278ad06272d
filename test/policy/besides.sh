# SPDX-License-Identifier: BSD-2-Clause
# What test.policy refuses to vfs, in each round of work.sh: nothing of it is ever done.
besides() {
    echo judged > judged
    chmod 600 judged && fail "chmod came past the monitor"
    touch -d 2001-01-01 judged && fail "touch came past the monitor"
    [ "$(stat -c %a judged)" = 644 ] && [ judged -nt /etc/passwd ] || fail "judged was changed: $(stat -c '%a %y' judged)"
    rm judged
}
