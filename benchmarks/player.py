"""How the Cluster page's player performs in a real browser: `python -m benchmarks.player [--parts reference,play]`.

Everything is measured in headless Chromium on the app as users start it, with synthetic runs. The reference is a page
with nothing but a loop that counts animation frames: the best this browser does on this machine, now. Read results as
shares of it.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from playwright.sync_api import Browser, sync_playwright

from benchmarks.player_page import (
    BenchmarkError,
    Server,
    measure_jump,
    measure_memory,
    measure_play,
    measure_reference,
)
from benchmarks.synthetic_runs import SIZES, make_sweep
from gavel_dash.progress import ProgressLine
from gavel_dash.sweep.cache import cache_dir
from tests.browser.conftest import CHROMIUM_ARGS

PARTS = ("reference", "play", "jumps", "memory")
SPEED = 20
JUMPS = 20
LARGE = "6200"


def table(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table that also reads well in a terminal."""
    widths = [max(len(cell) for cell in column) for column in zip(titles, *rows, strict=True)]
    lines = [titles, ["-" * (width - 1) + ":" for width in widths], *rows]
    return "\n".join(
        "| " + " | ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True)) + " |" for line in lines
    )


def report_play(browser: Browser, server: Server, sizes: Sequence[str], seconds: float, reference_fps: float) -> str:
    """Play every size alone and compared, and the large one at 1x for the server's CPU."""
    rows = []
    for key in sizes:
        names = [SIZES[key].name(seed) for seed in SIZES[key].seeds]
        plays = [(names[:1], SPEED), *([(names, SPEED)] if len(names) > 1 else [])]
        for chosen, speed in [*plays, *([(names[:1], 1)] if key == LARGE else [])]:
            seen = measure_play(browser, server, chosen, speed, seconds)
            rows.append(
                [
                    f"{SIZES[key].n_gpus:,}",
                    str(len(chosen)),
                    f"{speed}x",
                    f"{seen['fps']:.1f}",
                    f"{seen['page_fps']:.1f}",
                    f"{seen['fps'] / reference_fps:.2f}",
                    f"{seen['drawn_per_s']:.1f}",
                    f"{seen['dropped']:,}",
                    f"{seen['fetched_mb']:.2f}",
                    f"{seen['cache_hits']:,} / {seen['cache_misses']:,}",
                    f"{seen['server_cpu']:.1%}",
                ]
            )
    titles = ["GPUs", "runs", "speed", "fps", "page fps", "fps / reference", "drawn rounds/s", "dropped frames"]
    return table([*titles, "MB fetched, unpacked", "cache hits / misses", "server CPU"], rows)


def report_jumps(browser: Browser, server: Server, n_jumps: int) -> str:
    """Jump to random rounds of the large run, each on a fresh page with an empty HTTP cache."""
    size = SIZES[LARGE]
    indexes = np.random.default_rng(0).integers(size.n_rounds, size=n_jumps).tolist()
    jumps = [measure_jump(browser, server, size.name(0), index) for index in indexes]
    rows = []
    for what, key in (
        ("seek to painted, by the player (ms)", "said_ms"),
        ("seek to painted, seen from the page (ms)", "seen_ms"),
        ("requests for round data until then", "requests"),
        ("kB fetched until then, unpacked", "fetched_kb"),
    ):
        values = [jump[key] for jump in jumps]
        rows.append([what, f"{statistics.median(values):.1f}", f"{max(values):.1f}"])
    return table([f"{n_jumps} cold jumps, {size.n_gpus:,} GPUs x {size.n_rounds:,} rounds", "median", "max"], rows)


def report_memory(browser: Browser, server: Server, minutes: float) -> str:
    """Play the large run for a while and list the samples."""
    samples = measure_memory(browser, server, SIZES[LARGE].name(0), SPEED, minutes)
    rows = [
        [f"{s['minute']:.2f}", *(f"{s[key]:.1f}" for key in ("heap_mb", "held_mb", "renderer_mb"))] for s in samples
    ]
    return table(["minute", "page heap (MB)", "held by the player (MB)", "renderer process (MB)"], rows)


def run(args: argparse.Namespace) -> None:
    """Make the sweep, serve it, measure the parts asked for and print each as soon as it is known."""
    make_sweep(args.sweep, list(dict.fromkeys([*args.sizes, LARGE])))
    with ProgressLine() as progress, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=CHROMIUM_ARGS)
        progress("measuring the reference")
        reference_fps = measure_reference(browser, args.seconds)
        _print(
            f"Chromium {browser.version}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}.\n"
            f"Reference, a bare page that counts animation frames: {reference_fps:.1f} fps."
        )
        if set(args.parts) == {"reference"}:
            return
        with Server(args.sweep) as server:
            if "play" in args.parts:
                progress(f"playing each for {args.seconds:g} s")
                _print(report_play(browser, server, args.sizes, args.seconds, reference_fps))
            if "jumps" in args.parts:
                progress("jumping")
                _print(report_jumps(browser, server, JUMPS))
            if "memory" in args.parts:
                progress(f"soaking for {args.memory_minutes:g} min")
                _print(report_memory(browser, server, args.memory_minutes))


def _print(text: str) -> None:
    print(f"\n{text}", flush=True)


def _one_of(known: Sequence[str], text: str) -> list[str]:
    chosen = text.split(",")
    if unknown := [key for key in chosen if key not in known]:
        raise argparse.ArgumentTypeError(f"no {unknown[0]!r}; there are {', '.join(known)}")
    return chosen


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line; what cannot be measured is one sentence and exit code 1."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.player", description=__doc__.splitlines()[0])
    parser.add_argument("--sweep", type=Path, default=cache_dir() / "synthetic", help="where synthetic runs are or go")
    parser.add_argument("--sizes", type=lambda text: _one_of(list(SIZES), text), default=list(SIZES), help="to play")
    parser.add_argument("--parts", type=lambda text: _one_of(PARTS, text), default=list(PARTS), help=", ".join(PARTS))
    parser.add_argument("--seconds", type=float, default=20, help="of play each (default 20)")
    parser.add_argument("--memory-minutes", type=float, default=1, help="of play for the memory samples (default 1)")
    args = parser.parse_args(arguments)
    if not args.seconds >= 2 or not args.memory_minutes > 0:
        parser.error("play at least 2 seconds, and sample memory for more than 0 minutes")
    try:
        run(args)
    except BenchmarkError as error:
        print(f"benchmark: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
