#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""parts.py: the parts of the system as an SVG on standard output. Rows from the top: who calls stands above who is called."""
from html import escape

WIDTH, ROW, GAP, MARGIN = 860, 62, 12, 16
FONT = "font-family='DejaVu Sans, sans-serif'"
# (what the row is, its colour, its boxes); a box: (name, what it does, share of the width)
ROWS = [
    ("Linux programs, unmodified", "#dceefb", [("busybox", "sh, vi, top", 1), ("bash", "", 1), ("yours", "static, x86-64", 1)]),
    ("in each process", "#c4dff5", [("runtime", "Linux's system calls, signals, threads", 3)]),
    ("servers", "#dff3df", [("pm", "processes", 1), ("vfs", "files, pipes", 1), ("vm", "memory", 1), ("tmpfs, procfs", "file systems", 1.3),
                            ("tty", "terminal", 1), ("ds", "names", 0.8)]),
    ("drivers, one task each", "#fdeccb", [("serial", "the console's port", 3)]),
    ("who starts them again", "#f8d8d0", [("rs", "decides, and counts", 1), ("keeper", "tasks, state objects, restart", 1), ("sigma0", "memory and ports, each once", 1)]),
    ("the only privileged code", "#d9d4ec", [("kernel", "tasks, threads, gates, irqs, map and unmap, rendezvous: one system call", 3)]),
]


def text(x, y, words, size, more=""):
    return f"<text x='{x:.0f}' y='{y:.0f}' font-size='{size}' {FONT} {more}>{escape(words)}</text>"


def box(x, y, width, colour, name, does):
    middle = "text-anchor='middle'"
    return [f"<rect x='{x:.0f}' y='{y:.0f}' width='{width:.0f}' height='{ROW}' rx='7' fill='{colour}' stroke='#556' stroke-width='1'/>",
            text(x + width / 2, y + (27 if does else 37), name, 15, f"{middle} font-weight='bold'"),
            *([text(x + width / 2, y + 46, does, 11, f"{middle} fill='#333'")] if does else [])]


def main():
    left = 170
    out, y = [], MARGIN
    for what, colour, boxes in ROWS:
        out.append(text(MARGIN, y + ROW / 2 + 4, what, 11, "fill='#555'"))
        room = WIDTH - left - MARGIN - GAP * (len(boxes) - 1)
        x, shares = left, sum(share for _, _, share in boxes)
        for name, does, share in boxes:
            width = room * share / shares
            out += box(x, y, width, colour, name, does)
            x += width + GAP
        y += ROW + GAP
    print(f"<svg xmlns='http://www.w3.org/2000/svg' width='{WIDTH}' height='{y + 4}' viewBox='0 0 {WIDTH} {y + 4}'>")
    print(f"<rect width='{WIDTH}' height='{y + 4}' fill='white'/>", *out, "</svg>", sep="\n")


if __name__ == "__main__":
    main()
