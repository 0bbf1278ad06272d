# SPDX-License-Identifier: BSD-2-Clause
"""main.py: where the shell script hands over. Finds the subcommand, turns every failure into one line and a status."""
import os
import sys
from pathlib import Path

sys.path[0] = str(Path(__file__).resolve().parent.parent)

from axo import cli, ending, say  # noqa: E402  (the package is found by the line above)


def reserve_standard_streams():
    """Those that axo was started without stay without: no file of ours shall get their numbers."""
    while (descriptor := os.open(os.devnull, os.O_RDONLY)) <= 2:
        pass
    os.close(descriptor)


def main(words):
    reserve_standard_streams()
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.reconfigure(errors="replace")
    ending.hear_signals()
    try:
        options = cli.parse(words)
        return options.command(options)
    except say.Failure as failure:
        say.error(failure)
        return failure.status
    except KeyboardInterrupt:
        say.error("interrupted")
        return ending.INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)    # the reader left: nothing to say, and nothing to flush
        return 141
    except Exception as problem:    # a bug of ours: still one line, and the trace for who asks
        if os.environ.get("AXO_TRACEBACK"):
            raise
        say.error(f"internal error: {type(problem).__name__}: {problem}; AXO_TRACEBACK=1 shows where")
        return say.HOST


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
