"""Single against multi-GPU jobs of one policy: the ratio of their saturation points, and what it is made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from gavel_dash import schema
from gavel_dash.analysis.jct import SECONDS_PER_HOUR
from gavel_dash.analysis.phases import Phases
from gavel_dash.analysis.saturation import ESTIMATED, NOT_REACHED, beyond_jph

#: What two curves must share to be a pair; their figures differ.
PAIR_KEY = ["policy", "cluster", "placement", "trace"]
SIDES = ("single", "multi")

#: What a pair's `status` can be, and what it means.
RATIO_ESTIMATED, MORE_THAN, LESS_THAN, NO_RATIO = "estimated", "more than", "less than", "none"
FROM_INTERVALS, FROM_BRACKETS = "intervals", "brackets"


def summarize_pairs(saturation: pd.DataFrame, method: str) -> pd.DataFrame:
    """Ratio of the single-GPU to the multi-GPU saturation point of every policy that has both.

    The interval of the ratio:

    - Where either point is only known to lie in a bracket (between a stable and an unstable rate), the quotients of the
      outermost ends, bracket and interval together: a bracket is a bound without a distribution. `ratio_from` says so.
    - Otherwise, from the intervals of the two independent points: on the logarithmic scale the distances to the
      interval's ends add in squares (MOVER; Zou and Donner, "Construction of confidence limits about effect measures",
      Statistics in Medicine 27 (2008), 1693-1702). With log-normal intervals this is their usual propagation.

    A point that was not reached bounds the ratio on one side: the bound is in `ratio_low` (more than) or `ratio_high`
    (less than), and `ratio` is empty.

    Parameters
    ----------
    saturation : DataFrame with the columns of `schema.SATURATION`
        Rows of other methods are left out.
    method : str

    Returns
    -------
    DataFrame with the columns of `schema.PAIRS`, those about single runs empty. A policy with several curves of a
    setting (from several figures) has a row for each combination.
    """
    rows = saturation[(saturation["method"] == method) & saturation["policy"].notna()]
    single, multi = (rows[rows["setting"] == side] for side in SIDES)
    pairs = single.merge(multi, on=PAIR_KEY, suffixes=("_single", "_multi"), sort=False)
    return schema.build_frame([_pair(row, method) for row in pairs.to_dict("records")], schema.PAIRS)


def target_rate(pair: Any, side: str) -> float | None:
    """Where to look for what happens at a saturation point: at the estimate, or the rate it was not reached below.

    `pair` is a row of `schema.PAIRS`; None where there is neither.
    """
    estimate, beyond = getattr(pair, f"{side}_jph"), getattr(pair, f"{side}_low_jph")
    rate = beyond if pd.isna(estimate) else estimate
    return None if pd.isna(rate) else float(rate)


def nearest_run(runs: pd.DataFrame, rate_jph: float) -> str | None:
    """The run nearest to an arrival rate, of the lowest seed; of two equally near ones that at the lower rate.

    The estimate by stability is the middle of its bracket. Its lower end is the run that keeps up, in which the jobs
    that complete are the jobs that arrive: an overloaded scheduler completes more of the small ones.

    Parameters
    ----------
    runs : DataFrame with the columns of `schema.RUNS`
        The runs to choose from; None is returned where there are none.
    """
    if runs.empty:
        return None
    distance = (runs["arrival_rate_jph"] - rate_jph).abs().round(9)  # 4.8 and 5.2 are equally far from 5
    ordered = runs.assign(distance=distance).sort_values(["distance", "arrival_rate_jph", "seed", "run"])
    return str(ordered["run"].iloc[0])


def stretch_after_warm_up(phases: Phases | None, n_rounds: int) -> tuple[int, int]:
    """Records ``[start, stop)`` from the window's first arrival to the end; the second half where there is none."""
    start = n_rounds if phases is None else phases.measurement_start
    return (start if start < n_rounds - 1 else n_rounds // 2), n_rounds


@dataclass(frozen=True)
class Work:
    """What the GPUs of a run did from one record to another.

    Attributes
    ----------
    hours : float, above 0
        Simulated time of the stretch.
    n_gpus : int
    gpu_hours : float
        GPUs in use times simulated hours.
    n_completed : int
        Jobs completed in the stretch.
    mean_scale_factor : float, GPUs
        Of those jobs; NaN where the file does not say.
    """

    hours: float
    n_gpus: int
    gpu_hours: float
    n_completed: int
    mean_scale_factor: float

    @property
    def occupancy(self) -> float:
        """Share of the GPU-hours of the stretch that were in use, fraction."""
        return self.gpu_hours / (self.n_gpus * self.hours) if self.n_gpus else float("nan")

    @property
    def throughput_jph(self) -> float:
        """Completions per hour."""
        return self.n_completed / self.hours

    @property
    def gpu_hours_per_job(self) -> float:
        """GPU-hours in use per completed job; NaN where none completed.

        That is what a job takes where the run keeps up; in an overloaded run it holds work on jobs that did not finish.
        """
        return self.gpu_hours / self.n_completed if self.n_completed else float("nan")


def account_work(
    heads: np.ndarray, gpus_used: np.ndarray, jobs: np.ndarray, n_gpus: int, start: int, stop: int
) -> Work | None:
    """The work of the records ``[start, stop)``; None where no simulated time passes in them.

    Throughput = occupancy x GPUs / (GPU-hours per completed job), exactly: a round lasts until the next one, and the
    last record only ends the stretch.

    Parameters
    ----------
    heads : structured ndarray, shape (n_rounds,), with the fields of a round record
    gpus_used : ndarray of int, shape (n_rounds, n_types), GPUs in use per type
    jobs : structured ndarray, shape (n_jobs,), the job records of a run
    n_gpus : int
    """
    time_h = heads["sim_time_s"][start:stop].astype(float) / SECONDS_PER_HOUR
    if len(time_h) < 2 or time_h[-1] <= time_h[0]:
        return None
    numbers, completed = heads["round"][start:stop], heads["jobs_completed"][start:stop]
    # A completion's round is the last one recorded before it, and the next record is the first to count it.
    done = jobs["completed"] & (jobs["completion_round"] >= numbers[0]) & (jobs["completion_round"] < numbers[-1])
    scale_factors = jobs["scale_factor"][done & (jobs["completion_round"] > 0)].astype(float)
    return Work(
        hours=float(time_h[-1] - time_h[0]),
        n_gpus=n_gpus,
        gpu_hours=float(gpus_used[start : stop - 1].sum(axis=1) @ np.diff(time_h)),
        n_completed=int(completed[-1]) - int(completed[0]),
        mean_scale_factor=float(scale_factors.mean()) if scale_factors.all() and len(scale_factors) else float("nan"),
    )


@dataclass(frozen=True)
class Factors:
    """A ratio of throughputs, single over multi, and the factors whose product it is.

    Attributes
    ----------
    throughput : float
        ``demand * occupancy * gpus``.
    demand : float
        GPU-hours per completed job, multi over single.
    occupancy : float
        Occupancy, single over multi.
    gpus : float
        GPUs of the cluster, single over multi: 1 where both ran on the same cluster.
    """

    throughput: float
    demand: float
    occupancy: float
    gpus: float

    def share(self, factor: float) -> float:
        """Part of the logarithm of `throughput` that a factor makes up; the parts of all factors add up to 1."""
        return float(np.log(factor) / np.log(self.throughput))


def factorise(single: Work, multi: Work) -> Factors | None:
    """What makes up the ratio of two throughputs; None where either run completed nothing or used nothing."""
    if not (single.n_completed > 0 and multi.n_completed > 0 and single.gpu_hours > 0 and multi.gpu_hours > 0):
        return None
    return Factors(
        throughput=single.throughput_jph / multi.throughput_jph,
        demand=multi.gpu_hours_per_job / single.gpu_hours_per_job,
        occupancy=single.occupancy / multi.occupancy,
        gpus=single.n_gpus / multi.n_gpus,
    )


@dataclass(frozen=True)
class _Point:
    """One side of a pair: its estimate, and the lowest and highest rate at which it may be.

    `low_jph` and `high_jph` are NaN where nothing bounds it, and `high_jph` is infinite where the interval is open or
    the point was not reached.
    """

    estimate_jph: float
    low_jph: float
    high_jph: float
    is_bracket: bool
    status: str
    note: str

    @classmethod
    def of(cls, row: dict[str, Any], side: str) -> _Point:
        estimate, low, high, bracket_low, bracket_high = (
            float(row[f"{name}_jph_{side}"]) for name in ("estimate", "low", "high", "bracket_low", "bracket_high")
        )
        status = row[f"status_{side}"]
        if status == NOT_REACHED:
            # Rates above the highest stable one may be undecided: the stable one is the bound then.
            low, high = beyond_jph(bracket_low, row[f"highest_rate_jph_{side}"]), np.inf
        elif np.isfinite(low) and np.isnan(high):
            high = np.inf
        is_bracket = status == ESTIMATED and bool(np.isfinite(bracket_low) and np.isfinite(bracket_high))
        if is_bracket:
            low, high = float(np.fmin(low, bracket_low)), float(np.fmax(high, bracket_high))
        note = row[f"note_{side}"]
        return cls(estimate, low, high, is_bracket, status, "" if pd.isna(note) else str(note))

    @property
    def has_interval(self) -> bool:
        return not np.isnan(self.low_jph)


def _pair(row: dict[str, Any], method: str) -> dict[str, Any]:
    points = {side: _Point.of(row, side) for side in SIDES}
    columns: dict[str, Any] = {name: row[name] for name in PAIR_KEY} | {"method": method}
    for side, point in points.items():
        columns |= {
            f"{side}_curve": row[f"curve_{side}"],
            f"{side}_jph": point.estimate_jph,
            f"{side}_low_jph": point.low_jph,
            f"{side}_high_jph": point.high_jph if np.isfinite(point.high_jph) else np.nan,
        }
    single, multi = points["single"], points["multi"]
    if single.status == multi.status == ESTIMATED:
        return columns | _ratio(single, multi)
    if single.status == NOT_REACHED and multi.status == ESTIMATED:
        end = multi.high_jph if multi.has_interval else multi.estimate_jph
        return columns | _bound(MORE_THAN, "ratio_low", single.low_jph / end, points)
    if single.status == ESTIMATED and multi.status == NOT_REACHED:
        end = single.high_jph if single.has_interval else single.estimate_jph
        return columns | _bound(LESS_THAN, "ratio_high", end / multi.low_jph, points)
    return columns | {"status": NO_RATIO, "note": _why_no_point(points)}


def _why_no_point(points: dict[str, _Point]) -> str:
    lacking = {side: point for side, point in points.items() if point.status != ESTIMATED}
    return "; ".join(f"{side}-GPU: {point.note or 'no saturation point'}" for side, point in lacking.items())


def _bound(status: str, column: str, bound: float, points: dict[str, _Point]) -> dict[str, Any]:
    """A ratio that is known on one side only, from a point that was not reached and the other's far end."""
    side, reached = next((side, point) for side, point in points.items() if point.status == ESTIMATED)
    note = _why_no_point(points)
    if not 0 < bound < np.inf:
        return {"status": NO_RATIO, "note": f"{note}; the interval of the {side}-GPU point is open: no bound"}
    if not reached.has_interval:
        end = "its estimate: it has no interval"
    else:
        end = f"the upper end of its {'bracket' if reached.is_bracket else 'interval'}"
    return {"status": status, column: bound, "note": f"{note}; of the {side}-GPU point the bound takes {end}"}


def _ratio(single: _Point, multi: _Point) -> dict[str, Any]:
    ratio = single.estimate_jph / multi.estimate_jph
    columns: dict[str, Any] = {"status": RATIO_ESTIMATED, "ratio": ratio}
    lacking = [side for side, point in zip(SIDES, (single, multi), strict=True) if not point.has_interval]
    if lacking:
        return columns | {
            "note": f"no interval: the {' and the '.join(f'{side}-GPU' for side in lacking)} point has none"
        }
    if min(single.low_jph, multi.low_jph) <= 0:
        return columns | {"note": "no interval: that of a point reaches down to 0"}
    if single.is_bracket or multi.is_bracket:
        source, notes = FROM_BRACKETS, ["interval from the outer ends of brackets"]
        low, high = single.low_jph / multi.high_jph, single.high_jph / multi.low_jph
    else:
        source, notes = FROM_INTERVALS, []
        down = np.hypot(np.log(single.estimate_jph / single.low_jph), np.log(multi.high_jph / multi.estimate_jph))
        up = np.hypot(np.log(single.high_jph / single.estimate_jph), np.log(multi.estimate_jph / multi.low_jph))
        low, high = ratio * np.exp(-down), ratio * np.exp(up)
    if low == 0:
        low, notes = np.nan, [*notes, "open downwards: the multi-GPU interval is open"]
    if np.isinf(high):
        high, notes = np.nan, [*notes, "open upwards: the single-GPU interval is open"]
    return columns | {
        "ratio_low": float(low),
        "ratio_high": float(high),
        "ratio_from": source,
        "note": "; ".join(notes),
    }
