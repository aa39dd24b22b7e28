"""The gain panel without a browser: which pairs, what it says of them, and what it says when there is nothing."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from dash import Dash
from dash.development.base_component import Component

from gavel_dash.errors import UsageError
from gavel_dash.figures.saturation import SaturationData, x_end_of
from gavel_dash.pages.saturation.gain_content import gain_table, paper_error_table
from gavel_dash.pages.saturation.gain_panel import build_gain_panel, draw, gain_href, register_gain, tell, unit_options
from gavel_dash.pages.saturation.state import DEFAULTS, PAPER_ERROR, PERCENT, Controls, options_of
from tests.unit.figures.test_saturation import POINTS, make_data

BASELINE, GAVEL = "fig10 max_min_fairness multi", "fig10 max_min_fairness_perf multi"
SINGLE = "fig9 max_min_fairness single"


@pytest.fixture(scope="module")
def data() -> SaturationData:
    return make_data(POINTS)


def controls(**changed: object) -> Controls:
    return {**DEFAULTS, **changed}


def text_of(component: Any) -> str:
    if component is None or isinstance(component, str | int | float):
        return "" if component is None else str(component)
    if isinstance(component, list | tuple):
        return " ".join(text_of(child) for child in component)
    return text_of(getattr(component, "children", None))


def rows_of_table(table: Component | None) -> list[list[str]]:
    assert table is not None
    return [[text_of(cell) for cell in row.children] for body in table.children[1:] for row in body.children[1:]]


def test_unasked_every_twin_is_compared(data: SaturationData) -> None:
    gains = gain_table(data)
    assert set(zip(gains["of"], gains["against"], strict=True)) == {(GAVEL, BASELINE)}
    assert gains["gain_h"].tolist() == [5.0, 0.0, 17.0]
    content = tell(data, controls())
    assert text_of(content.key).strip() == "Gavel multi against baseline multi"
    assert rows_of_table(content.table)[2] == ["2", "22.0", "39.0", "+17.0", "", "+43.6", "1 of 2"]
    assert "Gavel multi against baseline multi at 2 jph: without a partner: seed 1." in content.notes
    assert "One seed pair per rate: no interval." in content.notes


def test_two_chosen_curves_are_compared_that_way_round(data: SaturationData) -> None:
    assert gain_table(data, BASELINE, GAVEL)["gain_h"].tolist() == [-5.0, 0.0, -17.0]
    table = tell(data, controls(gain_of=BASELINE, gain_against=GAVEL)).table
    assert rows_of_table(table)[0][3:6] == ["−5.0", "", "−33.3"]


def test_the_second_curve_is_the_twin_unless_it_is_chosen(data: SaturationData) -> None:
    assert gain_table(data, BASELINE)["against"].unique().tolist() == [GAVEL]
    assert gain_table(data, GAVEL)["against"].unique().tolist() == [BASELINE]


def test_curves_without_a_rate_in_common_are_said_to_have_none(data: SaturationData) -> None:
    content = tell(data, controls(gain_of=SINGLE, gain_against=GAVEL))
    assert content.table is None
    assert "baseline single against Gavel multi: no arrival rate in common." in content.notes
    assert draw(data, controls(gain_of=SINGLE, gain_against=GAVEL), "light")["data"] == []


@pytest.mark.parametrize(
    ("of", "against", "said"),
    [("gone", "", "no curve named gone"), (GAVEL, "gone", "no curve named gone"), (GAVEL, GAVEL, "two different")],
)
def test_a_wrong_pair_is_one_sentence(data: SaturationData, of: str, against: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        gain_table(data, of, against)
    wrong = controls(gain_of=of, gain_against=against)
    content = tell(data, wrong)
    assert (content.key, content.table, len(content.notes)) == ([], None, 1)
    assert said in content.notes[0].lower()
    assert draw(data, wrong, "dark")["data"] == []


def test_one_curve_has_nothing_to_be_compared_with() -> None:
    alone = make_data(POINTS[:4])
    assert gain_table(alone).empty
    assert gain_table(alone, BASELINE).empty
    assert tell(alone, controls()).notes == ["One curve has nothing to be compared with: show at least two."]


def test_bounds_and_windows_are_marked_in_the_table_and_said() -> None:
    marked = make_data(POINTS, mean_jct_is_lower_bound={0: True}, window={5: "2000:2400"})
    content = tell(marked, controls())
    rows = rows_of_table(content.table)
    assert rows[0][2:4] == ["≥ 20.0", "≥ +5.0"]
    assert rows[1][3] == "+0.0†"
    assert any(note.startswith("↑ hollow") for note in content.notes)
    assert any("(2000:2400 against 600:1000)" in note for note in content.notes)


def test_the_chart_ends_where_the_chart_above_ends(data: SaturationData) -> None:
    for paper in ("0", "1"):
        asked = controls(paper=paper)
        assert draw(data, asked, "light")["layout"]["xaxis"]["range"] == [0, x_end_of(data, options_of(asked))]


def test_against_the_paper_rates_it_does_not_show_are_said(data: SaturationData) -> None:
    # The paper's baseline of figure 10 stops at 2.6 jph.
    far = make_data([*POINTS, ("fig10", "max_min_fairness", "multi", 3.0, 0, 99.0)])
    errors = paper_error_table(far)
    assert errors["arrival_rate_jph"].max() == 3.0, "figure 9 goes on"
    assert 3.0 not in errors.loc[errors["curve"] == BASELINE, "arrival_rate_jph"].tolist()
    content = tell(far, controls(gain_view=PAPER_ERROR))
    assert "Not compared, outside the rates that the paper shows: baseline multi at 3 jph." in content.notes
    assert "mean absolute error" in text_of(content.table)
    assert len(draw(data, controls(gain_view=PAPER_ERROR, gain_unit=PERCENT), "light")["data"]) == 3


def test_without_a_paper_curve_or_mean_jct_there_is_no_error_against_the_paper(data: SaturationData) -> None:
    nameless = make_data(POINTS, figure=dict.fromkeys(range(len(POINTS))))
    with pytest.raises(UsageError, match="none of these curves"):
        paper_error_table(nameless)
    queue = make_data(POINTS, measure="mean_queue", mean_queue=dict.fromkeys(range(len(POINTS)), 1.0))
    asked = controls(measure="mean_queue", gain_view=PAPER_ERROR)
    assert tell(queue, asked).notes == ["The paper's curves are of mean JCT: show mean JCT to compare with them."]
    assert draw(queue, asked, "light")["data"] == []
    assert [option["label"] for option in unit_options(queue)] == ["jobs", "percent"]


def test_the_csv_is_of_what_is_shown() -> None:
    link = urlsplit(gain_href({"figure": ["fig9", "fig10"]}, controls(gain_of=GAVEL)))
    assert link.path == "/api/gain.csv"
    assert parse_qs(link.query) == {
        "figure": ["fig9", "fig10"],
        "confidence": ["0.95"],
        "measure": ["mean_jct_h"],
        "gain_of": [GAVEL],
    }
    assert gain_href({}, controls(gain_view=PAPER_ERROR)) == "/api/paper_error.csv?confidence=0.95"


def test_every_callback_finds_its_ids(data: SaturationData) -> None:
    app = Dash("test")
    register_gain(app, lambda filters, options: data)
    needed = {
        item["id"]
        for callback in app.callback_map.values()
        for item in [*callback["inputs"], *callback["state"]]
        if item["id"].startswith("saturation-gain")
    }
    needed |= {part.split(".")[0] for outputs in app.callback_map for part in outputs.strip(".").split("...")}
    panel = build_gain_panel(data, controls(gain_of="gone", gain_view=PAPER_ERROR))
    present = {getattr(part, "id", None) for part in panel._traverse()}
    assert needed <= present
    assert {f"saturation-gain-{key}" for key in ("of", "against", "unit", "view")} <= present


@pytest.mark.parametrize(("changed", "hides"), [({}, (False, True)), ({"gain_of": GAVEL}, (False, False))])
def test_the_panel_comes_with_its_controls_as_they_were_left(
    data: SaturationData, changed: dict[str, str], hides: tuple[bool, bool]
) -> None:
    panel = build_gain_panel(data, controls(**changed))
    parts = {part.id: part for part in panel._traverse() if getattr(part, "id", None)}
    assert (parts["saturation-gain-pair"].hidden, parts["saturation-gain-second"].hidden) == hides
    assert parts["saturation-gain-of"].value == changed.get("gain_of", "")
    assert parts["saturation-gain-of"].options[0]["label"] == "Gavel against baseline (all pairs)"
    assert [option["value"] for option in parts["saturation-gain-view"].options] == ["gain", "paper_error"]
