"""The Cluster page without a browser: what a query opens, what a frame holds, what it says when it cannot."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from dash import Dash, Patch

from gavel_dash.errors import VizFormatError
from gavel_dash.figures.round_cells import cells_of_round
from gavel_dash.pages import cluster
from gavel_dash.pages.cluster_layout import build_layout
from gavel_dash.pages.cluster_view import (
    HOVER_WHILE_PLAYING_GPUS,
    Shown,
    View,
    build_frame,
    csv_links,
    difference_note,
    first_view,
    initial_color,
    open_view,
    queue_of_round,
    run_options,
    scrubber_figure,
)
from gavel_dash.sweep import Sweep, open_sweep
from tests.make import simulate, write_run
from tests.unit.pages.test_saturation import text_of

RUN = "fifo_1.0_s0"


@pytest.fixture(scope="module")
def sweep(tmp_path_factory: pytest.TempPathFactory) -> Sweep:
    directory: Path = tmp_path_factory.mktemp("sweep")
    write_run(directory / f"{RUN}.viz.bin", {"policy": "fifo", "arrival_rate_jph": 1.0})
    write_run(directory / "crowded.viz.bin", length=20)
    write_run(directory / "without_window.viz.bin", window=(900, 999))
    (directory / "damaged.viz.bin").write_bytes((directory / f"{RUN}.viz.bin").read_bytes()[:900])
    return open_sweep(directory)


def view(index: int, playing: bool = False) -> View:
    return {"run": RUN, "index": index, "playing": playing}


def shown(index: int, color: str = "category", theme: str = "light", run: str = RUN) -> Shown:
    return {"run": run, "index": index, "color": color, "theme": theme, "playing": False}


def ids_of(component: Any) -> set[str]:
    return {node.id for node in component._traverse() if isinstance(getattr(node, "id", None), str)}


def test_a_query_opens_that_run_at_that_record(sweep: Sweep) -> None:
    assert open_view(sweep, RUN, "17").info == {"run": RUN, "index": 17, "n_rounds": 60}


@pytest.mark.parametrize("asked", [None, "", "-3", "x", "1.5"])
def test_a_round_that_is_none_opens_the_middle_of_the_measurement(sweep: Sweep, asked: str | None) -> None:
    info = open_view(sweep, RUN, asked).info
    assert info is not None
    assert info["index"] == sweep[RUN].representative_round()


def test_a_round_behind_the_end_opens_the_last(sweep: Sweep) -> None:
    info = open_view(sweep, RUN, "99999").info
    assert info is not None
    assert info["index"] == 59


def test_without_a_query_the_first_run_with_rounds_opens(sweep: Sweep) -> None:
    assert run_options(sweep) == [name for name in sweep.runs()["run"] if name != "damaged"]
    info = open_view(sweep, None).info
    assert info is not None
    assert info["run"] == run_options(sweep)[0]


@pytest.mark.parametrize(
    ("name", "said"), [("nobody <b>", "no run named nobody <b>"), ("damaged", "damaged cannot be shown: ")]
)
def test_what_cannot_be_shown_is_one_sentence(sweep: Sweep, name: str, said: str) -> None:
    opened = open_view(sweep, name)
    assert opened.info is None
    assert said in opened.problem
    assert said in text_of(cluster.layout(sweep, run=name))


def test_layout_holds_every_id_of_its_callbacks(sweep: Sweep) -> None:
    app = Dash(__name__)
    cluster.register_callbacks(app, sweep)
    used = {part["id"] for callback in app.callback_map.values() for part in [*callback["inputs"], *callback["state"]]}
    for query in ({}, {"run": "nobody"}, {"run": RUN, "round": "3", "color": "job"}):
        assert used - {"theme"} <= ids_of(cluster.layout(sweep, **query))


def test_first_frame_is_whole_and_the_next_a_patch(sweep: Sweep) -> None:
    assert isinstance(build_frame(sweep, view(20), "category", "light", None).figure, dict)
    assert isinstance(build_frame(sweep, view(21, True), "category", "light", shown(20)).figure, Patch)


def test_another_run_draws_anew(sweep: Sweep) -> None:
    frame = build_frame(sweep, view(21), "category", "light", shown(20, run="without_window"))
    assert isinstance(frame.figure, dict)


@pytest.mark.parametrize("before", [shown(20, color="job"), shown(20, theme="dark")])
def test_other_colours_keep_the_zoom(sweep: Sweep, before: Shown) -> None:
    patch = build_frame(sweep, view(21), "category", "light", before).figure
    assert isinstance(patch, Patch)
    changed = [operation["location"] for operation in patch.to_plotly_json()["operations"]]
    assert ["data"] in changed
    assert ["layout", "font"] in changed
    assert not [path for path in changed if path[-1] == "range" or path == ["layout", "xaxis"]]


def test_tiles_say_what_was_simulated(sweep: Sweep) -> None:
    truth, index = simulate(), 14
    frame = build_frame(sweep, view(index), "category", "light", None)
    used = int(truth["used"][index].sum())
    tiles = " ".join(text_of(tile) for tile in frame.tiles)
    assert f"{used / 8:.1%}" in tiles
    assert f"{used} of 8 GPUs" in tiles
    assert f"Queued {truth['heads']['jobs_queued'][index]}" in tiles
    assert "Mean JCT so far –" in tiles  # zero means none yet
    assert frame.now == "Round 14 · 1.4 h · measurement · record 15 of 60"
    assert frame.note == ""


def test_a_run_without_its_window_has_no_phase(sweep: Sweep) -> None:
    frame = build_frame(sweep, {**view(3), "run": "without_window"}, "category", "light", None)
    assert frame.now == "Round 3 · 0.3 h · record 4 of 60"
    note = scrubber_figure(sweep["without_window"], "light")["layout"]["annotations"][0]["text"]
    assert "no measurement phase" in note


def test_queue_is_the_simulated_one(sweep: Sweep) -> None:
    truth = simulate(length=20)
    index = max(range(60), key=lambda i: len(truth["queues"][i]))
    queue = queue_of_round(sweep["crowded"], index)
    assert [row["job_id"] for row in queue.rows] == truth["queues"][index]
    assert all(row["key"] == str(row["job_id"]) for row in queue.rows)
    assert f"{len(truth['queues'][index])} wait" in text_of(queue.summary)
    assert "occupancy" in queue.spoken
    assert "No waiting job" in text_of(queue_of_round(sweep["crowded"], 0).summary)


def test_a_damaged_round_is_said_and_the_page_goes_on(sweep: Sweep, monkeypatch: pytest.MonkeyPatch) -> None:
    def damaged(*_: object) -> None:
        raise VizFormatError("a.viz.bin", 12, "GPU indices below 8", "9")

    monkeypatch.setattr("gavel_dash.pages.cluster_view.cells_of_round", damaged)
    frame = build_frame(sweep, view(14), "category", "light", shown(13))
    assert frame.figure is None
    assert frame.note.startswith("Damaged round: a.viz.bin at byte 12")
    assert frame.tiles


def test_cells_and_count_that_differ_are_said(sweep: Sweep) -> None:
    cells = cells_of_round(sweep[RUN], 14)
    cells.gpus_used[0] += 1
    assert "busy shares follow the count" in difference_note(cells)


def test_small_clusters_have_hover_texts_while_playing(sweep: Sweep) -> None:
    assert sweep[RUN].cluster.gpus <= HOVER_WHILE_PLAYING_GPUS
    figure = build_frame(sweep, view(14, True), "category", "light", None).figure
    assert isinstance(figure, dict)
    assert figure["data"][0]["text"]


def test_addresses_and_colours() -> None:
    assert csv_links("a b/c", 7)[2] == "/api/runs/a%20b%2Fc/queue.csv?round_index=7"
    assert initial_color({"color": "job"}) == "job"
    assert initial_color({"color": "<b>"}) == "category"
    assert first_view({"run": "r", "index": 2, "n_rounds": 5}) == {"run": "r", "index": 2, "playing": False}


def test_csv_links_are_there_before_any_callback(sweep: Sweep) -> None:
    layout = str(build_layout(sweep, {}))
    for kind in ("rounds.csv", "jobs.csv", "queue.csv"):
        assert f"/{kind}" in layout
