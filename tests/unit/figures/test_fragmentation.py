"""The chart over time, the bars of the nodes and the curves, as dicts."""

from __future__ import annotations

import base64
import dataclasses
import json
from typing import Any

import numpy as np
import orjson
import pandas as pd
import pytest

from gavel_dash.analysis.fragmentation_curves import DEMAND, MEASURES, RATE, average_rounds, summarize_fragmentation
from gavel_dash.analysis.fragmentation_rounds import RunRounds
from gavel_dash.figures.curve_style import CurveStyle
from gavel_dash.figures.fragmentation import build_over_time, cursor_shapes, known_stretches
from gavel_dash.figures.fragmentation_curves import build_curves
from gavel_dash.figures.fragmentation_nodes import build_node_bars
from gavel_dash.figures.fragmentation_rows import WHY, WHY_WORDS, build_rows, why_of
from gavel_dash.figures.run_style import RunStyle
from gavel_dash.pages.fragmentation.csv import node_fragmentation_table
from gavel_dash.pages.fragmentation.data import read_rounds
from gavel_dash.sweep import Sweep, open_sweep
from tests.make import write_run
from tests.unit.analysis.test_fragmentation_curves import RUNS, means_of

SIZES = {"k80": 2, "v100": 4}
STYLES = {"a": RunStyle("run A", "#0072B2", "solid"), "b": RunStyle("run B", "#D55E00", "dash")}


@pytest.fixture(scope="module")
def sweep(tmp_path_factory: pytest.TempPathFactory) -> Sweep:
    directory = tmp_path_factory.mktemp("sweep")
    write_run(directory / "a.viz.bin", n_jobs=400, every=1, length=6, n_rounds=3000)
    write_run(directory / "b.viz.bin", n_jobs=20, every=2, length=6, n_rounds=60)
    return open_sweep(directory)


@pytest.fixture(scope="module")
def runs(sweep: Sweep) -> list[RunRounds]:
    return [read_rounds(sweep[name], SIZES) for name in ("a", "b")]


def decode(numbers: dict[str, Any]) -> np.ndarray:
    return np.frombuffer(base64.b64decode(numbers["bdata"]), numbers["dtype"])


def traces(figure: dict[str, Any], axis: str) -> list[dict[str, Any]]:
    return [trace for trace in figure["data"] if trace["yaxis"] == axis]


def test_the_rows_a_run_with_nodes_has(runs: list[RunRounds]) -> None:
    titles = [row.title for row in build_rows(runs, STYLES, runs[0], "none", 0)]
    assert titles == [
        "Fragmentation rate",
        "Fragmentation share",
        "Free GPUs",
        "Waiting jobs",
        "Pending demand",
        "Occupied nodes",
    ]


def test_without_node_sizes_there_is_no_row_of_zeros(sweep: Sweep) -> None:
    plain = read_rounds(sweep["a"], {})
    rows = build_rows([plain], STYLES, plain, "none", 0)
    assert [row.title for row in rows] == ["Free GPUs", "Waiting jobs", "Pending demand"]
    assert [area.label for area in rows[1].areas] == ["no GPUs", "could start"]
    assert [line.label for line in rows[0].lines] == ["run A"]  # and no largest block


def test_every_reason_has_a_pattern_or_sign_of_its_own() -> None:
    assert len({(pattern, sign) for _, pattern, sign in WHY.values()}) == len(WHY) == len(WHY_WORDS)


def test_a_line_keeps_the_extremes_and_is_in_percent(runs: list[RunRounds]) -> None:
    figure = build_over_time(runs, STYLES, runs[0], "light")
    rate, other = traces(figure, "y")
    y = decode(rate["y"])
    known = runs[0].values["fragmentation_rate"]
    assert np.nanmax(y) == pytest.approx(np.nanmax(known) * 100)
    assert np.nanmin(y) == pytest.approx(np.nanmin(known) * 100)
    assert len(y) <= 2100 < runs[0].n_rounds
    assert (rate["line"]["color"], other["line"]["dash"]) == ("#0072B2", "dash")
    orjson.dumps(figure)


def test_a_label_says_row_line_value_and_its_own_time(runs: list[RunRounds]) -> None:
    figure = build_over_time(runs, STYLES, runs[0], "light")
    assert 0 < figure["layout"]["hoverdistance"] <= 20  # px: nothing is told of a run beyond its end
    first = {axis: traces(figure, axis)[0]["hovertemplate"] for axis in ("y", "y3", "y4")}
    assert first["y"] == "Fragmentation rate, run A: %{y:,.3~r}% at %{x:,.1f} h<extra></extra>"
    assert first["y3"] == "Free GPUs, run A: %{y:,} GPUs at %{x:,.1f} h<extra></extra>"
    assert first["y4"] == "Waiting jobs, no GPUs: %{y:,} jobs at %{x:,.1f} h<extra></extra>"


def test_a_zoomed_chart_shows_every_round_in_view(runs: list[RunRounds]) -> None:
    view = (10.0, 40.0)
    x = decode(traces(build_over_time(runs[:1], STYLES, runs[0], "dark", view=view), "y")[0]["x"])
    inside = (runs[0].time_h >= view[0]) & (runs[0].time_h <= view[1])
    assert ((x >= view[0] - 1e-5) & (x <= view[1] + 1e-5)).sum() == inside.sum()


def test_a_split_has_a_line_per_class_of_one_run(runs: list[RunRounds]) -> None:
    rows = build_rows(runs, STYLES, runs[1], "class", 0)
    assert [line.label for line in rows[0].lines] == ["1-GPU jobs", "2-GPU jobs", "3-GPU jobs"]
    assert {line.rounds.name for line in rows[0].lines} == {"b"}
    free = build_rows(runs, STYLES, runs[1], "type", 0)[2]
    assert [line.label for line in free.lines][:2] == ["k80", "v100"]


def test_the_stack_adds_up_to_the_queue(runs: list[RunRounds]) -> None:
    why = why_of(runs[0], 0)
    assert list(why) == ["no_gpus", "scattered", "could_start"]
    assert sum(why.values()).tolist() == runs[0].values["jobs_queued"].tolist()
    of_size = [sum(why_of(runs[0], size).values()) for size in (1, 2, 3)]
    assert sum(of_size).tolist() == runs[0].values["jobs_queued"].tolist()
    assert why["no_gpus"].max() > 0


def test_unknown_rounds_are_a_gap_and_not_a_zero(runs: list[RunRounds]) -> None:
    known = np.ones(runs[1].n_rounds, bool)
    known[20:30] = False
    partly = dataclasses.replace(runs[1], blocked=dataclasses.replace(runs[1].blocked, known=known))
    figure = build_over_time([partly], STYLES, partly, "light")
    x = np.concatenate([decode(t["x"]) for t in traces(figure, "y4") if t["name"] == "no GPUs"])
    assert not np.isin(partly.time_h[20:30].astype("f4"), x).any()
    assert len({t["stackgroup"] for t in traces(figure, "y4")}) == 2
    assert known_stretches(np.where(known, 1.0, np.nan)) == [(0, 20), (30, 60)]


def test_a_row_without_any_number_says_so(runs: list[RunRounds]) -> None:
    nothing = dataclasses.replace(runs[1], queue_known=np.zeros(runs[1].n_rounds, bool))
    figure = build_over_time([nothing], STYLES, nothing, "light")
    assert "Pending demand: the file does not say" in json.dumps(figure["layout"]["annotations"])


def test_cursor_and_measurement_phase(runs: list[RunRounds]) -> None:
    phase, cursor = cursor_shapes(runs[0], 12.5, "light")
    start, stop = runs[0].stretch
    assert (phase["x0"], phase["x1"]) == (runs[0].time_h[start], runs[0].time_h[stop])
    assert cursor["x0"] == cursor["x1"] == 12.5
    assert len(cursor_shapes(runs[0], None, "light")) == 1


def test_node_bars_in_the_order_of_the_table(sweep: Sweep) -> None:
    table = node_fragmentation_table(sweep, "a", "k80:2,v100:4", 0, 50)
    figure = build_node_bars(table, "light")
    free, fragmented = figure["data"]
    assert free["text"] == ["k80 node 0", "k80 node 1", "v100 node 0"]
    assert list(fragmented["y"]) == table["fragmented_gpus"].tolist()
    assert figure["layout"]["xaxis"]["ticktext"] == ["k80", "v100"]
    assert (table["fragmented_gpus"] <= table["free_gpus"]).all()


def test_curves_name_their_interval_and_lead_to_a_run() -> None:
    measure = MEASURES["free_gpus"]
    means = {name: means_of({0.5: [n]}) for n, name in enumerate(RUNS["run"])}
    styles = {name: CurveStyle(f"curve {name}", "#123456", "circle", "solid") for name in ("a", "b")}
    figure = build_curves(summarize_fragmentation(RUNS, means, measure, RATE), styles, measure, False, "light")
    of_a, of_b = figure["data"]
    assert list(of_a["x"]) == [1.0, 2.0]
    assert of_a["customdata"] == ["a0", "a0b"]
    assert "95% interval" in of_a["hovertext"][0]
    assert "n = 3" in of_a["hovertext"][0]
    assert "n = 1 seed: no interval" in of_b["hovertext"][0]
    by_demand = build_curves(summarize_fragmentation(RUNS, means, measure, DEMAND), styles, measure, True, "dark")
    assert list(by_demand["data"][0]["x"]) == pytest.approx([55.0])
    assert "demand 50% to 60%" in by_demand["data"][0]["hovertext"][0]


def test_curves_without_a_point_are_an_empty_chart() -> None:
    measure = MEASURES["fragmentation_rate"]
    empty = summarize_fragmentation(RUNS, {"a0": average_rounds(blank(), 0, 1)}, measure)
    assert isinstance(empty, pd.DataFrame)
    figure = build_curves(empty, {}, measure, False, "light", "No run has a value.")
    assert figure["data"] == []
    assert figure["layout"]["annotations"][0]["text"] == "No run has a value."


def blank() -> dict[str, np.ndarray]:
    return {name: np.array([np.nan]) for name in (*MEASURES, "demand")}
