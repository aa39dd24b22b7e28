"""The panel of pairs without a browser: ratios, what explains them in words and numbers, and what is missing."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from dash import Dash

from gavel_dash import schema
from gavel_dash.analysis.blocked_demand import Contention, QueuedDemand
from gavel_dash.analysis.pairs import Work
from gavel_dash.analysis.saturation import PLATEAU_FACTOR
from gavel_dash.figures.saturation import ChartOptions, SaturationData
from gavel_dash.pages.saturation.data import collect
from gavel_dash.pages.saturation.pairs_content import RunFacts, explain, limits, pairs_table, read_facts
from gavel_dash.pages.saturation.pairs_panel import (
    build_explanations,
    build_pairs_panel,
    build_ratios,
    pairs_href,
    point_text,
    ratio_text,
    register_pairs,
)
from gavel_dash.pages.saturation.state import DEFAULTS
from gavel_dash.schema import build_frame
from gavel_dash.sweep import Sweep, open_sweep
from tests.make import write_run
from tests.unit.pages.test_saturation import text_of

#: Rate and rounds a job runs: mean JCT is far above twice the plateau at the highest rate only.
POINTS = {"single": [(2.0, 5), (3.0, 5), (6.0, 6), (8.0, 20)], "multi": [(1.0, 5), (1.5, 5), (3.0, 8), (4.0, 20)]}


def write_curve(directory: Path, setting: str, policy: str = "fifo") -> None:
    for rate, length in POINTS[setting]:
        experiment = {"policy": policy, "setting": setting, "arrival_rate_jph": rate, "seed": 0}
        write_run(directory / f"{policy}_{setting}_{rate}.viz.bin", experiment, length=length, n_rounds=200)


@pytest.fixture(scope="module")
def sweep(tmp_path_factory: pytest.TempPathFactory) -> Sweep:
    directory = tmp_path_factory.mktemp("sweep")
    for setting in POINTS:
        write_curve(directory, setting)
    return open_sweep(directory)


@pytest.fixture(scope="module")
def data(sweep: Sweep) -> SaturationData:
    return collect(sweep, {}, ChartOptions())


ONE_WAITS = (QueuedDemand(1, 1.0, 1.0, None, 0.0),)


def facts(
    gpu_hours: float, n_completed: int, queued: tuple[QueuedDemand, ...] = ONE_WAITS, n_gpus: int = 100, **more: Any
) -> RunFacts:
    """A run of 100 hours."""
    seen = {"n_waiting": 10, "free_gpus": 3.0, "free_while_waiting": 0.5, "knows_nodes": False, **more}
    contention = Contention(n_rounds=20, free_by_type={}, queued=queued, **seen)
    return RunFacts("run", Work(100.0, n_gpus, gpu_hours, n_completed, 1.0), contention)


def test_a_pair_shows_both_points_and_their_ratio(data: SaturationData) -> None:
    rows = data.saturation[data.saturation["method"] == PLATEAU_FACTOR].set_index("setting")["estimate_jph"]
    text = text_of(build_ratios(data, PLATEAU_FACTOR))
    for number in (rows["single"], rows["multi"], rows["single"] / rows["multi"]):
        assert f"{number:.2f}" in text
    assert "the single-GPU and the multi-GPU point has none" in text


def test_the_explanation_names_the_runs_nearest_to_saturation(sweep: Sweep, data: SaturationData) -> None:
    (explanation,) = build_explanations(data, PLATEAU_FACTOR, lambda run: read_facts(sweep, run))
    text = text_of(explanation)
    assert "Single-GPU: fifo_single_6.0; multi-GPU: fifo_multi_3.0" in text
    assert re.search(r"single-GPU throughput is \d\.\d\d times multi-GPU throughput", text)
    assert "No placement constraint is known" in text


def test_the_table_for_csv_holds_what_the_panel_shows(sweep: Sweep, data: SaturationData) -> None:
    table = pairs_table(sweep, data, PLATEAU_FACTOR)
    assert table.columns.tolist() == schema.names(schema.PAIRS)
    row = table.iloc[0]
    assert (row["single_run"], row["multi_run"], row["multi_run_rate_jph"]) == ("fifo_single_6.0", "fifo_multi_3.0", 3)
    known = read_facts(sweep, "fifo_multi_3.0")
    assert isinstance(known, RunFacts)
    assert row["multi_gpu_hours_per_job"] == known.work.gpu_hours_per_job
    assert known.contention.n_waiting > 0
    assert row["multi_free_gpus"] == known.contention.free_gpus
    assert row["multi_queued"] == pytest.approx(row["multi_queued_no_gpus"] + row["multi_queued_could_start"])
    assert row[["multi_queued_scattered"]].isna().all()  # no node size is known: not 0
    # Nobody waits in the single-GPU run: there is nothing to take a mean of.
    assert row[["single_free_gpus", "single_queued", "single_queued_no_gpus"]].isna().all()
    assert row["throughput_ratio"] == pytest.approx(row["gpu_hours_factor"] * row["occupancy_factor"])


def test_the_sentence_says_which_factor_it_is() -> None:
    # Throughput 4 against 2; the multi-GPU job takes 40 GPU-hours instead of 20; occupancy is 80% in both.
    assert explain(facts(8000, 400), facts(8000, 200)).startswith(
        "In these runs single-GPU throughput is 2.00 times multi-GPU throughput, mostly through the GPU-hours per job. "
        "A multi-GPU job takes 2.00 times the GPU-hours (multi 40.0, single 20.0): 100% of the factor. "
        "Occupancy is 80.0% (multi) and 80.0% (single): 0% of the factor."
    )
    # The same demand per job, but half of the GPUs stay free: the words follow the numbers.
    text = explain(facts(8000, 400), facts(4000, 200))
    assert "mostly through occupancy" in text
    assert "Occupancy is 40.0% (multi) and 80.0% (single): 100% of the factor." in text
    # Demand alone would make it more than it is.
    assert "Occupancy is 90.0% (multi) and 45.0% (single): against the factor" in explain(
        facts(4500, 400), facts(9000, 200)
    )


def test_another_cluster_is_a_factor_of_its_own() -> None:
    text = explain(facts(8000, 400, n_gpus=200), facts(8000, 200))
    assert "The clusters have 100 (multi) and 200 (single) GPUs: 100% of the factor." in text


def test_equal_throughputs_leave_nothing_to_explain() -> None:
    assert "there is no factor to explain" in explain(facts(8000, 400), facts(8000, 399))


def test_nothing_completed_gives_no_factor() -> None:
    assert "no throughput to compare" in explain(facts(8000, 400), facts(8000, 0))


def test_the_queue_is_told_by_what_stands_in_its_way() -> None:
    split = (QueuedDemand(1, 1.0, 0.0, 0.0, 1.0), QueuedDemand(8, 3.0, 2.0, 1.0, 0.0))
    text = explain(facts(8000, 400), facts(8000, 200, split, knows_nodes=True))
    assert "of the 4.0 queued jobs 50% find no GPU type with enough free GPUs, 25% find enough, but on no one" in text
    assert "3.0 of 100 GPUs are free on average (3.0 in the single-GPU run)" in text
    unknown = (QueuedDemand(8, 3.0, 2.0, None, 1.0),)
    assert "but on no one node" not in explain(facts(8000, 400), facts(8000, 200, unknown))
    assert "no job waits" in explain(facts(8000, 400), facts(8000, 200, n_waiting=0))


def test_a_split_without_node_sizes_is_said() -> None:
    assert "No placement constraint" in limits(facts(1, 1), facts(1, 1))
    assert "No placement constraint" not in limits(facts(1, 1), facts(1, 1, knows_nodes=True))


@pytest.mark.parametrize(
    ("columns", "texts"),
    [
        ({"status": "estimated", "ratio": 2.0}, ("2.00", "no interval")),
        (
            {"status": "estimated", "ratio": 2.0, "ratio_low": 1.9, "ratio_high": 2.1, "ratio_from": "intervals"},
            ("2.00", "[1.90, 2.10]"),
        ),
        (
            {"status": "estimated", "ratio": 2.0, "ratio_low": 1.9, "ratio_from": "brackets"},
            ("2.00", "1.90 to …"),
        ),
        # Rounded so that the bound stays true.
        ({"status": "more than", "ratio_low": 1.999}, ("> 1.99", "single not reached")),
        ({"status": "less than", "ratio_high": 1.991}, ("< 2.00", "multi not reached")),
        ({"status": "less than", "ratio_high": 6.4 / 3.2}, ("< 2.00", "multi not reached")),
        ({"status": "none"}, ("–", "cannot be told")),
    ],
)
def test_a_ratio_in_words(columns: dict[str, Any], texts: tuple[str, str]) -> None:
    assert ratio_text(next(build_frame([columns], schema.PAIRS).itertuples())) == texts


@pytest.mark.parametrize(
    ("values", "texts"),
    [
        ((2.5, float("nan"), float("nan")), ("2.50", "no interval")),
        ((2.5, 2.4, 2.6), ("2.50", "2.40 to 2.60")),
        ((2.5, 2.4, float("nan")), ("2.50", "2.40 to …")),
        ((float("nan"), 3.2, float("nan")), ("> 3.2", "not reached")),
        ((float("nan"),) * 3, ("–", "cannot be told")),
    ],
)
def test_a_point_in_words(values: tuple[float, float, float], texts: tuple[str, str]) -> None:
    assert point_text(*values) == texts


def test_one_setting_alone_has_no_pair(tmp_path: Path) -> None:
    write_curve(tmp_path, "single")
    data = collect(open_sweep(tmp_path), {}, ChartOptions())
    assert "Only single-GPU runs here: there is no pair." in text_of(build_ratios(data, PLATEAU_FACTOR))
    assert build_explanations(data, PLATEAU_FACTOR, pytest.fail) == []


def test_policies_that_do_not_match_have_no_pair(tmp_path: Path) -> None:
    write_curve(tmp_path, "single", "fifo")
    write_curve(tmp_path, "multi", "las")
    data = collect(open_sweep(tmp_path), {}, ChartOptions())
    assert "No policy has both" in text_of(build_ratios(data, PLATEAU_FACTOR))


def test_a_curve_without_a_partner_is_named(tmp_path: Path) -> None:
    for setting in POINTS:
        write_curve(tmp_path, setting)
    write_curve(tmp_path, "multi", "las")
    data = collect(open_sweep(tmp_path), {}, ChartOptions())
    assert "Without a partner: las" in text_of(build_ratios(data, PLATEAU_FACTOR))


def test_an_empty_choice_says_so(sweep: Sweep) -> None:
    data = collect(sweep, {"run": ["gone"]}, ChartOptions())
    assert "there is no pair" in text_of(build_ratios(data, PLATEAU_FACTOR))


def test_runs_from_a_table_say_that_there_are_no_rounds(tmp_path: Path) -> None:
    rows = ["name,policy,jobs_per_hr,jct_sec"]
    for setting, points in POINTS.items():
        rows += [f"fig9_fifo_{rate}jph_{setting}_s0,fifo,{rate},{36000 * length}" for rate, length in points]
    (tmp_path / "results.csv").write_text("\n".join(rows) + "\n")
    sweep = open_sweep(tmp_path)
    data = collect(sweep, {}, ChartOptions())
    (explanation,) = build_explanations(data, PLATEAU_FACTOR, pytest.fail)
    assert "The multi-GPU curve has no run with rounds to look at." in text_of(explanation)
    (nowhere,) = build_explanations(data, "stability", pytest.fail)
    assert "The single-GPU curve has no saturation point to look at." in text_of(nowhere)
    assert pairs_table(sweep, data, PLATEAU_FACTOR)["ratio"].notna().all()


def test_a_run_that_cannot_be_read_says_why(tmp_path: Path) -> None:
    write_curve(tmp_path, "single")
    write_curve(tmp_path, "multi")
    sweep = open_sweep(tmp_path)
    data = collect(sweep, {}, ChartOptions())
    broken = tmp_path / "fifo_multi_3.0.viz.bin"
    broken.write_bytes(broken.read_bytes()[:300])
    (explanation,) = build_explanations(data, PLATEAU_FACTOR, lambda run: read_facts(sweep, run))
    assert "fifo_multi_3.0: its rounds cannot be read" in text_of(explanation)
    assert pairs_table(sweep, data, PLATEAU_FACTOR)["single_run"].tolist() == ["fifo_single_6.0"]


def test_the_panel_holds_the_ids_of_its_callbacks(sweep: Sweep, data: SaturationData) -> None:
    app = Dash("test")
    register_pairs(app, sweep, lambda filters, controls: data)
    page = build_pairs_panel(data, DEFAULTS)
    ids = {getattr(component, "id", None) for component in page._traverse()}
    outputs = {part.split(".")[0] for c in app._callback_list for part in c["output"].strip(".").split("...")}
    assert outputs == {"saturation-pairs-table", "saturation-pairs-csv", "saturation-pairs-why"}
    assert outputs <= ids


def test_the_address_of_the_csv_keeps_filters_and_controls() -> None:
    href = pairs_href({"policy": ["a b"]}, {**DEFAULTS, "method": PLATEAU_FACTOR, "k": 3.0})
    assert href == "/api/pairs.csv?policy=a+b&method=plateau_factor&k=3.0&confidence=0.95"
