"""What the Gantt says about a run, against the run's own rounds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from dash import Patch, no_update

from gavel_dash.pages.jobs import gantt_answers, gantt_content
from gavel_dash.pages.jobs.gantt_content import Asked
from gavel_dash.pages.jobs.gantt_panel import build_gantt
from gavel_dash.pages.selection import Selection
from gavel_dash.sweep import Run, Sweep, open_sweep
from tests.make import write_run

NAME = "fig9_fifo_1.0jph_multi_s0"


@pytest.fixture(scope="module")
def sweep(tmp_path_factory: pytest.TempPathFactory) -> Sweep:
    folder = tmp_path_factory.mktemp("gantt")
    write_run(folder / f"{NAME}.viz.bin")
    write_run(folder / "fig9_fifo_1.0jph_multi_s1.viz.bin", n_rounds=30, every=1)
    return open_sweep(folder)


@pytest.fixture
def run(sweep: Sweep) -> Run:
    return sweep[NAME]


def asked(x: list[float] | None = None, y: list[float] | None = None, width: float = 1000) -> Asked:
    return {"run": NAME, "x": x, "y": y, "width": width}


def test_a_round_of_one_gpu_in_words(run: Run) -> None:
    held = np.argwhere(run.viz.allocations() >= 0)
    record, gpu = held[len(held) // 2].tolist()
    view = gantt_content.view_of(run, asked())
    band = next(b for b in reversed(view.grid.bands) if b.first_gpu <= gpu)
    lines = gantt_content.tell_cell(run, asked(), record + 0.5, view.lane_top(band, gpu) + 0.5, None)
    job = int(run.allocation(record)[gpu])
    column = run.viz.allocations()[:, gpu]
    since, until = record, record
    while since > 0 and column[since - 1] == job:
        since -= 1
    while until + 1 < run.n_rounds and column[until + 1] == job:
        until += 1
    assert lines[0] == f"Job {job}"
    assert f"scale factor {1 + job % 3}" in lines[1]
    assert lines[2] == f"GPU {gpu} ({band.name.upper()} {gpu - band.first_gpu})"
    assert lines[-1] == (
        f"holds it from round {since} to round {until}: {record - since} rounds before, {until - record} after"
    )


def test_a_stretch_in_words_and_a_click_in_it(run: Run) -> None:
    wide = asked(width=40)  # 60 rounds in 40 columns: two a column
    allocation = run.viz.allocations()
    for record in range(0, run.n_rounds, 2):
        lines = gantt_content.tell_cell(run, wide, record + 1.0, 0.5, None)
        busy = (allocation[record : record + 2, 0] >= 0).mean()
        text = " ".join(lines)
        assert f"{busy:.1%} busy" in text
        picked = gantt_content.pick_cell(run, wide, record + 1.0, 0.5, None)
        assert picked is not None
        assert record <= picked[0] < record + 2
        if busy >= 0.5:
            assert allocation[picked[0], 0] == picked[1]
            assert f"Job {picked[1]}" in lines[0]
        else:
            assert picked[1] is None
            assert lines[0] in ("Idle", "Mostly idle")


def test_there_is_nothing_between_the_bands(run: Run) -> None:
    gap = gantt_content.view_of(run, asked()).grid.bands[0].count + 0.1
    assert gantt_content.tell_cell(run, asked(), 3, gap, None) == []
    assert gantt_content.pick_cell(run, asked(), 3, gap, None) is None
    assert gantt_content.tell_cell(run, asked(), 1e9, 0.5, None) == []


def test_segments_hold_every_occupied_cell_of_the_part(sweep: Sweep, run: Run) -> None:
    for start, stop in ((0, None), (7, 23), (50, 10_000), (30, 10)):
        table = gantt_content.segments_table(sweep, NAME, start, stop)
        assert table["rounds"].sum() == (run.viz.allocations()[start:stop] >= 0).sum()
    table = gantt_content.segments_table(sweep, NAME, 7, 23)
    for row in table.itertuples():
        lane = run.viz.allocations()[row.start_round : row.stop_round, row.gpu]
        assert (lane == row.job_id).all()
        assert len(lane) == row.rounds
        assert row.gpu_type == ("k80" if row.gpu < 4 else "v100")
        assert row.start_time_h == pytest.approx(row.start_round / 10)
    assert table["quarter"].isna().all()


@pytest.mark.parametrize("text", ["", "x", "5", "9-3", "1-2-3", "-", "99999999999999999999999-3", "²-3", "70-80"])
def test_an_address_that_makes_no_sense_is_the_whole_run(run: Run, text: str) -> None:
    view = gantt_content.asked_view(run, text, text)
    assert (view["x"], view["y"]) == (None, None)


def test_an_address_names_what_is_in_view(run: Run) -> None:
    view = gantt_content.asked_view(run, "10-19", "2-5")
    shown = gantt_answers.what_is_shown(run, view)
    assert (shown["rounds"], shown["gpus"]) == ("10-19", "2-5")
    whole = gantt_answers.what_is_shown(run, asked())
    assert (whole["rounds"], whole["gpus"]) == (None, None)


def test_the_same_run_is_patched_and_another_is_a_new_figure(sweep: Sweep) -> None:
    figure, shown, notes, href = gantt_answers.draw(sweep, asked([10, 20]), "category", None, "light", None)
    assert figure["layout"]["xaxis"]["range"] == [10, 20]
    assert href.endswith("/segments.csv?start=10&stop=20")
    assert "one round of one GPU" in str(notes[0])
    again = gantt_answers.draw(sweep, asked([10, 20]), "job", 3, "dark", shown)[0]
    assert isinstance(again, Patch)
    assert "'range'" not in str(again.to_plotly_json())


def test_the_cursor_counts_records_of_the_first_run(sweep: Sweep) -> None:
    names = ["fig9_fifo_1.0jph_multi_s1", NAME]
    where, card, no_job = gantt_answers.place(sweep, names, NAME, 12, None)
    assert where == {"record": 12, "cursor": 12, "n_rounds": 30, "start": sweep[names[0]].representative_round()}
    assert f"/cluster?run={NAME}&round=12" in str(card)
    assert no_job
    assert gantt_answers.place(sweep, names, NAME, 10**8, None)[0]["cursor"] == 29
    assert gantt_answers.place(sweep, names, NAME, None, 4)[0]["record"] is None
    assert f"/job?run={NAME}&job=4" in str(gantt_answers.place(sweep, names, NAME, None, 4)[1])
    assert gantt_answers.place(sweep, [], None, 3, None)[0] is None
    point = {"x": 55.5, "y": 0.5}
    assert gantt_answers.pick(sweep, names, asked(), point, None) == (29, no_update)


def test_no_run_a_missing_run_and_an_unknown_job_are_sentences(sweep: Sweep, run: Run) -> None:
    assert "No run is selected" in str(gantt_answers.draw(sweep, None, "category", None, "light", None)[2])
    missing: Asked = {"run": "nobody", "x": None, "y": None, "width": 500}
    assert "nobody" in str(gantt_answers.draw(sweep, missing, "category", None, "light", None)[2])
    assert "no record" in gantt_content.describe_job(run, 10**6).words
    assert gantt_answers.tell(sweep, None, None, None)[0] is False


@pytest.mark.parametrize("query", [{}, {"gantt": "nobody", "job": "x", "gantt_color": "?", "gantt_gpus": ["a", "b"]}])
@pytest.mark.parametrize("names", [(), (NAME,)])
def test_the_panel_opens_at_any_address(sweep: Sweep, names: tuple[str, ...], query: dict[str, object]) -> None:
    built = build_gantt(sweep, Selection(names), query)
    assert built["jobs-gantt-run"].value == (NAME if names else None)
    assert built["jobs-gantt-job"].data is None
    assert "zoom in on fewer rounds" in built["jobs-gantt-csv"].title
    assert built.children[0].tabIndex == 0
    assert built["jobs-gantt-color"].value == "category"


def test_published_files_say_what_they_do_not_know(data_dir: Path) -> None:
    published = open_sweep(data_dir / "published")
    telemetry = published["fgd_alibaba_mig_fgd_360jph_s0"]
    view: Asked = {"run": telemetry.name, "x": None, "y": None, "width": 800}
    assert "137 of 137 rounds in view the file does not say" in " ".join(gantt_content.notes_of(telemetry, view))
    assert gantt_content.tell_cell(telemetry, view, 20, 3.5, None)[0] == "No allocation data"
    shared = published["sharing_test"]
    view = {"run": shared.name, "x": None, "y": None, "width": 800}
    assert gantt_content.view_of(shared, view).lanes_per_gpu == 4
    table = gantt_content.segments_table(published, shared.name, 100, 400)
    assert table["rounds"].sum() == (shared.viz.lanes(100, 400) > 0).sum()
    assert set(table["quarter"].dropna()) == {0, 1, 2, 3}
