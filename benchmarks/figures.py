"""The figure of the Telemetry page: from series in memory to the bytes that Dash sends."""

from __future__ import annotations

import base64
import itertools
import os
import tempfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import orjson
import plotly.graph_objects as go
from dash._utils import to_json

import gavel_dash
from benchmarks.measure import Row, compare, cpu_s
from gavel_dash.figures.telemetry import build_telemetry
from gavel_dash.figures.telemetry_data import Drawing
from gavel_dash.formats.vizbin import JOB_DTYPE
from gavel_dash.formats.vizbin_write import RoundBlock, write_vizbin
from gavel_dash.pages.telemetry.content import styles_of
from gavel_dash.pages.telemetry.data import collect, read_field
from gavel_dash.pages.telemetry.state import Options
from gavel_dash.sweep import Run, Sweep

AREA = "figures"
N_RUNS, N_ROUNDS, N_POINTS = 50, 20_003, 1_000
FIELD = "jobs_in_system"
MOST_BYTES = 0.6e6
#: First, lowest, highest and last record of each column of pixels.
POINTS_PER_COLUMN = 4


def rows() -> Iterator[Row]:
    """All rows; the runs they need are made first and removed afterwards."""
    bundled = gavel_dash.open_sweep(Path(__file__).parent.parent / "experiments")
    with (
        tempfile.TemporaryDirectory() as folder,
        mock.patch.dict(os.environ, {"GAVEL_DASH_CACHE": f"{folder}/cache"}),
    ):
        for seed, name in zip(range(N_RUNS), itertools.cycle(bundled.names)):
            _write_tiled(Path(folder) / f"fig9_tiled_2jph_multi_s{seed}.viz.bin", bundled[name])
        yield from _telemetry(gavel_dash.open_sweep(folder))


def _write_tiled(path: Path, source: Run) -> None:
    """A run of `N_ROUNDS` from the counts of another, repeated, on a cluster that stays idle to be small."""
    heads = np.resize(source.viz.round_heads, N_ROUNDS)
    heads["round"], heads["sim_time_s"] = np.arange(N_ROUNDS), np.arange(N_ROUNDS) * 360.0
    nobody, none = np.full((N_ROUNDS, 1), -1), np.zeros(0, int)
    block = RoundBlock(heads, np.zeros((N_ROUNDS, 1), int), nobody, np.zeros(N_ROUNDS, int), none)
    config = {"gpu_types": [{"name": "v100", "count": 1}]}
    with path.open("wb") as file:
        write_vizbin(file, config, np.zeros(0, JOB_DTYPE), [block], N_ROUNDS)


def _telemetry(sweep: Sweep) -> Iterator[Row]:
    work = f"telemetry of {N_RUNS} runs x {N_ROUNDS:,} rounds, {N_POINTS:,} points each"
    options = Options(y=(FIELD,))

    def build() -> dict[str, Any]:
        data = collect(sweep, sweep.names, options, None)
        return build_telemetry(data, styles_of(sweep, data.runs, options), Drawing(), {})

    figure = build()
    listed = _with_lists(figure)
    n_points = sum(len(trace["x"]) for trace in listed["data"])
    built_s = cpu_s(go.Figure(listed).to_json)
    yield compare(
        AREA,
        f"{work}: from series in memory to JSON",
        lambda: to_json(build()),
        "the same figure as plotly's Figure with lists, and its to_json",
        lambda: go.Figure([go.Scatter(trace) for trace in listed["data"]], listed["layout"]).to_json(),
        20,
        at_least=True,
        pairs=11,
        note=f"{n_points:,} points, chosen anew each time; the reference has those that were chosen, of its time "
        f"{built_s * 1000:.0f} ms are `to_json` alone",
    )
    sent = to_json(figure).encode()
    note = f"{len(zlib.compress(sent, 1)) / 1e6:.2f} MB as gzip's fastest packs it"
    yield Row(AREA, f"{work}: bytes", len(sent), MOST_BYTES, "B", "0.6 MB", len(sent) / MOST_BYTES, 1, note=note)
    found, extremes = _extremes_sent(sweep, options, sent)
    what = f"{work}: lowest and highest record of each column of pixels"
    yield Row(AREA, what, found, extremes, "x", "those of all rounds", found / extremes, 1, at_least=True)


def _with_lists(figure: dict[str, Any]) -> dict[str, Any]:
    """The figure with lists of numbers."""
    lists = [{axis: _numbers(trace[axis]).tolist() for axis in ("x", "y")} for trace in figure["data"]]
    return {**figure, "data": [trace | axes for trace, axes in zip(figure["data"], lists, strict=True)]}


def _numbers(values: Any) -> np.ndarray:
    """Numbers of a trace, which has them as a list or as bytes."""
    return np.frombuffer(base64.b64decode(values["bdata"]), "<f4") if isinstance(values, dict) else np.array(values)


def _extremes_sent(sweep: Sweep, options: Options, sent: bytes) -> tuple[int, int]:
    """How many of the extremes are in the bytes, and how many there are."""
    traces = [trace for trace in orjson.loads(sent)["data"] if "meta" in trace]
    found = extremes = 0
    n_columns = N_POINTS // POINTS_PER_COLUMN
    for trace in traces:
        name, field = trace["meta"]
        points = set(zip(_numbers(trace["x"]).tolist(), _numbers(trace["y"]).tolist(), strict=True))
        x, y = (read_field(sweep, name, wanted, options) for wanted in (options.x, field))
        column = np.minimum((x - x[0]) / (x[-1] - x[0]) * n_columns, n_columns - 1).astype(int)
        for c in range(n_columns):
            [mine] = np.nonzero(column == c)
            for record in (mine[y[mine].argmin()], mine[y[mine].argmax()]):
                extremes += 1
                found += (float(np.float32(x[record])), float(np.float32(y[record]))) in points
    return found, extremes
