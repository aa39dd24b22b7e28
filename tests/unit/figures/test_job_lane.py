"""The chart of one job's life."""

from __future__ import annotations

import base64

import numpy as np

from gavel_dash.analysis.job_life import Stretch
from gavel_dash.analysis.phases import Phases
from gavel_dash.figures.job_lane import MOST_MARKS, build_job_lane, lay_out_rows, unmarked_events

TYPES = np.array([0, 0, 1])
LIFE = [
    Stretch(2, 4, "waiting", "arrived"),
    Stretch(4, 6, "running", "started", (0, 1)),
    Stretch(6, 7, "running", "migrated", (0,)),
    Stretch(7, 8, "preempted", "preempted"),
    Stretch(8, 9, "running", "migrated to other types", (2,)),
]
EDGES_H = np.arange(11) * 0.5
ROWS = lay_out_rows(LIFE, ["k80", "v100"], TYPES, 1)


def draw(phases: Phases | None = None, index: int = 5) -> dict:
    return build_job_lane(LIFE, ROWS, TYPES, 1, EDGES_H, phases, index, "light")


def x_of(trace: dict, key: str = "x") -> np.ndarray:
    return np.frombuffer(base64.b64decode(trace[key]["bdata"]))


def test_rows_are_states_types_and_the_gpus_it_held() -> None:
    assert ROWS.names == ("waiting", "preempted", "on k80", "on v100", "k80 0", "k80 1", "v100 2")
    assert ROWS.middle(3) + 1.5 == ROWS.middle(4) == ROWS.bottom - 2.5


def test_blocks_cover_the_hours_of_a_row_and_adjoining_ones_are_one() -> None:
    blocks = [trace for trace in draw()["data"] if trace.get("fill") == "toself"]
    assert len(blocks) == len(ROWS.names)
    spans = [(x_of(b)[0::6].tolist(), x_of(b)[2::6].tolist()) for b in blocks]
    assert spans[0] == ([1.0], [2.0])
    assert spans[2] == ([2.0], [3.5])  # two stretches on k80
    assert spans[5] == ([2.0], [3.0])
    assert spans[6] == ([4.0], [4.5])


def test_every_stretch_can_be_pointed_at_and_every_event_has_a_sign_with_its_word() -> None:
    data = draw()["data"]
    texts = [text for trace in data if trace["type"] == "bar" for text in trace["hovertext"]]
    assert len(texts) == len(LIFE)
    assert "GPUs 0, 1" in next(text for text in texts if "started" in text)
    signs = {trace["name"]: trace["marker"]["symbol"] for trace in data if trace.get("mode") == "markers"}
    assert len(set(signs.values())) == 4
    assert "preempted 1×" in signs


def test_the_last_trace_is_the_moment_and_phases_are_shaded() -> None:
    figure = draw(Phases(3, 7))
    assert figure["data"][-1]["x"] == [2.5, 2.5]
    shades = [shape for shape in figure["layout"]["shapes"] if shape["type"] == "rect"]
    assert [round(shape["x1"], 2) for shape in shades[:2]] == [1.5, 3.5]
    assert [a["text"] for a in figure["layout"]["annotations"]] == ["warm-up", "measurement", "cool-down"]
    assert not [shape for shape in draw()["layout"]["shapes"] if shape["type"] == "rect"]


def test_of_too_many_events_the_first_is_marked_and_they_are_counted() -> None:
    moves = [Stretch(10 + i, 11 + i, "running", "migrated", (i % 2,)) for i in range(MOST_MARKS + 1)]
    edges_h = np.arange(12 + len(moves)) * 0.5
    figure = build_job_lane(LIFE[:2] + moves, ROWS, TYPES, 1, edges_h, None, 5, "light")
    marks = {trace["name"]: len(x_of(trace)) for trace in figure["data"] if trace.get("mode") == "markers"}
    assert marks == {"started 1×": 1, f"migrated {len(moves):,}× (first only)": 1}
    assert unmarked_events(LIFE[:2] + moves) == {"migrated": len(moves)}
    assert unmarked_events(LIFE[:2] + moves[:-1]) == {}
