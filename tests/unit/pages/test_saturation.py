"""The Saturation page without a browser: its query, what it selects, what it says."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from dash import Dash, Patch
from dash.development.base_component import Component

from gavel_dash.analysis.saturation import PLATEAU_FACTOR
from gavel_dash.figures.saturation import ChartOptions
from gavel_dash.pages import saturation
from gavel_dash.pages.saturation.data import (
    collect,
    most_telling_run,
    point_choice,
    point_options,
    restore_selection,
    seed_options,
    select,
)
from gavel_dash.pages.saturation.point_round import describe, draw_round
from gavel_dash.pages.saturation.state import DEFAULTS, PageState, csv_query
from gavel_dash.pages.saturation.table import build_table, notes_of, why_empty
from gavel_dash.sweep import Sweep, open_sweep
from gavel_dash.ui import LIVE_STORES, keep_zoom
from tests.make import write_run

#: Rate, seed and rounds a job runs: mean JCT is far above twice the plateau at 4 jph only.
POINTS = [(1.0, 0, 5), (1.5, 0, 5), (3.0, 0, 6), (4.0, 0, 20), (4.0, 1, 22)]
BREAKS = "fifo_4.0_s0"


PLATEAU = ChartOptions(method=PLATEAU_FACTOR)


def state(**what: Any) -> PageState:
    return PageState({**DEFAULTS, "method": PLATEAU_FACTOR}, **what)


@pytest.fixture(scope="module")
def sweep(tmp_path_factory: pytest.TempPathFactory) -> Sweep:
    directory = tmp_path_factory.mktemp("sweep")
    for rate, seed, length in POINTS:
        experiment = {"policy": "fifo", "setting": "multi", "arrival_rate_jph": rate, "seed": seed}
        write_run(directory / f"fifo_{rate}_s{seed}.viz.bin", experiment, length=length, n_rounds=200)
    return open_sweep(directory)


def text_of(component: Any) -> str:
    """All text in a component, in order."""
    if component is None or isinstance(component, str | int | float):
        return "" if component is None else str(component)
    if isinstance(component, list | tuple):
        return " ".join(text_of(child) for child in component)
    return text_of(getattr(component, "children", None))


def test_a_query_restores_everything() -> None:
    query = {"k": "1.5", "axis": "log", "paper": "0", "seeds": "0", "run": ["a", "b"], "figure": "fig9"}
    state = PageState.from_query({**query, "at": "a", "round": "12"}, DEFAULTS)
    assert state.options == ChartOptions(k=1.5, log=True, paper=False, seeds=False)
    assert state.filters == {"figure": ["fig9"], "run": ["a", "b"]}
    assert (state.selected_run, state.round_index) == ("a", 12)


@pytest.mark.parametrize(
    ("query", "k"),
    [({}, 2.0), ({"k": "many"}, 2.0), ({"k": "nan"}, 2.0), ({"k": "99"}, 5.0), ({"k": "1"}, 1.2)],
)
def test_a_wrong_k_is_put_right(query: dict[str, object], k: float) -> None:
    assert PageState.from_query(query | {"round": "-1"}, DEFAULTS).options == ChartOptions(k=k)


def test_before_the_first_click_the_first_point_beyond_saturation_is_shown(sweep: Sweep) -> None:
    data = collect(sweep, {}, PLATEAU)
    assert most_telling_run(data, PLATEAU) == BREAKS
    selection = restore_selection(sweep, data, state())
    assert selection == {"run": BREAKS, "round": sweep[BREAKS].representative_round(), "n_rounds": 200}


def test_without_a_saturation_point_the_slowest_point_is_shown(sweep: Sweep) -> None:
    assert most_telling_run(collect(sweep, {"rate": ["1", "1.5", "3"]}, PLATEAU), PLATEAU) == "fifo_3.0_s0"


def test_a_query_selects_run_and_round(sweep: Sweep) -> None:
    data = collect(sweep, {}, PLATEAU)
    chosen = restore_selection(sweep, data, state(selected_run="fifo_1.0_s0", round_index=7))
    assert chosen == {"run": "fifo_1.0_s0", "round": 7, "n_rounds": 200}


@pytest.mark.parametrize("state", [state(selected_run="gone"), state(selected_run=BREAKS, round_index=10_000)])
def test_an_unknown_run_or_round_falls_back(sweep: Sweep, state: PageState) -> None:
    assert restore_selection(sweep, collect(sweep, {}, PLATEAU), state) == select(sweep, BREAKS)


def test_all_seeds_of_a_point_can_be_chosen(sweep: Sweep) -> None:
    options = seed_options(collect(sweep, {}, PLATEAU), "fifo_4.0_s1")
    assert [(o["label"], o["value"]) for o in options] == [("seed 0", BREAKS), ("seed 1", "fifo_4.0_s1")]
    assert seed_options(collect(sweep, {}, PLATEAU), None) == []


def test_every_point_can_be_chosen_without_a_click(sweep: Sweep) -> None:
    data = collect(sweep, {}, PLATEAU)
    options = {option["label"]: option["value"] for option in point_options(data)}
    assert list(options) == [f"fifo multi at {rate} jph" for rate in ("1", "1.5", "3", "4")]
    assert options["fifo multi at 4 jph"] == point_choice(data, "fifo_4.0_s1") == BREAKS
    assert point_choice(data, "gone") is None


def test_filters_restrict_the_runs_but_not_the_look(sweep: Sweep) -> None:
    data = collect(sweep, {"run": ["fifo_1.0_s0", "fifo_4.0_s1"]}, PLATEAU)
    assert data.curves["runs"].tolist() == ["fifo_1.0_s0", "fifo_4.0_s1"]
    assert data.styles == collect(sweep, {}, PLATEAU).styles
    assert csv_query({"run": ["a b", "c"]}, k=2) == "?run=a+b&run=c&k=2"


def test_the_panel_says_what_the_round_held(sweep: Sweep) -> None:
    texts = describe(sweep, collect(sweep, {}, PLATEAU), {"run": BREAKS, "round": 20, "n_rounds": 200})
    assert "6 of 6 window jobs completed" in text_of(texts.heading)
    assert "Round 20" in text_of(texts.round_heading)
    assert "measurement" in text_of(texts.round_heading)
    queue = sweep[BREAKS].queue_table(20)
    assert f"{len(queue)}  queued" in text_of(texts.facts)
    assert texts.why_no_rounds is None
    assert texts.cluster_href == f"/cluster?run={BREAKS}&round=20"


def test_the_panel_draws_the_round(sweep: Sweep) -> None:
    jobs, heatmap = draw_round(sweep[BREAKS], 20, "dark")
    assert jobs["layout"]["shapes"][-1]["x0"] == pytest.approx(2.0)
    assert heatmap["data"][0]["type"] == "heatmap"


def test_a_run_from_a_table_says_that_it_has_no_rounds(tmp_path: Path) -> None:
    table = "name,policy,jobs_per_hr,runtime_sec,jct_sec,utilization,saturated\n"
    rows = [f"fifo_{rate}jph_multi_s0,fifo,{rate},1,{jct},50,False\n" for rate, jct in ((1, 36000), (2, 72000))]
    (tmp_path / "results.csv").write_text(table + "".join(rows))
    sweep = open_sweep(tmp_path)
    data = collect(sweep, {}, PLATEAU)
    selection = restore_selection(sweep, data, state())
    assert selection == {"run": "fifo_2jph_multi_s0", "round": None, "n_rounds": 0}
    texts = describe(sweep, data, selection)
    assert texts.why_no_rounds is not None
    assert "results table only" in texts.why_no_rounds
    assert texts.cluster_href == "/cluster?run=fifo_2jph_multi_s0"


def test_the_table_holds_the_numbers_of_the_chart(sweep: Sweep) -> None:
    data = collect(sweep, {}, PLATEAU)
    assert f"{data.saturation['estimate_jph'].iloc[1]:.2f}" in text_of(build_table(data, PLATEAU))
    assert "plateau factor" in text_of(build_table(data, PLATEAU))


def test_what_is_not_reached_is_said_in_words(sweep: Sweep) -> None:
    notes = notes_of(collect(sweep, {"rate": ["1", "1.5", "3"]}, PLATEAU), PLATEAU)
    assert "Not reached within the swept rates (plateau factor): fifo multi > 3 jph." in notes


def test_the_page_of_an_empty_choice_says_so_and_keeps_its_ids(sweep: Sweep) -> None:
    page = saturation.layout(sweep, run="gone")
    assert "None of the 5 runs passes the filters." in text_of(page)
    assert ids_of_callbacks(sweep) <= ids_of(page) | {"theme", "node-sizes", *LIVE_STORES}


def test_the_layout_needs_no_query(sweep: Sweep) -> None:
    assert ids_of_callbacks(sweep) <= ids_of(saturation.layout(sweep)) | {"theme", "node-sizes", *LIVE_STORES}


def ids_of(page: Component) -> set[str]:
    ids = (getattr(component, "id", None) for component in page._traverse() if isinstance(component, Component))
    return {id for id in ids if isinstance(id, str)}


def ids_of_callbacks(sweep: Sweep) -> set[str]:
    app = Dash("test")
    saturation.register_callbacks(app, sweep)
    dependencies = [dep for callback in app._callback_list for dep in (*callback["inputs"], *callback["state"])]
    outputs = [part for callback in app._callback_list for part in callback["output"].strip(".").split("...")]
    ids = {dep["id"] for dep in dependencies} | {output.rsplit(".", 1)[0] for output in outputs}
    return {id for id in ids if not id.startswith("{")}  # the step buttons match by a pattern


def test_runs_without_a_rate_say_what_is_missing(tmp_path: Path) -> None:
    write_run(tmp_path / "x.viz.bin")
    sweep = open_sweep(tmp_path)
    assert "at which arrival rate" in why_empty(sweep.runs(), 1)
    assert "at which arrival rate" in text_of(saturation.layout(sweep))


def test_a_patched_figure_has_no_ranges() -> None:
    patch = keep_zoom({"data": [], "layout": {"height": 3, "xaxis": {"range": [0, 1], "color": "red"}}})
    assert isinstance(patch, Patch)
    operations = {tuple(op["location"]): op["params"]["value"] for op in patch.to_plotly_json()["operations"]}
    assert operations == {("data",): [], ("layout", "height"): 3, ("layout", "xaxis", "color"): "red"}


def test_every_run_behind_a_point_can_be_chosen(tmp_path: Path) -> None:
    # An unconverted log whose mean JCT a results table knows is a point of its curve, so it must be a choice too.
    name = "fig10_las_2.0jph_multi_s0"
    (tmp_path / name).mkdir()
    log = tmp_path / name / "simulation.log"
    log.write_text("scheduler:INFO [0] Running scheduler\n")
    os.utime(log, (0, 0))  # nobody writes to it any more
    (tmp_path / "results.csv").write_text(f"name,policy,jobs_per_hr,jct_sec\n{name},las,2.0,36000\n")
    data = collect(open_sweep(tmp_path), {}, PLATEAU)
    assert data.curves["runs"].tolist() == [name]
    assert data.runs["run"].tolist() == [name]
    assert not data.runs["has_rounds"].any()
