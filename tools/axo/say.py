# SPDX-License-Identifier: BSD-2-Clause
"""say.py: what axo tells people, and how it fails.

Rule: standard output belongs to the guest and to results; everything else goes to standard error, one line each,
beginning with `axo: `. Statuses: 2 a wrong flag or name, 125 the guest's failure, 126 the host's."""
import sys

USAGE, GUEST, HOST = 2, 125, 126
quiet = False           # set for --exec, whose standard error is the program's own


class Failure(Exception):
    """Ends axo with one sentence and a status."""

    def __init__(self, sentence, status):
        super().__init__(sentence)
        self.status = status


def usage_failure(sentence):
    return Failure(sentence, USAGE)


def guest_failure(sentence):
    return Failure(sentence, GUEST)


def host_failure(sentence):
    return Failure(sentence, HOST)


def error(sentence):
    line = " ".join(str(sentence).split())
    print(f"axo: {line}", file=sys.stderr, flush=True)


def note(sentence):
    """Progress worth a line. Silent under --exec."""
    if not quiet:
        error(sentence)


class Progress:
    """A bar on a terminal (rich, else tqdm, if there), nothing elsewhere. Use as a context manager."""

    def __init__(self, title):
        self.title, self.rich, self.tqdm = title, None, None

    def __enter__(self):
        if quiet or not sys.stderr.isatty():
            return self
        try:
            from rich.console import Console
            from rich.progress import Progress as Bar
            self.rich = Bar(console=Console(stderr=True), transient=True)
            self.rich.start()
            self.task = self.rich.add_task(self.title, total=None)
        except ImportError:
            try:
                from tqdm import tqdm
                self.tqdm = tqdm(desc=self.title, leave=False)
            except ImportError:
                error(f"{self.title} …")
        return self

    def step(self, done, total):
        if self.rich:
            self.rich.update(self.task, completed=done, total=total)
        elif self.tqdm is not None:
            self.tqdm.total, self.tqdm.n = total, done
            self.tqdm.refresh()

    def __exit__(self, *_):
        if self.rich:
            self.rich.stop()
        elif self.tqdm is not None:
            self.tqdm.close()
