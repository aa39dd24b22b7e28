"""The Fragmentation page without a browser: its state, work in slices, words, tables and links."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from dash import Dash, dcc, no_update

from gavel_dash import schema
from gavel_dash.errors import SourceError, UsageError
from gavel_dash.pages import fragmentation
from gavel_dash.pages.fragmentation.across import Across, build_across, tell_notes
from gavel_dash.pages.fragmentation.content import (
    build_nodes,
    build_time,
    compute_slice,
    cursor_at,
    cursor_record,
    cursor_shapes_of,
    of_choices,
    sizes_of,
    tell_why,
    work_line,
)
from gavel_dash.pages.fragmentation.csv import (
    blocked_demand_table,
    fragmentation_curves_table,
    fragmentation_table,
    node_fragmentation_table,
)
from gavel_dash.pages.fragmentation.data import advance, is_worth_drawing, read_rounds
from gavel_dash.pages.fragmentation.layout import asked_view
from gavel_dash.pages.fragmentation.over_time import notes_of
from gavel_dash.schema.fragmentation import BLOCKED_DEMAND, NODE_FRAGMENTATION
from gavel_dash.sweep import Sweep, open_sweep
from gavel_dash.ui import LIVE_STORES
from tests.make import write_run
from tests.unit.pages.test_saturation import text_of

NODES = {"k80": 2, "v100": 2}


@pytest.fixture(scope="module")
def sweep(tmp_path_factory: pytest.TempPathFactory) -> Sweep:
    directory = tmp_path_factory.mktemp("sweep")
    for rate, every in ((1.0, 3), (2.0, 1)):
        for seed in (0, 1):
            experiment = {"policy": "fifo", "setting": "multi", "arrival_rate_jph": rate, "seed": seed}
            write_run(directory / f"fifo_{rate}_s{seed}.viz.bin", experiment, n_jobs=20, every=every, length=6 + seed)
    (directory / "broken.viz.bin").write_bytes(b"GVIZ not really")
    return open_sweep(directory)


A, B = "fifo_2.0_s0", "fifo_1.0_s0"


def finished(sweep: Sweep, names: list[str], sizes: dict[str, int], tab: str = "time") -> dict[str, Any]:
    progress = compute_slice(sweep, tab, names, sizes, None)
    while progress["done"] < progress["total"]:
        progress = compute_slice(sweep, tab, names, sizes, progress)
    return progress


def ids_of(component: Any) -> set[str]:
    return {str(c.id) for c in component._traverse() if isinstance(getattr(c, "id", None), str)}


@pytest.mark.parametrize(
    "query", [{}, {"run": "nobody", "round": "x", "nodes": "k80:-1", "tab": "?", "size": "1e9", "of": "z"}]
)
def test_the_layout_holds_every_id_of_the_callbacks(sweep: Sweep, query: dict[str, str]) -> None:
    app = Dash(__name__)
    fragmentation.register_callbacks(app, sweep)
    wanted = set()
    for callback in app._callback_list:
        for part in (*callback["inputs"], *callback["state"]):
            wanted.add(part["id"])
        wanted |= {name.rsplit(".", 1)[0] for name in callback["output"].strip(".").split("...")}
    shell = {"theme", "node-sizes", *LIVE_STORES}
    plain = {name for name in wanted if not name.startswith("{")} - shell
    assert plain
    assert plain <= ids_of(fragmentation.layout(sweep, **query))


def test_the_query_restores_the_controls(sweep: Sweep) -> None:
    query = {
        "run": [A, B],
        "of": B,
        "split": "type",
        "tab": "sweep",
        "measure": "free_gpus",
        "by": "demand",
        "round": "7",
    }
    page = fragmentation.layout(sweep, **query, nodes="k80:2")
    values = {c.id: getattr(c, "value", None) for c in page._traverse() if isinstance(getattr(c, "id", None), str)}
    asked = {key: values[f"fragmentation-{key}"] for key in ("of", "split", "tab", "measure", "by")}
    assert asked == {key: query[key] for key in asked}
    stores = {c.id: c.data for c in page._traverse() if isinstance(c, dcc.Store) and hasattr(c, "data")}
    assert stores["fragmentation-cursor"] == 7
    assert stores["fragmentation-asked-nodes"] == {"k80": 2}


def test_work_goes_on_where_it_stopped_and_begins_anew_for_another_question() -> None:
    asked: list[str] = []

    def compute(name: str) -> None:
        asked.append(name)
        if name == "b":
            raise SourceError("b", "rounds", "nothing")

    progress = None
    for _ in range(3):
        progress = advance(["a", "b", "c"], "key", progress, compute, slice_s=0)
    assert asked == ["a", "b", "c"]
    assert progress is not None
    assert (progress["done"], progress["total"], progress["slices"]) == (3, 3, 3)
    assert progress["problems"] == [["b", "b: expected rounds, found nothing"]]
    again = advance(["a"], "other", progress, compute, slice_s=0)
    assert (again["done"], again["problems"], again["slices"]) == (1, [], 1)
    assert [is_worth_drawing({"slices": n, "done": 1, "total": 9}) for n in (1, 2, 3, 4, 5)] == [
        True,
        True,
        False,
        True,
        False,
    ]
    assert is_worth_drawing({"slices": 5, "done": 9, "total": 9})


def test_the_bar_says_what_is_done() -> None:
    words = text_of(work_line({"done": 11, "total": 48, "tab": "sweep", "problems": []}))
    assert words.strip() == "computing 12 of 48 runs"
    assert work_line({"done": 2, "total": 2, "tab": "time", "problems": []}) == []
    said = text_of(work_line({"done": 2, "total": 2, "tab": "time", "problems": [["x", "it is damaged"]]}))
    assert said == "x cannot be shown: it is damaged"


def test_the_chart_and_its_csv_say_the_same(sweep: Sweep) -> None:
    chart = build_time(sweep, finished(sweep, [A], NODES), A, "none", 0, None, "light", 5)
    assert chart.csv_href == f"/api/runs/{A}/fragmentation.csv?nodes=k80%3A2%2Cv100%3A2"
    table = fragmentation_table(sweep, A, "k80:2,v100:2")
    rounds = read_rounds(sweep[A], NODES)
    assert table["fragmentation_rate"].to_numpy() == pytest.approx(rounds.fragmentation.rate(), nan_ok=True)
    assert table["sim_time_h"].tolist() == rounds.time_h.tolist()
    assert chart.figure["layout"]["shapes"][-1]["x0"] == rounds.time_h[5]
    assert {"free_gpus_k80", "fragmented_gpus_class_3", "phase", "pending_gpus"} <= set(table.columns)


def test_a_zoom_is_answered_with_a_patch_that_leaves_the_range_alone(sweep: Sweep) -> None:
    chart = build_time(sweep, finished(sweep, [A], NODES), A, "none", 0, zoomed(1.0, 2.0), "light", None)
    places = [operation["location"] for operation in chart.figure.to_plotly_json()["operations"]]
    assert ["data"] in places
    assert ["layout", "xaxis", "range"] not in places
    assert ["layout", "xaxis"] not in places


def zoomed(low: float, high: float, drawn: bool = True) -> dict[str, Any]:
    return {"range": [low, high], "drawn": drawn}


def test_a_view_of_the_address_is_drawn_and_one_without_rounds_is_not(sweep: Sweep) -> None:
    assert asked_view({"from": "1", "to": "2.5"}) == zoomed(1.0, 2.5, drawn=False)
    for bad in ({}, {"from": "3", "to": "1"}, {"from": "x", "to": "2"}, {"from": "0", "to": "inf"}):
        assert asked_view(bad) is None
    progress = finished(sweep, [A], NODES)

    def range_of(low: float, high: float) -> list[float]:
        view = zoomed(low, high, drawn=False)
        drawn: list[float] = build_time(sweep, progress, A, "none", 0, view, "light", None).figure["layout"]["xaxis"][
            "range"
        ]
        return drawn

    end_h = float(sweep[A].time_h[-1])
    assert range_of(1.0, 2.0) == [1.0, 2.0]
    assert range_of(-5.0, 2.0) == [0.0, 2.0]
    assert range_of(end_h + 1, end_h + 2) == [0.0, end_h]


def test_nothing_chosen_and_nothing_readable(sweep: Sweep) -> None:
    nothing = build_time(sweep, finished(sweep, [], {}), None, "none", 0, None, "light", None)
    assert nothing.notes == ["Choose a run above."]
    assert tell_why(sweep, finished(sweep, ["nobody"], {}), None, None)[0].children == "No run to look at."
    assert sizes_of(sweep, "nobody") == []
    assert cursor_shapes_of(sweep, finished(sweep, [], {}), 3, "light") == []


def test_blocked_demand_adds_up_in_every_row(sweep: Sweep) -> None:
    table = blocked_demand_table(sweep, A, "k80:2,v100:2")
    assert list(table.columns) == schema.names(BLOCKED_DEMAND)
    parts = table[["no_gpus", "scattered", "could_start"]].sum(axis=1)
    assert parts.tolist() == table["queued"].tolist()
    queued = table.groupby("round_index")["queued"].sum()
    assert queued.tolist() == sweep[A].viz.round_heads["jobs_queued"].tolist()
    assert table["scattered"].sum() > 0
    plain = blocked_demand_table(sweep, A)
    assert plain["scattered"].isna().all()  # nothing is known of it: not zero
    assert plain["no_gpus"].notna().all()


def test_node_table_of_a_stretch(sweep: Sweep) -> None:
    table = node_fragmentation_table(sweep, A, "k80:2", 3, 9)
    assert list(table.columns) == schema.names(NODE_FRAGMENTATION)
    idle = np.array([sweep[A].allocation(record)[:2] for record in range(3, 9)]) < 0
    assert table.loc[0, "free_gpus"] == pytest.approx(idle.sum(axis=1).mean())
    with pytest.raises(UsageError, match="no rounds from 9 to 3"):
        node_fragmentation_table(sweep, A, "k80:2", 9, 3)


def test_the_bars_follow_the_view(sweep: Sweep) -> None:
    progress = finished(sweep, [A], NODES)
    time_h = sweep[A].time_h
    view = zoomed(float(time_h[4]), float(time_h[8]))
    _, hidden, href, words = build_nodes(sweep, progress, A, view, "light")
    assert not hidden
    assert href is not None
    assert href.endswith("start=4&stop=9")
    numbers = sweep[A].viz.round_heads["round"]
    assert f"the 5 rounds in view: round {numbers[4]} ({time_h[4]:.1f} h) to {numbers[8]} ({time_h[8]:.1f} h)" in words
    assert "Outline: free" in words
    assert "rounds of the run" in build_nodes(sweep, progress, A, None, "light")[3]


def test_a_run_that_ends_before_the_view_has_no_bars(tmp_path: Path) -> None:
    for name, n_rounds in (("long", 90), ("short", 40)):
        write_run(tmp_path / f"{name}.viz.bin", n_jobs=20, every=1, length=6, n_rounds=n_rounds)
    both = open_sweep(tmp_path)
    end_h, last_h = float(both["short"].time_h[-1]), float(both["long"].time_h[-1])
    view = zoomed((end_h + last_h) / 2, last_h)
    progress = finished(both, ["long", "short"], NODES)
    figure, hidden, href, words = build_nodes(both, progress, "short", view, "light")
    assert (figure["data"], hidden, href) == ([], False, None)
    assert f"has no rounds in view: it ends at {end_h:,.1f} h" in words


def test_bars_without_a_node_size_are_hidden(sweep: Sweep) -> None:
    assert build_nodes(sweep, finished(sweep, [A], {}), A, None, "light")[1]


def test_the_why_table_counts_the_round(sweep: Sweep) -> None:
    rounds = read_rounds(sweep[A], NODES)
    record = int(rounds.blocked.scattered.sum(axis=1).argmax())
    words = text_of(tell_why(sweep, finished(sweep, [A], NODES), A, record))
    assert f"Round {rounds.round_numbers[record]:,}" in words
    scattered = int(rounds.blocked.scattered[record].sum())
    waiting = int(rounds.values["jobs_queued"][record])
    could, none = (int(part[record].sum()) for part in (rounds.blocked.could_start, rounds.blocked.no_gpus))
    assert f"All {waiting} {could} {scattered} {none}" in words
    without = text_of(tell_why(sweep, finished(sweep, [A], {}), A, record))
    assert "No placement constraint is known" in without
    assert "–" in without


def test_the_cursor_is_the_clicked_hour_in_the_first_run(sweep: Sweep) -> None:
    time_h = sweep[A].time_h
    for record in (0, 7, 33):
        assert cursor_at(sweep, [A, B], float(np.float32(time_h[record]))) == record
    assert cursor_at(sweep, [A], None) is no_update
    progress = finished(sweep, [A, B], NODES)
    assert cursor_record(sweep, progress, B, 7) == sweep[B].index_at(float(time_h[7]))
    assert cursor_record(sweep, progress, B, 10**8) == sweep[B].n_rounds - 1
    assert cursor_record(sweep, progress, B, None) is None


def test_menus_follow_the_runs(sweep: Sweep) -> None:
    options, value = of_choices(sweep, [A, B], "gone")
    assert value == A
    assert [option["value"] for option in options] == [A, B]
    assert sizes_of(sweep, A) == [1, 2, 3]


def test_what_cannot_be_computed_is_said(sweep: Sweep) -> None:
    plain = read_rounds(sweep[A], {})
    styles = {A: type("Style", (), {"label": "A"})()}
    assert "No node size is known for k80, v100" in notes_of([plain], styles)[0]
    single = read_rounds(sweep[A], {"k80": 1, "v100": 2})
    assert "Nodes of k80 have one GPU: nothing can fragment there." in notes_of([single], styles)


def test_classes_larger_than_a_node_are_said(sweep: Sweep) -> None:
    styles = {A: type("Style", (), {"label": "A"})()}
    rounds = read_rounds(sweep[A], {"k80": 2, "v100": 4})
    said = [note for note in notes_of([rounds], styles) if "larger than" in note]
    assert len(said) == 1
    assert said[0].startswith("Jobs of 3 GPUs are larger than the 2-GPU nodes of k80")
    place = rounds.fragmentation.classes.index(3)
    assert (rounds.fragmentation.fragmented[:, 0, place] == rounds.fragmentation.free[:, 0]).all()
    assert "A click gives the exact round" in " ".join(notes_of([rounds], styles))


@pytest.mark.data
def test_a_telemetry_only_file_says_so_and_shows_what_it_can(data_dir: Path) -> None:
    real = open_sweep(data_dir / "published" / "fgd_alibaba_mig_fgd_360jph_s0.viz.bin")
    name = real.names[0]
    rounds = read_rounds(real[name], {})
    assert np.isnan(rounds.values["occupied_nodes"]).all()
    assert np.isfinite(rounds.values["free_gpus"]).all()
    styles = {name: type("Style", (), {"label": name})()}
    assert any("does not say which GPUs are busy" in note for note in notes_of([rounds], styles))
    table = fragmentation_table(real, name)
    assert table["fragmentation_share"].isna().all()
    assert table["free_gpus"].notna().all()


def test_across_the_sweep_with_a_damaged_run(sweep: Sweep) -> None:
    progress = finished(sweep, [], NODES, "sweep")
    across = build_across(sweep, progress, NODES, "rate", "fragmentation_share", "light")
    (curve,) = across.figure["data"]
    table = fragmentation_curves_table(sweep, "rate", "fragmentation_share", "k80:2,v100:2")
    assert list(curve["y"]) == (table["fragmentation_share"] * 100).tolist()
    assert table["n_seeds"].tolist() == [2, 2]
    assert [part.children for part in tell_notes(across)][-1].startswith("broken is left out: ")
    assert across.csv_href == (
        "/api/fragmentation_curves.csv?by=rate&measure=fragmentation_share&nodes=k80%3A2%2Cv100%3A2"
    )
    shares = [read_rounds(sweep[f"fifo_1.0_s{seed}"], NODES) for seed in (0, 1)]
    by_hand = [np.nanmean(r.values["fragmentation_share"][slice(*r.stretch)]) for r in shares]
    assert table["fragmentation_share"][0] == pytest.approx(np.mean(by_hand))


def test_a_curve_in_work_is_not_drawn_and_that_is_said(sweep: Sweep) -> None:
    whole = finished(sweep, [], NODES, "sweep")
    partial = {**whole, "done": 1}
    across = build_across(sweep, partial, NODES, "demand", "free_gpus", "dark")
    assert across.figure["data"] == []
    assert across.notes[0].startswith("Partial: 0 of 1 curves are drawn")
    assert shown_text(across.figure) == "No curve is complete yet: 1 of 4 runs are computed."


def shown_text(figure: dict[str, Any]) -> str:
    (annotation,) = figure["layout"]["annotations"]
    return str(annotation["text"])


def test_many_runs_left_out_are_a_sentence_per_reason() -> None:
    left_out = {f"r{n}": "mean JCT from the results table" for n in range(373)} | {"x": "cut off", "y": "not a log"}
    own, shared = tell_notes(Across({}, [], left_out, ""))
    assert text_of(own).startswith("2 runs are left out, each for a reason of its own.")
    assert "y: not a log" in text_of(own)
    assert text_of(shared).startswith("373 runs are left out: mean JCT from the results table")
    assert not hasattr(shared, "open")  # collapsed
    assert len(shared.children[1].children) == 373


def test_rounds_without_a_free_gpu_are_counted_out_of_the_rate(sweep: Sweep) -> None:
    across = build_across(sweep, finished(sweep, [], NODES, "sweep"), NODES, "rate", "fragmentation_rate", "light")
    runs = [read_rounds(sweep[name], NODES) for name in sweep.names if sweep.has_rounds(name)]
    rates = np.concatenate([r.values["fragmentation_rate"][slice(*r.stretch)] for r in runs])
    full = int(np.isnan(rates).sum())
    assert full > 0
    assert any(f"not in the mean: {full:,} of {len(rates):,} rounds" in note for note in across.notes)
    tooltips = [text for curve in across.figure["data"] for text in curve["hovertext"]]
    assert all("rounds with a free GPU of 2 runs" in text for text in tooltips)


def test_without_node_sizes_a_rate_has_no_points_and_free_gpus_have(sweep: Sweep) -> None:
    progress = finished(sweep, [], {}, "sweep")
    rate = build_across(sweep, progress, {}, "rate", "fragmentation_rate", "light")
    assert rate.figure["data"] == []
    assert rate.notes[0].startswith("Without a value: all 4 runs: no GPU type is known to have nodes of several GPUs")
    assert shown_text(rate.figure) == "No run has a value; the lines below say why."
    free = build_across(sweep, progress, {}, "rate", "free_gpus", "light")
    assert all(math.isfinite(y) for y in free.figure["data"][0]["y"])
