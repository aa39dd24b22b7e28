"""Make the bundled sweep from a directory of simulator logs.

Converts every log with this project's own converter, and packs runs in their packed form, completions with zstd::

    python experiments/make_bundle.py LOGS [OUT]

LOGS is a directory with one directory per run (`simulation.log`, plain or compressed, and `timing.json`).
OUT is this directory unless given. Equal logs give equal files. Prints the table of `README.md`.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import zstandard

from gavel_dash.errors import GavelDashError
from gavel_dash.formats.packed_run import pack_run
from gavel_dash.ingest.convert import Conversion
from gavel_dash.ingest.convert_many import convert_many
from gavel_dash.ingest.sources import find_logs

_PARAMETERS = zstandard.ZstdCompressionParameters.from_level(19, write_checksum=True)
_RUN, _COMPLETIONS = ".viz.bin", "_completions.json"  # the rounds hold what telemetry would say again


def pack(path: Path, out: Path) -> tuple[int, int]:
    """Pack one file into `out`; its size before and after, in bytes."""
    data = path.read_bytes()
    if path.name.endswith(_RUN):
        packed, suffix = pack_run(data, path.name), ".packed"
    else:
        packed, suffix = zstandard.ZstdCompressor(compression_params=_PARAMETERS).compress(data), ".zst"
    (out / f"{path.name}{suffix}").write_bytes(packed)
    return len(data), len(packed)


def table(rows: list[tuple[Conversion, list[tuple[int, int]]]]) -> str:
    """The runs as a Markdown table, with a row of sums."""
    lines = [
        "| run | rounds | jobs | completed | `.viz.bin` MB | packed MB | ratio |",
        "|---|--:|--:|--:|--:|--:|--:|",
    ]
    for run, sizes in rows:
        before, after = sizes[0]
        counts = f"{run.rounds:,} | {run.jobs:,} | {run.completions:,}"
        lines.append(f"| `{run.name}` | {counts} | {before / 1e6:.1f} | {after / 1e6:.2f} | {before / after:.0f} |")
    before, after = (sum(sizes[0][i] for _, sizes in rows) for i in (0, 1))
    rounds, jobs, done = (sum(getattr(run, k) for run, _ in rows) for k in ("rounds", "jobs", "completions"))
    total = f"{rounds:,} | {jobs:,} | {done:,} | {before / 1e6:.1f} | {after / 1e6:.2f} | {before / after:.0f}"
    everything = sum(after for _, sizes in rows for _, after in sizes) / 1e6
    return "\n".join([*lines, f"| {len(rows)} runs | {total} |", "", f"All files together: {everything:.1f} MB."])


def main() -> int:
    """Convert, pack, print the table."""
    parser = argparse.ArgumentParser(description="Make the bundled sweep from a directory of simulator logs.")
    parser.add_argument("logs", type=Path, help="directory of logs")
    parser.add_argument("out", type=Path, nargs="?", default=Path(__file__).parent, help="where the packed files go")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        results = convert_many(find_logs([args.logs]), Path(scratch))
        for error in results:
            if isinstance(error, GavelDashError):
                print(error, file=sys.stderr)
                return 1
        runs = [result for result in results if isinstance(result, Conversion)]
        files = [[path for path in run.paths if path.name.endswith((_RUN, _COMPLETIONS))] for run in runs]
        with ThreadPoolExecutor(2) as pool:
            sizes = list(pool.map(lambda paths: [pack(path, args.out) for path in paths], files))
    print(table(list(zip(runs, sizes, strict=True))))
    return 0


if __name__ == "__main__":
    sys.exit(main())
