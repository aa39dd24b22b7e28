"""Fragmentation of a sweep against arrival rate or demand: means over runs, then over seeds.

Definitions: FGD (Weng et al., "Beware of Fragmentation", ATC 2023), for whole GPUs; see `analysis.fragmentation`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from gavel_dash import schema
from gavel_dash.analysis.curves import CURVE_KEY, in_curve_order, mean_interval, per_seed
from gavel_dash.analysis.stability import CONFIDENCE
from gavel_dash.errors import UsageError
from gavel_dash.schema.fragmentation import FRAGMENTATION_MEASURES, fragmentation_curve_columns

#: By name, in the order of the menu.
MEASURES: dict[str, schema.Column] = {column.name: column for column in FRAGMENTATION_MEASURES}
#: What curves are drawn against.
RATE, DEMAND = "rate", "demand"
#: Stretches of demand are this wide; all demand from `DEMAND_END` on is one.
DEMAND_STEP, DEMAND_END = 0.1, 2.0
N_BINS = round(DEMAND_END / DEMAND_STEP) + 1


#: The columns of a point that do not come from its seeds, and the value of each seed.
_Point = tuple[dict[str, object], np.ndarray]


def fragmentation_measure(name: str) -> schema.Column:
    """The measure of that name; raises `UsageError` with the names there are."""
    if name not in MEASURES:
        raise UsageError(f"no measure is named {name!r}; there are {', '.join(MEASURES)}")
    return MEASURES[name]


@dataclass(frozen=True)
class RunMeans:
    """Sums of every measure over the measurement phase of a run, split by demand.

    Attributes
    ----------
    sums : ndarray of float, shape (len(MEASURES), N_BINS + 1)
        The last column is of rounds whose demand is not known.
    counts : ndarray of int, same shape
        Rounds with a value.
    is_whole_run : bool
        Whether no measurement phase is known and the means are over all rounds.
    """

    sums: np.ndarray
    counts: np.ndarray
    is_whole_run: bool

    def mean(self, measure: str) -> float:
        """Mean over the rounds that have a value; NaN where none has."""
        row = list(MEASURES).index(measure)
        n = self.counts[row].sum()
        return float(self.sums[row].sum() / n) if n else float("nan")

    def n_rounds(self, measure: str) -> int:
        """Rounds with a value."""
        return int(self.counts[list(MEASURES).index(measure)].sum())


def average_rounds(values: Mapping[str, np.ndarray], start: int, stop: int, is_whole_run: bool = False) -> RunMeans:
    """Sum the measures over the records ``[start, stop)`` of a run.

    Parameters
    ----------
    values : mapping
        As `measure_rounds` returns them.
    """
    part = slice(start, stop)
    demand = values["demand"][part]
    unknown = np.isnan(demand)
    # The tiny addition keeps a demand of exactly 0.3 in the stretch from 0.3.
    bins = np.floor(np.where(unknown, 0, demand) / DEMAND_STEP + 1e-9).astype(np.int64).clip(0, N_BINS - 1)
    bins[unknown] = N_BINS
    sums, counts = np.zeros((len(MEASURES), N_BINS + 1)), np.zeros((len(MEASURES), N_BINS + 1), np.int64)
    for row, name in enumerate(MEASURES):
        column = values[name][part]
        said = ~np.isnan(column)
        sums[row] = np.bincount(bins[said], column[said], N_BINS + 1)
        counts[row] = np.bincount(bins[said], minlength=N_BINS + 1)
    return RunMeans(sums, counts, is_whole_run)


def complete_curves(runs: pd.DataFrame, done: Mapping[str, object]) -> list[str]:
    """Curves of which every run is in `done`."""
    pending = set(runs["curve"][~runs["run"].isin(set(done))])
    return [curve for curve in runs["curve"].unique() if curve not in pending]


def summarize_fragmentation(
    runs: pd.DataFrame,
    means: Mapping[str, RunMeans],
    measure: schema.Column,
    by: str = RATE,
    confidence: float = CONFIDENCE,
) -> pd.DataFrame:
    """A measure per curve and arrival rate, or stretch of demand: mean over seeds with a Student-t interval.

    A seed's value is the mean over its rounds; against demand the rounds of all rates of a seed are pooled, as one
    seed is one sample.

    Parameters
    ----------
    runs : DataFrame with the columns of `schema.RUNS` and `curve`
    means : mapping of run name to RunMeans
        Runs that are not in it are left out.
    by : "rate" or "demand"

    Returns
    -------
    DataFrame with the columns `fragmentation_curve_columns(measure, by == "demand")`.
    """
    if by not in (RATE, DEMAND):
        raise UsageError(f"fragmentation can be drawn by {RATE} or by {DEMAND}, not by {by!r}")
    computed = runs[runs["run"].isin(set(means))]
    points = _by_demand(computed, means, measure) if by == DEMAND else _by_rate(computed, means, measure)
    low, high = schema.interval_names(measure.name)
    rows = []
    for point, values in points:
        ends = dict(zip((low, high), mean_interval(values, confidence), strict=True))
        of_seeds = {"n_seeds": len(values), measure.name: float(values.mean()), "confidence": confidence}
        rows.append({**point, **of_seeds, **ends})
    return in_curve_order(schema.build_frame(rows, fragmentation_curve_columns(measure, by == DEMAND)))


def _by_rate(runs: pd.DataFrame, means: Mapping[str, RunMeans], measure: schema.Column) -> list[_Point]:
    values = {name: means[name].mean(measure.name) for name in runs["run"]}
    rounds = {name: means[name].n_rounds(measure.name) for name in runs["run"]}
    runs = runs.assign(value=runs["run"].map(values), value_rounds=runs["run"].map(rounds))
    runs = runs[runs["value"].notna() & runs["arrival_rate_jph"].notna()]
    return [
        ({**_point(key[:-1], group, group["value_rounds"]), "arrival_rate_jph": key[-1]}, per_seed(group, "value"))
        for key, group in runs.groupby(["curve", *CURVE_KEY, "arrival_rate_jph"], dropna=False, sort=True)
    ]


def _by_demand(runs: pd.DataFrame, means: Mapping[str, RunMeans], measure: schema.Column) -> list[_Point]:
    row = list(MEASURES).index(measure.name)
    points = []
    for key, group in runs.groupby(["curve", *CURVE_KEY], dropna=False, sort=True):
        sums = np.stack([means[name].sums[row] for name in group["run"]])
        counts = np.stack([means[name].counts[row] for name in group["run"]])
        seeds = group["seed"].astype("object").where(group["seed"].notna(), group["run"])
        for place in np.flatnonzero(counts[:, :N_BINS].sum(axis=0)):
            pooled = pd.DataFrame({"sum": sums[:, place], "n": counts[:, place]}, index=group.index)
            with_value = pooled["n"] > 0
            by_seed = pooled[with_value].groupby(seeds[with_value], sort=False).sum()
            stretch = {
                "demand_low": round(place * DEMAND_STEP, 9),
                "demand_high": np.nan if place == N_BINS - 1 else round((place + 1) * DEMAND_STEP, 9),
            }
            point = _point(key, group[with_value], pooled["n"][with_value])
            points.append(({**point, **stretch}, (by_seed["sum"] / by_seed["n"]).to_numpy(float)))
    return points


def _point(key: tuple[object, ...], runs: pd.DataFrame, n_rounds: pd.Series) -> dict[str, object]:
    ordered = runs["run"].iloc[np.argsort(-n_rounds.to_numpy(), kind="stable")]
    return {
        **dict(zip(["curve", *CURVE_KEY], key, strict=True)),
        "n_runs": len(runs),
        "n_rounds": int(n_rounds.sum()),
        "runs": " ".join(ordered),
    }
