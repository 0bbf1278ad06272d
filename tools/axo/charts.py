# SPDX-License-Identifier: BSD-2-Clause
"""charts.py: figures as SVG under docs/pictures, by matplotlib. The same figures give the same file."""
from . import figures, paths, say

PICTURES = paths.TOP / "docs" / "pictures"
OURS, OTHER, THIRD = "#2f6f9f", "#c8882f", "#8a8a8a"
CPU = "qemu64"          # lat's: on max Linux copies by string instructions, each repetition of which counts


def ratios(plot, labelled):
    """Bars from 1 to the left or right; `labelled`: [(label, ratio)] from the top."""
    labels, values = zip(*labelled[::-1])
    plot.barh(labels, [value - 1 for value in values], left=1, color=[OURS if value <= 1 else OTHER for value in values], height=0.6)
    plot.axvline(1, color="#333333", linewidth=1)
    plot.margins(y=0.5 / len(labels))
    plot.set_xscale("log")
    ticks = [tick for tick in (0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20) if min(values) / 2 < tick < max(values) * 2]
    plot.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    plot.set_xticks([], minor=True)
    return len(labels)


def kernel(plot, found):
    """Each operation by its goal."""
    shown = [(figures.name_of(figure), figure) for figure in found
             if figure["cpu"] == "max" and figure["system"] == "axolotl" and "goal" in figure]
    plot.set_title("instructions by their goal (-cpu max); left of 1: reached")
    return ratios(plot, [(f"{name}  {figure['value']:,} of {figure['goal']:,}", figure["value"] / figure["goal"]) for name, figure in shown])


def lat(plot, found):
    """Each row by Linux's."""
    rows = [(figures.starred(name, row), figures.ratio(row, CPU)) for name, row in figures.rows(found).items()]
    plot.set_title(f"instructions by Linux's (-cpu {CPU}); left of 1: fewer; * the kernel and the runtime decide it")
    return ratios(plot, [(name, float(ratio)) for name, ratio in rows if ratio])


def latency(plot, found):
    """How many stretches are how long."""
    scenes = [figure for figure in found if figure["cpu"] == "max"]
    sizes = sorted({size for figure in scenes for size in figure["histogram"]})
    for number, figure in enumerate(scenes):
        plot.bar([place + (number - 1) * 0.27 for place in range(len(sizes))], [figure["histogram"].get(size, 0) for size in sizes], width=0.27,
                 color=(OURS, OTHER, THIRD)[number % 3], label=figures.name_of(figure).removeprefix("latency_"))
    plot.set_yscale("log")
    plot.set_xticks(range(len(sizes)), [f"{size:,}" for size in sizes], rotation=45, ha="right")
    plot.set_title("stretches with interrupts off, by length up to so many instructions (-cpu max)")
    plot.legend(frameon=False)
    return 18


DRAWN = {"kernel": kernel, "lat": lat, "latency": latency}


def draw(group, found):
    try:
        import matplotlib
    except ImportError:
        raise say.host_failure("matplotlib is not installed (python3-matplotlib)") from None
    matplotlib.use("svg")
    matplotlib.rcParams.update({"svg.hashsalt": "axolotl", "font.size": 9, "axes.spines.top": False, "axes.spines.right": False})
    from matplotlib import pyplot
    figure, plot = pyplot.subplots(figsize=(8.6, 1))
    height = DRAWN[group](plot, found)
    figure.set_size_inches(8.6, 0.9 + 0.2 * height)
    plot.tick_params(axis="y", length=0)
    figure.tight_layout()
    figure.savefig(PICTURES / f"figures-{group}.svg", metadata={"Date": None})
    pyplot.close(figure)
