# SPDX-License-Identifier: BSD-2-Clause
"""command.py: what `idlc` does when a person or CMake calls it."""
import argparse
import sys
from pathlib import Path

from idlc import output, together
from idlc.model import load

EXAMPLES = """examples:
  idlc check idl/interfaces/*.idl                      say what is wrong, write nothing
  idlc build --out build/generated idl/interfaces/*.idl    headers, names, documentation
  idlc freeze idl/interfaces/*.idl                     write down the versions as they are now
  idlc doc --out docs/interfaces idl/interfaces/*.idl  NAME.md alone

Give all files at once: some mistakes (two interfaces with one protocol number) only show then.
Exit status: 0 good, 1 an interface is wrong, 2 the command is wrong."""


class Parser(argparse.ArgumentParser):
    """Mistakes in the command are one sentence."""

    def error(self, message):
        self.exit(2, f"idlc: {message}. `idlc --help` shows how.\n")


def arguments(argv):
    top = Parser(prog="idlc", description="The interface compiler: .idl files to C headers.", epilog=EXAMPLES,
                 formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = top.add_subparsers(dest="command", metavar="COMMAND", required=True, parser_class=Parser)
    lock_help = "the frozen versions (default: interfaces.lock in the folder above the first file)"

    def command(name, text, **options):
        sub = commands.add_parser(name, help=text, description=text, **options)
        sub.add_argument("files", nargs="+", metavar="FILE", help="interface files")
        sub.add_argument("--lock", metavar="FILE", help=lock_help)
        return sub
    command("check", "say what is wrong with the files, write nothing")
    command("build",
            "write the generated headers, names and documentation").add_argument("--out", required=True, metavar="DIR")
    command("freeze", "write the versions down in the lock; refuses what is incompatible with it")
    command("doc", "write NAME.md alone").add_argument("--out", required=True, metavar="DIR")
    return top.parse_args(argv)


def main(argv):
    args = arguments(argv)
    for file in args.files:
        if not Path(file).is_file():
            print(f"idlc: there is no file {file}. `idlc --help` shows how.", file=sys.stderr)
            return 2
    cache = {}
    units = [load(file, cache) for file in dict.fromkeys(args.files)]
    lock = lock_path(args)
    frozen = lock.read_text() if lock.exists() else None
    problems = together.problems(list(cache.values()), frozen)
    if problems:
        print("\n".join(map(str, problems)), file=sys.stderr)
        return 1
    try:
        if args.command == "build":
            output.write(Path(args.out), output.everything(units))
        elif args.command == "doc":
            output.write(Path(args.out), output.documents(units))
        elif args.command == "freeze":
            lock.write_text(output.frozen(units, frozen))
    except OSError as error:
        print(f"idlc: cannot write {error.filename}: {error.strerror.lower()}", file=sys.stderr)
        return 2
    return 0


def lock_path(args):
    return Path(args.lock) if args.lock else Path(args.files[0]).resolve().parent.parent / "interfaces.lock"
