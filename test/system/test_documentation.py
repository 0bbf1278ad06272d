# SPDX-License-Identifier: BSD-2-Clause
"""Every axo command and flag that a page names exists, and every line of code that one refers to."""
import re

from conftest import TOP

from axo import cli

COMMAND = re.compile(r"(?<![\w/-])(?:\./)?axo[ \t]+([^`|;&\n)]*)")
FLAG = re.compile(r"(?<!\S)(--[a-z][a-z-]*|-[a-zA-Z])\b")


def pages():
    return [page for page in TOP.rglob("*.md") if not {"build", ".git"} & set(page.relative_to(TOP).parts)]


def problems_of(text):
    """What a page says of axo that is not so."""
    main, commands = cli.parser()
    found = []
    for code in re.findall(r"```.*?```|`[^`\n]+`", text, re.S):
        for match in COMMAND.finditer(code):
            words = re.split(r"(?<!\S)--(?!\S)", re.sub(r"'[^']*'|\"[^\"]*\"", "TEXT", match[1]))[0]
            named = next((word for word in words.split() if not word.startswith("-")), None)
            first = words.split()[:1]
            if first and named == first[0] and re.fullmatch(r"[a-z]+", named) and named not in commands:
                found.append(f"axo {named}")
                continue
            known = (commands[named] if named in commands else main).flags()
            found += [f"axo {named or ''} {flag}" for flag in FLAG.findall(words) if flag not in [*known, "--version"]]
    return found


def test_the_pages_are_true():
    assert {str(page.relative_to(TOP)): problems_of(page.read_text()) for page in pages() if problems_of(page.read_text())} == {}


def test_the_flags_table_of_the_readme():
    _, commands = cli.parser()
    known = {flag for parser in commands.values() for flag in parser.flags()} | {"--version"}
    text = (TOP / "README.md").read_text()
    named = {flag for code in re.findall(r"`(--[^`\n]*)`", text) for flag in FLAG.findall(code.split(" -- ")[0])}
    assert named <= known
    assert set(commands["run"].flags()) - {"-h", "--help"} <= named | {"--version"}, "the README explains every flag of run"


def test_a_wrong_page_is_found():
    assert problems_of("Try `./axo run --colour` or `axo tset`.") == ["axo run --colour", "axo tset"]
    assert problems_of("```\n./axo run --exec 'ls --all' -- --whatever\naxo test --list\n```") == []


LINK = re.compile(r"\]\(([^)#\s]+)\)")


def test_links_lead_somewhere():
    assert [f"{page.relative_to(TOP)}: {link}" for page in pages() for link in LINK.findall(page.read_text())
            if "://" not in link and not (page.parent / link).exists()] == []


def test_the_list_of_pages_is_whole():
    listed = LINK.findall((TOP / "docs/README.md").read_text())
    assert {page.name for page in (TOP / "docs").glob("*.md")} - {"README.md"} <= set(listed)


PLACE = re.compile(r"`([\w./-]+):(\d+) \(([\w ]+)\)`")


def misplaced(text):
    """Which references `path:line (name)` of a page name no file, or no line near which the name stands."""
    found = []
    for path, line, name in PLACE.findall(text):
        lines = (TOP / path).read_text().splitlines() if (TOP / path).is_file() else []
        near = lines[max(0, int(line) - 41):int(line) + 40]
        if int(line) > len(lines) or not any(re.search(rf"\b{name}\b", each) for each in near):
            found.append(f"{path}:{line} ({name})")
    return found


def test_references_to_code_lead_there():
    text = (TOP / "docs/kernel-questions.md").read_text()
    assert len(PLACE.findall(text)) > 100
    assert misplaced(text) == []
    assert misplaced("`kernel/ipc.c:9999 (send)`, `kernel/ipx.c:1 (send)`, `kernel/ipc.c:10 (no_such_name)`") == [
        "kernel/ipc.c:9999 (send)", "kernel/ipx.c:1 (send)", "kernel/ipc.c:10 (no_such_name)"]


def test_the_monitor_that_is_shown_is_compiled():
    """The indented C block of hooks.md below `A monitor that …` stands in the file that it names."""
    text = (TOP / "docs/hooks.md").read_text()
    name, block = re.search(r"^A monitor that .*?`([\w/.]+)`.*?\n\n((?:    [^\n]*\n)+)", text, re.M | re.S).groups()
    assert "gate_pass" in block and block in (TOP / name).read_text()


def test_every_invariant_that_is_checked_is_stated():
    sources = [path.read_text() for path in (TOP / "kernel").rglob("*.[chS]")]
    checked = {name for text in sources for name in re.findall(r'INVARIANT\("(\w+)"', text)}
    stated = {name for text in sources for name in re.findall(r"INVARIANT (\w+):", text)}
    assert checked and checked <= stated, f"checked and stated nowhere: {checked - stated}"


def test_the_reading_order_names_every_file_of_the_kernel():
    for folder in (TOP / "kernel", TOP / "kernel/arch/x86_64"):
        files = {path.name for pattern in ("*.c", "*.h", "*.S", "*.ld") for path in folder.glob(pattern)}
        named = set(re.findall(r"[\w.]+", (folder / "README.md").read_text().replace("arch/x86_64/", "")))
        assert files <= named, f"{folder.name}/README.md does not name {', '.join(sorted(files - named))}"


def test_every_file_of_the_kernel_begins_with_what_it_is():
    for path in [*(TOP / "kernel").glob("*.[ch]"), *(TOP / "kernel/arch/x86_64").glob("*.[chS]")]:
        lines = path.read_text().splitlines()
        assert lines[1].startswith(f"/* {path.name}: "), f"{path.name}: the second line says what it is"
