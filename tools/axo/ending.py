# SPDX-License-Identifier: BSD-2-Clause
"""ending.py: how axo ends, and with it what it has started.

Rule: the first signal becomes an exception, so that everything is put away on the way out; those that follow are not heard, or they
would cut that short."""
import contextlib
import os
import signal
import subprocess

from . import say

PATIENCE = 3            # seconds in which a group of programs may put its own things away
INTERRUPTED = 128 + signal.SIGINT
ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def stopped(number, _):
    for other in ENDING:
        signal.signal(other, signal.SIG_IGN)
    if number == signal.SIGINT:
        raise KeyboardInterrupt
    raise say.host_failure(f"stopped by {signal.Signals(number).name}")


def hear_signals():
    """From now on a signal that ends axo is an exception. What is ignored already (by nohup) stays so."""
    for number in ENDING:
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, stopped)


def status_of(program, words):
    """What the program(words) returns, or the status of what ends it, which is said."""
    hear_signals()
    try:
        return program(words)
    except say.Failure as failure:
        say.error(failure)
        return failure.status
    except KeyboardInterrupt:
        say.error("interrupted")
        return INTERRUPTED


def with_parent(words):
    """These words, for a program that the kernel kills when axo's process ends, however that does; also if it has ended by the time."""
    return ["setpriv", "--pdeathsig", "KILL", "sh", "-c", '[ "$PPID" = "$0" ] && exec "$@"', str(os.getpid()), *words]


def end(process):
    """End it and whom it has started in its session."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(PATIENCE)


@contextlib.contextmanager
def session(words, **settings):
    """A Popen in a session of its own, so that a key of the terminal reaches axo alone, which then ends all of it."""
    process = subprocess.Popen(words, stdin=subprocess.DEVNULL, start_new_session=True, **settings)
    try:
        yield process
        process.wait()
    except BaseException:
        end(process)
        raise
    finally:
        if process.stdout:
            process.stdout.close()
