# SPDX-License-Identifier: BSD-2-Clause
"""compile.py: MANIFEST OUT: check a system manifest and write the table that keeper reads."""
import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import check  # noqa: E402
import syntax  # noqa: E402
import table  # noqa: E402


def main(words):
    parser = argparse.ArgumentParser(description="Check and compile a system manifest.")
    parser.add_argument("manifest", type=Path)
    parser.add_argument("out", type=Path, nargs="?", help="without it: only check")
    parser.add_argument("--modules", nargs="*", metavar="NAME", help="members of the boot archive")
    options = parser.parse_args(words)
    try:
        text = options.manifest.read_text()
    except (OSError, UnicodeDecodeError) as error:
        print(f"{options.manifest}: cannot be read: {getattr(error, 'strerror', None) or 'it is no text'}\n    fix: name a system manifest, as "
              "bootstrap/manifest/systems/default.manifest", file=sys.stderr)
        return 1
    system = check.check(syntax.read(options.manifest, text), modules=options.modules)
    for problem in system.problems:
        print(problem, file=sys.stderr)
    if system.problems:
        return 1
    if options.out:
        options.out.write_bytes(table.table(system))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
