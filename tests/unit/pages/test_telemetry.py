"""The Telemetry page without a browser: its query, its lines, what it says, its CSV."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest
from dash import Dash

from gavel_dash.errors import UsageError
from gavel_dash.pages import telemetry
from gavel_dash.pages.telemetry.content import cursor_line, draw, place_cursor, refine
from gavel_dash.pages.telemetry.csv import table
from gavel_dash.pages.telemetry.data import collect, cursor_points, find_cursor, known_fields, read_field
from gavel_dash.pages.telemetry.state import (
    DEFAULTS,
    MULTIPLES,
    Options,
    controls_of,
    csv_href,
    options_of,
    seen_of,
    view_in,
    view_of,
)
from gavel_dash.sweep import Sweep, open_sweep
from gavel_dash.ui import LIVE_STORES
from tests.make import write_run
from tests.unit.pages.test_saturation import text_of

LONG, SHORT = "fifo_1jph_s0", "fifo_2jph_s0"
BOTH = (LONG, SHORT)


@pytest.fixture(scope="module")
def sweep(tmp_path_factory: pytest.TempPathFactory) -> Sweep:
    folder = tmp_path_factory.mktemp("telemetry")
    write_run(folder / f"{LONG}.viz.bin", n_jobs=60, n_rounds=200)
    write_run(folder / f"{SHORT}.viz.bin", n_jobs=60, every=1, n_rounds=120)
    return open_sweep(folder)


def said(sweep: Sweep, options: Options, names: tuple[str, ...] = BOTH) -> str:
    return text_of(draw(sweep, names, options, None, None, "light")[3])


def test_the_layout_works_without_arguments_and_with_nonsense(sweep: Sweep) -> None:
    telemetry.layout(sweep)
    telemetry.layout(
        sweep,
        run=["nobody", LONG],
        x="nonsense",
        y=["a", "b"],
        view="?",
        n="-3",
        window="x",
        smooth="nan",
        round="9" * 40,
        **{"from": "2", "to": "1"},
    )


def test_the_layout_holds_every_id_of_the_callbacks(sweep: Sweep) -> None:
    app = Dash(__name__)
    telemetry.register_callbacks(app, sweep)
    ids = {component.id for component in telemetry.layout(sweep)._traverse() if getattr(component, "id", None)}
    for callback in app._callback_list:
        for part in callback["inputs"] + callback["state"]:
            assert part["id"] in ids | {"theme", *LIVE_STORES}


def test_a_query_and_its_controls_agree() -> None:
    query: dict[str, Any] = {
        "x": "round",
        "y": ["k80_used", "occupancy", "occupancy"],
        "log": "y",
        "n": "7",
        "smooth": "2.5",
    }
    options = options_of(controls_of(query))
    assert options == Options(x="round", y=("k80_used", "occupancy"), log_y=True, jct_completions=7, smooth_h=2.5)
    assert controls_of({}) == DEFAULTS
    assert controls_of({"n": "0", "window": "0", "smooth": "-1", "color": "x"}) == {**DEFAULTS, "n": 1}
    assert view_of({"from": "1", "to": "3"}) == (1, 3)
    assert view_of({"from": "3", "to": "1"}) is None
    assert view_of({"from": "inf", "to": "1"}) is None


def test_a_view_is_one_of_its_field_only() -> None:
    seen = seen_of(Options(), (1.0, 2.0))
    assert view_in(seen, Options()) == (1.0, 2.0)
    assert view_in(seen, Options(x="round")) is None
    assert view_in(None, Options()) is None


def test_lines_are_the_rounds(sweep: Sweep) -> None:
    data = collect(sweep, BOTH, Options(y=("jobs_queued", "v100_used")), None)
    assert [(line.run, line.field) for line in data.lines] == [
        (run, field) for field in ("jobs_queued", "v100_used") for run in BOTH
    ]
    rounds = sweep[SHORT].rounds()
    assert (data.lines[1].y == rounds["jobs_queued"]).all()
    assert (data.lines[3].y == rounds["v100_used"]).all()
    assert data.lines[1].x == pytest.approx(rounds["sim_time_h"])


def test_any_field_can_be_x_and_y(sweep: Sweep) -> None:
    fields = known_fields(sweep, BOTH)
    assert "wall_time_min" not in fields
    for x in fields:
        data = collect(sweep, BOTH, Options(x=x, y=tuple(fields)[:8]), None)
        assert len(data.lines) == 16
        assert draw(sweep, BOTH, Options(x=x, y=(x,), log_x=True, log_y=True, smooth_h=1), None, 5, "dark")[4] is None


def test_unknown_fields_and_empty_choices_are_said(sweep: Sweep) -> None:
    for options, names, words in (
        (Options(x="nonsense"), BOTH, "No field of these runs is named nonsense"),
        (Options(y=()), BOTH, "No field is chosen"),
        (Options(), (), "No run is chosen"),
    ):
        figure, _, _, _, instead = draw(sweep, names, options, None, None, "light")
        assert figure["data"] == []
        assert words in text_of(instead)


def test_notes_name_what_is_not_drawn(sweep: Sweep, tmp_path: Path) -> None:
    assert "first run" in said(sweep, Options())
    assert "goes back and forth" in said(sweep, Options(x="occupancy"))
    assert "has no value in any round" in said(sweep, Options(y=("windowed_completion_rate_jph",), rate_h=1000.0))
    off_axis = said(sweep, Options(y=("jobs_queued",), log_y=True))
    queued = [sweep[name].rounds()["jobs_queued"] for name in BOTH]
    assert f"{sum(int((values <= 0).sum()) for values in queued):,} rounds of Queued have no place" in off_axis


def test_a_run_without_a_field_is_named_not_drawn(sweep: Sweep, monkeypatch: pytest.MonkeyPatch) -> None:
    def without(a_sweep: Sweep, name: str, field: str, options: Options) -> np.ndarray | None:
        return None if (name, field) == (SHORT, "k80_used") else read_field(a_sweep, name, field, options)

    monkeypatch.setattr("gavel_dash.pages.telemetry.data.read_field", without)
    options = Options(y=("k80_used",))
    assert [line.run for line in collect(sweep, BOTH, options, None).lines] == [LONG]
    assert f"k80 used is not drawn for {SHORT}: it has no GPUs of that type." in said(sweep, options)


def test_the_cursor_is_aligned_by_simulated_time(sweep: Sweep) -> None:
    options = Options(y=("jobs_completed",))
    data = collect(sweep, BOTH, options, None)
    points = cursor_points(sweep, data, options, 100)
    for name in BOTH:
        assert points["jobs_completed", name] == (pytest.approx(10.0), sweep[name].rounds()["jobs_completed"][100])
    late = cursor_points(sweep, data, options, 150)
    assert set(late) == {("jobs_completed", LONG)}  # the other has ended
    assert cursor_points(sweep, data, options, 200) == {}
    assert cursor_points(sweep, data, options, None) == {}


def test_a_click_finds_its_record_and_the_first_runs(sweep: Sweep) -> None:
    values = read_field(sweep, SHORT, "sim_time_h", Options())
    assert values is not None
    picked = {"run": SHORT, "field": "jobs_queued", "x": float(np.float32(values[77])), "y": 3}
    assert find_cursor(sweep, BOTH, Options(), picked) == 77
    assert find_cursor(sweep, BOTH, Options(), {**picked, "run": "gone"}) is None


def test_cursor_line_says_where_and_links_there(sweep: Sweep) -> None:
    line = cursor_line(sweep, BOTH, 100)
    assert "Cursor at 10.0 h, round 100 of fifo_1jph_s0" in text_of(line)
    assert "round=100" in line[1].href  # type: ignore[union-attr]
    assert "Click a line" in text_of(cursor_line(sweep, BOTH, 5000))
    assert cursor_line(sweep, (), None) == []


def test_patches_do_not_touch_axes(sweep: Sweep) -> None:
    for options in (Options(), Options(view=MULTIPLES)):
        figure = draw(sweep, BOTH, options, None, 10, "light")[0]
        lines = refine(sweep, BOTH, options, (1.0, 2.0), 10, "light").to_plotly_json()["operations"]
        assert {tuple(step["location"][:2]) for step in lines} == {("data",), ("layout", "annotations")}
        n_cursors = sum(trace["name"] == "cursor" for trace in figure["data"])
        moved = place_cursor(sweep, BOTH, options, None, 11, "light").to_plotly_json()["operations"]
        assert [step["location"] for step in moved] == [
            *(["data", i] for i in range(n_cursors)),
            ["layout", "shapes"],
        ]


def test_fifty_runs_stay_within_the_budget(sweep: Sweep, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gavel_dash.pages.telemetry.data.CHART_POINTS", 200)
    data = collect(sweep, BOTH, Options(), None)
    assert max(len(line.x) for line in data.lines) <= 100
    assert "drawn with up to" in said(sweep, Options())


def test_the_csv_is_what_is_drawn(sweep: Sweep, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gavel_dash.pages.telemetry.data.CHART_POINTS", 100)
    query: dict[str, Any] = {"run": list(BOTH), "y": ["jobs_queued", "gpus_free"]}
    frame = table(sweep, query)
    assert list(frame) == ["run", "round_index", "sim_time_h", "jobs_queued", "gpus_free"]
    for line in collect(sweep, BOTH, Options(y=("jobs_queued", "gpus_free")), None).lines:
        mine = frame[(frame["run"] == line.run) & frame[line.field].notna()]
        assert mine["round_index"].tolist() == line.index.tolist()
        assert mine[line.field].tolist() == line.y.tolist()
    whole = table(sweep, {**query, "points": "all"})
    assert len(whole) == 320
    assert whole["jobs_queued"].notna().all()
    smooth = table(sweep, {**query, "smooth": "3", "x": "round"})
    assert {"round", "jobs_queued_smoothed", "gpus_free_smoothed"} <= set(smooth)


def test_a_bad_csv_query_is_one_clear_error(sweep: Sweep) -> None:
    with pytest.raises(UsageError, match="no run named nobody"):
        table(sweep, {"run": "nobody"})
    with pytest.raises(UsageError, match="named nonsense"):
        table(sweep, {"y": "nonsense"})


def test_the_csv_link_asks_for_what_is_shown() -> None:
    href = csv_href(["a b", "c"], {**DEFAULTS, "smooth": 2.0, "log": ["y"]}, (1.0, 2.0))
    assert href == (
        "/api/telemetry.csv?run=a+b&run=c&x=sim_time_h&y=occupancy&y=jobs_in_system&y=windowed_jct_h"
        "&log=y&smooth=2.0&from=1.0&to=2.0"
    )


def test_figures_are_plain_json(sweep: Sweep) -> None:
    assert orjson.dumps(draw(sweep, BOTH, Options(smooth_h=1.0), (1.0, 3.0), 7, "dark")[0])
