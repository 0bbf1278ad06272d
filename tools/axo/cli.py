# SPDX-License-Identifier: BSD-2-Clause
"""cli.py: the subcommands and flags of axo, all of them here, so that a test can hold the documentation against them.

A subcommand's module is imported when it is called: `./axo --version` needs nothing but Python."""
import argparse
import difflib
import importlib

from . import paths, say


class Parser(argparse.ArgumentParser):
    """argparse, but a mistake is one sentence and status 2."""

    def __init__(self, **settings):
        super().__init__(allow_abbrev=False, formatter_class=argparse.RawDescriptionHelpFormatter, **settings)

    def flags(self):
        return sorted(flag for action in self._actions for flag in action.option_strings)

    def error(self, message):
        raise say.usage_failure(f"{message}; `{self.prog} --help` shows what there is")


def unknown_words(parser, words):
    word = words[0]
    if word.startswith("-"):
        close = difflib.get_close_matches(word.split("=")[0], parser.flags(), 1)
        hint = f", did you mean {close[0]}?" if close else ""
        return f"there is no flag {word}{hint}"
    return f"nothing is expected where {word!r} stands"


def common(parser):
    parser.add_argument("--no-install", action="store_true", help="do not install missing packages, fail instead")
    parser.add_argument("--build-dir", metavar="DIR", help="build there instead of in build/")


def machine(parser):
    parser.add_argument("--no-build", action="store_true", help="boot what is built already")
    parser.add_argument("--mem", metavar="M", help="memory: megabytes, 64 at least, or 1G, 2G … (default: 512)")
    parser.add_argument("--smp", metavar="N", type=int, default=1,
                        help="CPUs of the machine, of which Axolotl uses the first (default: 1)")
    parser.add_argument("--cpu", metavar="MODEL", default="max", help="QEMU's CPU model (default: max)")
    parser.add_argument("--machine", choices=("pc", "q35"), help="QEMU's board (default: pc, with --uefi q35)")
    parser.add_argument("--icount", action="store_true", help="one nanosecond of guest time an instruction: repeatable")
    parser.add_argument("--kpti", action="store_true", help="with the kernel that user mode's page tables do not have")


def run_flags(parser):
    machine(parser)
    parser.add_argument("--exec", metavar="CMD", help="run CMD by /bin/sh -c, with this stdin, stdout, stderr and status")
    parser.add_argument("--root", metavar="DIR", help="let the contents of DIR appear at / over the default root")
    parser.add_argument("--system", metavar="NAME", help="boot the archive NAME.cpio of the build folder, another system than the default one, as `policy`")
    parser.add_argument("--strace", nargs="?", const="", metavar="FILE",
                        help="print the programs' system calls to standard error, each line beginning with `[pid `; or to FILE")
    parser.add_argument("--timeout", metavar="S", type=float,
                        help="give up S host seconds after the guest's start (default: 120 with --exec, else never)")
    parser.add_argument("--iso", action="store_true", help="boot a GRUB2 image by BIOS instead of directly")
    parser.add_argument("--uefi", action="store_true", help="boot a GRUB2 image by UEFI")
    parser.add_argument("--snapshot", metavar="FILE", help="write what `service snapshot` took in the guest to FILE as JSON")
    parser.add_argument("--append", metavar="WORDS", default="", help="add words to the kernel's command line")
    parser.epilog += "\n\nWhat follows `--` goes to QEMU as it is."


def trace_flags(parser):
    machine(parser)
    parser.add_argument("--exec", metavar="CMD", default="true", help="what to run by /bin/sh -c while all is traced (default: true)")
    parser.add_argument("--ctf", metavar="DIR", help="write a trace in Common Trace Format 1.8, for babeltrace2 and Trace Compass, to DIR")
    parser.add_argument("--json", metavar="FILE", help="write the records as a list of objects to FILE, - is stdout")
    parser.add_argument("--timeout", metavar="S", type=float, help="give up S host seconds after the guest's start (default: 120)")


def test_flags(parser):
    parser.add_argument("names", nargs="*", metavar="NAME", help="a test or a label (label:NAME where a test is called so, too); without any: all of them")
    parser.add_argument("-j", "--jobs", type=int, metavar="N", help="tests at a time (default: one a core, 8 at most)")
    parser.add_argument("--list", action="store_true", help="print the names and labels")
    parser.add_argument("--coverage", action="store_true", help="print which part of the kernel its host tests reach, and write it as HTML")
    parser.add_argument("--no-build", action="store_true", help="test what is built already")


def bench_flags(parser):
    parser.add_argument("group", nargs="?", metavar="GROUP", help="without one: all of them")
    parser.add_argument("--json", metavar="FILE", help='write [{"id": …, "value": …, "unit": …, "min": …, "goal": …}] to FILE, - is stdout')
    parser.add_argument("--markdown", action="store_true", help="print the table as docs/figures.md has it")
    parser.add_argument("--docs", action="store_true", help="put the tables into docs/figures.md, and draw its charts")
    parser.add_argument("--list", action="store_true", help="print the groups")
    parser.add_argument("--profile", metavar="ID", help="print which functions the instructions of one operation are in")
    parser.add_argument("--trace", metavar="ID", help="print the instructions of one operation in order")
    parser.add_argument("--kpti", action="store_true", help="`kernel` with KPTI, too, or --profile and --trace with it instead")
    parser.add_argument("--cpu", choices=("max", "qemu64"), help="QEMU's CPU model (default: both, but max for --profile and --trace)")
    parser.add_argument("--rows", metavar="ROWS", help="of lat only these: names or patterns, with commas between; `decided`: those with a *")
    parser.add_argument("--no-build", action="store_true", help="measure what is built already")


def fuzz_flags(parser):
    parser.add_argument("--seed", metavar="FILE", help="replay this input and print each of its steps")
    parser.add_argument("--calls", metavar="N", type=int, default=1000000, help="end after so many calls (default: 1000000)")
    parser.add_argument("--random", metavar="N", type=int, default=1, help="where chance begins (default: 1)")
    parser.add_argument("--jobs", metavar="N", type=int, default=1, help="so many at once, each with its share and a chance of its own (default: 1)")
    parser.add_argument("--fresh", action="store_true", help="begin with the stored seeds alone and keep nothing")
    parser.add_argument("--keep", action="store_true", help="make the best of what was found the stored seeds")
    parser.add_argument("--no-build", action="store_true", help="fuzz what is built already")


def prove_flags(parser):
    parser.add_argument("names", nargs="*", metavar="NAME", help="a contract file of test/prove; without any: all of them")
    parser.add_argument("--smoke", action="store_true", help="look for contracts that contradict themselves, too: takes several times as long")
    parser.add_argument("--json", metavar="FILE", help="write every goal and what became of it to FILE, - is stdout")
    parser.add_argument("--no-build", action="store_true", help="take the generated headers that are there")


def gdb_flags(parser):
    machine(parser)
    parser.add_argument("--test", metavar="NAME", help="debug this guest test instead of the system")
    parser.add_argument("--batch", metavar="COMMANDS", help="run these gdb commands, separated by ;, and end")


def size_flags(parser):
    parser.add_argument("--no-build", action="store_true", help="count what is built already")


def clean_flags(parser):
    pass


COMMANDS = {
    # name: (module, flags, one sentence, examples)
    "run": ("run", run_flags, "Build what changed and boot it.", """\
  ./axo run                              interactive
  ./axo run --iso                        through GRUB2, as a release boots
  ./axo run --uefi --mem 1G
  ./axo run --snapshot caps.json --exec 'sleep 1 & service snapshot'
  ./axo run --exec 'seq 3 | sort -r'     one command, with its streams and status
  ./axo run --strace=calls --exec 'ls'   and its system calls in the file calls
  ./axo run --timeout 20 --icount -- -d int"""),
    "test": ("ctests", test_flags, "Build what changed and run the tests.", """\
  ./axo test                             all of them
  ./axo test first-call                  one by name
  ./axo test host                        all with a label
  ./axo test -j 1                        one after the other
  ./axo test --coverage                  what of the kernel its tests on the host reach
  ./axo test --list"""),
    "bench": ("bench", bench_flags, "Measure, in guest instructions.", """\
  ./axo bench                            all groups
  ./axo bench kernel                     IPC, faults, reflected calls of the kernel
  ./axo bench programs --json out.json   boot and system calls, Linux beside it
  ./axo bench lat                        calls, pipes, faults, processes: both systems row by row, and the ratio
  ./axo bench lat --rows decided --cpu qemu64
  ./axo bench lat --rows 'ring_*,pipe_rtt' --json -
  ./axo bench latency                    the longest stretches with interrupts off, and where they are spent
  ./axo bench --profile k_ipc_cross_4    that operation by function: kernel, servers, runtime, program
  ./axo bench --trace k_null --cpu qemu64
  ./axo bench kernel --kpti              the same table with a column for the kernel that is built with KPTI
  ./axo bench programs --profile u_fork
  ./axo bench kernel --docs              the kernel's table and chart of docs/figures.md, measured again"""),
    "fuzz": ("fuzz", fuzz_flags, "Run the kernel on the host under libFuzzer, beside a model of it.", """\
  ./axo fuzz                             a million calls
  ./axo fuzz --calls 50000 --random 7 --fresh
  ./axo fuzz --calls 10000000 --jobs 2   on two cores
  ./axo fuzz --seed build/fuzz-kernel/crash-1f2e   one input, step by step
  ./axo fuzz --keep                      what was found becomes test/fuzz-kernel/corpus"""),
    "trace": ("trace", trace_flags, "Run a command and tell what every thread of the system did meanwhile.", """\
  ./axo trace --exec 'ls /'              a summary: who invoked what how often
  ./axo trace --exec 'ls /' --ctf ls.ctf && babeltrace2 ls.ctf
  ./axo trace --exec 'echo a | cat' --json - 2>/dev/null | jq '.[].method'"""),
    "prove": ("prove", prove_flags, "Prove contracts of the kernel's data structures, by Frama-C.", """\
  ./axo prove                            all of test/prove
  ./axo prove flexpage tree              the contracts of these files
  ./axo prove --smoke list               and whether they hold of anything
  ./axo prove --json proved.json         with every goal"""),
    "gdb": ("gdb", gdb_flags, "Boot stopped, with gdb attached and the kernel's symbols.", """\
  ./axo gdb
  ./axo gdb --test first-call
  ./axo gdb --batch 'break kernel_main; continue; backtrace'
  ./axo gdb --batch 'break entry_idle; continue; waits'"""),
    "size": ("size", size_flags, "Count the kernel's code lines: at most 5,000 (4,600 for now), and 400 a file.", """\
  ./axo size"""),
    "clean": ("clean", clean_flags, "Remove what was built.", """\
  ./axo clean"""),
}


def parser():
    """(the main parser, {name: the subcommand's parser})"""
    main = Parser(prog="./axo", description="Axolotl's one command: build, boot, test and measure the system.",
                  epilog="examples:\n  ./axo run\n  ./axo test\n  ./axo run --help")
    main.add_argument("--version", action="version", version=f"axolotl {paths.version()}")
    main.add_argument("--no-install", action="store_true", help="do not install missing packages, fail instead")
    commands = main.add_subparsers(dest="name", metavar="COMMAND", parser_class=Parser)
    found = {}
    for name, (module, flags, sentence, examples) in COMMANDS.items():
        found[name] = commands.add_parser(name, prog=f"./axo {name}", help=sentence, description=sentence,
                                          epilog=f"examples:\n{examples}")
        common(found[name])
        flags(found[name])
        found[name].set_defaults(module=module, qemu_words=[], parser=found[name])
    helper = commands.add_parser("help", prog="./axo help", help="Explain a command.", description="Explain a command.",
                                 epilog="examples:\n  ./axo help run")
    helper.add_argument("topic", nargs="?", choices=[*COMMANDS, "help"], metavar="COMMAND")
    helper.set_defaults(module=None, parser=helper)
    found["help"] = helper
    return main, found


def parse(words):
    """The options of one call. `command` in them is what carries it out."""
    main, commands = parser()
    words, qemu_words = (words[:words.index("--")], words[words.index("--") + 1:]) if "--" in words else (words, [])
    version_asked = "--version" in words and words[0] in COMMANDS
    if not words or version_asked:
        words = ["--version"] if version_asked else ["--help"]
    name = next((word for word in words if not word.startswith("-")), None)
    if name is not None and words.index(name) == 0 and name not in commands:
        close = difflib.get_close_matches(name, commands, 1)
        raise say.usage_failure(f"there is no command {name!r}{f', did you mean {close[0]}?' if close else ''}; "
                                f"there are {', '.join(commands)}")
    options, rest = main.parse_known_args(words)
    if rest:
        raise say.usage_failure(f"{unknown_words(getattr(options, 'parser', main), rest)}; "
                                f"`{getattr(options, 'parser', main).prog} --help` shows what there is")
    if options.name is None:
        raise say.usage_failure(f"which command? There are {', '.join(commands)}")
    if options.name == "help":
        options.command = lambda _: (commands[options.topic] if options.topic else main).print_help() or 0
        return options
    if qemu_words and options.name not in ("run", "gdb"):
        raise say.usage_failure(f"`{options.parser.prog}` takes no arguments for QEMU")
    options.qemu_words = qemu_words
    options.command = lambda chosen: importlib.import_module(f"axo.{chosen.module}").command(chosen)
    return options
