"""What the page shows, from a sweep: the filtered curves, and the run and round to look at."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict

from gavel_dash.analysis.curves import select_points
from gavel_dash.analysis.facets import apply_filters
from gavel_dash.analysis.measures import measure_of
from gavel_dash.errors import GavelDashError
from gavel_dash.figures.curve_style import style_curves
from gavel_dash.figures.saturation import ChartOptions, SaturationData, estimated_rows, point_of, rows_of
from gavel_dash.pages.saturation.state import Filters, PageState

if TYPE_CHECKING:
    from gavel_dash.sweep import Sweep


class Selection(TypedDict):
    """The run and record index that are shown; `n_rounds` is 0 and `round` None where the run has no rounds."""

    run: str | None
    round: int | None
    n_rounds: int


def collect(sweep: Sweep, filters: Filters, options: ChartOptions) -> SaturationData:
    """Curves, runs and saturation points of the runs that pass the filters.

    All callbacks of the page need the same: the sweep remembers it, so it must not be changed.
    """
    passing = tuple(sorted((key, tuple(texts)) for key, texts in filters.items()))
    # Other options change how it is drawn, not what is there.
    asked = passing, options.measure, options.k, options.confidence, options.color, options.line
    return sweep.memory.get(("saturation", *asked), lambda: _collect(sweep, filters, options))


def _collect(sweep: Sweep, filters: Filters, options: ChartOptions) -> SaturationData:
    measure, confidence = measure_of(options.measure), options.confidence
    runs = apply_filters(sweep.runs(confidence), filters)
    curves = sweep.curves(runs["run"], options.measure, confidence)
    names = tuple(runs["run"])
    # Another measure has the same points.
    saturation = sweep.memory.get(
        ("saturation points", names, options.k, confidence), lambda: sweep.saturation(options.k, names, confidence)
    )
    runs = select_points(runs)
    groups = runs.groupby(["curve", "arrival_rate_jph"])
    runs = runs.assign(
        n_at_point=groups[measure.name].transform("count"), has_rounds=runs["run"].map(sweep.is_converted).astype(bool)
    )
    # A click on a mean opens its first run that has rounds to look at.
    ordered = runs.sort_values("has_rounds", ascending=False, kind="stable")
    first = ordered.groupby(["curve", "arrival_rate_jph"])["run"].first().rename("first_run").reset_index()
    curves = curves.merge(first, on=["curve", "arrival_rate_jph"], how="left")
    # Styles come from all runs: a filter must not change how a curve looks or is called.
    everything = sweep.memory.get(
        ("saturation styles", options.color, options.line),
        lambda: style_curves(sweep.curves(), options.color, options.line),
    )
    own = style_curves(curves, options.color, options.line)
    styles = {name: everything.get(name, own[name]) for name in own}
    return SaturationData(curves, runs, saturation, styles, measure)


def most_telling_run(data: SaturationData, options: ChartOptions) -> str | None:
    """First run of the first point beyond a saturation estimate, else of the point with the highest mean JCT.

    Runs with rounds are preferred; None where there is no point at all.
    """
    with_rounds = set(data.runs.loc[data.runs["has_rounds"], "run"])
    usable = data.curves[data.curves["first_run"].isin(with_rounds)]
    points = usable if len(usable) else data.curves
    for row in rows_of(estimated_rows(data, options)):
        beyond = points[(points["curve"] == row.curve) & (points["arrival_rate_jph"] >= row.estimate_jph)]
        if len(beyond):
            return str(beyond["first_run"].iloc[0])
    if points.empty:
        return None
    means = data.runs.set_index("run")["mean_jct_h"].reindex(points["first_run"])
    return str(points["first_run"].iloc[int(means.fillna(-1).to_numpy().argmax())])


def select(sweep: Sweep, run: str | None, round_index: int | None = None) -> Selection:
    """Select a run at a record index, or at its representative round; a run without rounds has none."""
    if run is None or run not in sweep:
        return {"run": None, "round": None, "n_rounds": 0}
    try:
        opened = sweep[run]
        n_rounds = opened.n_rounds
        if round_index is None or not 0 <= round_index < n_rounds:
            round_index = opened.representative_round()
    except (GavelDashError, OSError):
        n_rounds = 0
    if n_rounds == 0:
        return {"run": run, "round": None, "n_rounds": 0}
    return {"run": run, "round": round_index, "n_rounds": n_rounds}


def restore_selection(sweep: Sweep, data: SaturationData, state: PageState) -> Selection:
    """The selection a query asks for, or the most telling point where it asks for none that is shown."""
    if state.selected_run in set(data.runs["run"]):
        return select(sweep, state.selected_run, state.round_index)
    return select(sweep, most_telling_run(data, state.options))


def point_options(data: SaturationData) -> list[dict[str, str]]:
    """One choice per point of the charts, for those who do not click: its name, and the run a click on it opens."""
    return [
        {"label": f"{data.styles[row.curve].label} at {row.arrival_rate_jph:g} jph", "value": row.first_run}
        for row in rows_of(data.curves)
    ]


def point_choice(data: SaturationData, run: str | None) -> str | None:
    """The value among `point_options` of the point that holds a run."""
    at = point_of(data, run)
    if at is None:
        return None
    same = (data.curves["curve"] == at[0]) & (data.curves["arrival_rate_jph"] == at[1])
    return str(data.curves.loc[same, "first_run"].iloc[0])


def seed_options(data: SaturationData, run: str | None) -> list[dict[str, str]]:
    """One choice per run of the selected run's point: its label (the seed), the run's name as value and tooltip."""
    chosen = data.runs[data.runs["run"] == run]
    if chosen.empty:
        return []
    row = chosen.iloc[0]
    same = (data.runs["curve"] == row["curve"]) & (data.runs["arrival_rate_jph"] == row["arrival_rate_jph"])
    at_point = data.runs[same].sort_values(["seed", "run"])
    seeds = at_point["seed"]
    named = seeds.notna().all() and seeds.is_unique
    return [{"label": f"seed {r.seed}" if named else r.run, "value": r.run, "title": r.run} for r in rows_of(at_point)]
