# A script with pipes, forks, signals and files, whose output depends on nothing but the number of rounds: what kills.py compares.
# Before it stand goes_on, whether to begin round $round, and besides, what else to do in it.
fail() { echo "round $round: $*"; failures=$((failures + 1)); }
failures=0
mkdir -p /tmp/work && cd /tmp/work || exit 1
round=1
while goes_on; do
    echo "round $round"
    seq 1 400 | sort -rn | tee sorted | md5sum
    [ "$(wc -l < sorted)" = 400 ] || fail "sorted has $(wc -l < sorted) lines"
    # files: made, written, appended, renamed, linked, removed
    for i in 1 2 3 4 5 6; do echo "line $i of $round" > file.$i; done
    for i in 1 2 3 4 5 6; do echo "more" >> file.$i; done
    mv file.1 renamed; ln file.2 linked; ln -s file.3 symbolic; rm file.4
    cat renamed linked symbolic file.5 file.6 | md5sum
    ls | tr '\n' ' '; echo
    mkdir -p deep/er/and/deeper; cp sorted deep/er/and/deeper/copy; cmp sorted deep/er/and/deeper/copy || fail "cmp"
    find deep | sort | tr '\n' ' '; echo
    rm -r deep renamed linked symbolic file.*
    # processes: background jobs, statuses, signals, substitutions
    (exit 7) & wait $!; echo "status $?"
    sleep 100 & kill $!; wait $! 2> /dev/null; echo "signal $?"     # ash says `Terminated`, here or on Linux, if it waits before that one is dead
    (trap 'echo caught; exit 3' USR1; kill -USR1 $(exec sh -c 'echo $PPID'); sleep 5; echo not caught); echo "trap $?"
    echo "$(echo a; (echo b; echo c) | cat)" | tr -d '\n'; echo
    i=0; while read line; do i=$((i + line)); done < sorted; echo "sum $i"
    seq 1 50 | while read n; do echo $((n * n)); done | tail -n 1
    dd if=/dev/zero bs=4096 count=20 2>/dev/null | tr '\0' 'x' | (sleep 0.05; md5sum)
    besides
    [ -e /proc/self/exe ] && [ -e /proc/$$/stat ] || fail "no /proc/self"
    round=$((round + 1))
done
cd / && rm -r /tmp/work
echo "$failures failures"
