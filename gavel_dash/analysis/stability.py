"""Does a run keep up with its arrivals? Jobs in the system and completions after warm-up, by batch means."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import scipy

from gavel_dash.analysis.jct import SECONDS_PER_HOUR
from gavel_dash.analysis.phases import Phases

STABLE, UNSTABLE, UNDECIDED = "stable", "unstable", "undecided"
VERDICTS = (STABLE, UNSTABLE, UNDECIDED)
CONFIDENCE = 0.95
BATCHES, FEWEST_BATCHES = 20, 10
#: A batch is at least this many rounds long.
BATCH_ROUNDS = 5
#: A run is called stable only where its slope rules out a load this many times the capacity: at a load of 1.1 a share
#: of 1 - 1/1.1 of the arrivals is left over. Short runs cannot tell, and are undecided.
RESOLVED_LOAD = 1.1


@dataclass(frozen=True)
class Estimate:
    """A mean of `n` batch values with its standard error; of Student's t with n - 1 degrees of freedom."""

    mean: float
    standard_error: float
    n: int

    def interval(self, confidence: float = CONFIDENCE) -> tuple[float, float]:
        """Two-sided t interval."""
        if self.standard_error == 0:
            return self.mean, self.mean
        low, high = _t_quantiles(confidence, self.n - 1)
        return low * self.standard_error + self.mean, high * self.standard_error + self.mean


@lru_cache(maxsize=256)
def _t_quantiles(confidence: float, degrees: int) -> tuple[float, float]:
    """Ends of the two-sided interval of Student's t, as `scipy.stats.t.interval` has them, which takes long to load.

    Every run asks four times.
    """
    low, high = scipy.special.stdtrit(degrees, [(1.0 - confidence) / 2, (1.0 + confidence) / 2])
    return float(low), float(high)


@dataclass(frozen=True)
class Evidence:
    """What a verdict rests on. Times are simulated hours.

    Attributes
    ----------
    start_h, stop_h : float
        The stretch that is looked at: from the end of warm-up to the last arrival.
    batch_time_h, batch_jobs : tuple of float
        Middle and mean jobs in the system of each batch.
    slope : Estimate
        Growth of jobs in the system, jobs per hour.
    throughput : Estimate
        Completions per hour over the second half of the stretch.
    """

    start_h: float
    stop_h: float
    batch_time_h: tuple[float, ...]
    batch_jobs: tuple[float, ...]
    slope: Estimate
    throughput: Estimate

    @property
    def n_batches(self) -> int:
        """Number of batches of the stretch."""
        return len(self.batch_jobs)


def collect_evidence(
    sim_time_h: np.ndarray, jobs_in_system: np.ndarray, jobs_completed: np.ndarray, start: int, stop: int
) -> Evidence | None:
    """Batch means of the records ``[start, stop)``; None where there are not enough for two batches in each half.

    The slope is the mean difference of successive batch means over the time between them. Batch means of a busy
    system are correlated, and a least-squares line takes them for independent: on M/M/c queues its 95% interval held
    the true slope in 25 to 95% of the runs, that of the differences in 86 to 100% (see docs/saturation.md). For a
    queue that grows like a random walk with drift, the mean difference is the best estimate of the drift.

    Parameters
    ----------
    sim_time_h : ndarray of float, shape (n_rounds,), hours, ascending
    jobs_in_system : ndarray of int, shape (n_rounds,), running and queued
    jobs_completed : ndarray of int, shape (n_rounds,), since the start of the run
    start, stop : int
        Record indexes: end of warm-up, and one beyond the last that still has arrivals.
    """
    n_batches = min(BATCHES, (stop - start) // BATCH_ROUNDS)
    if n_batches < 4 or sim_time_h[stop - 1] <= sim_time_h[start]:
        return None
    edges = start + np.arange(n_batches + 1) * (stop - start) // n_batches
    sizes = np.diff(edges)
    time_h = np.add.reduceat(sim_time_h[:stop].astype(float), edges[:-1]) / sizes
    jobs = np.add.reduceat(jobs_in_system[:stop].astype(float), edges[:-1]) / sizes
    ends = np.minimum(edges, stop - 1)[n_batches // 2 :]
    elapsed_h = np.diff(sim_time_h[ends].astype(float))
    completed = np.diff(jobs_completed[ends].astype(float))
    gaps_h = np.diff(time_h)
    if (elapsed_h <= 0).any() or (gaps_h <= 0).any():
        return None
    return Evidence(
        start_h=float(sim_time_h[start]),
        stop_h=float(sim_time_h[stop - 1]),
        batch_time_h=tuple(time_h.tolist()),
        batch_jobs=tuple(jobs.tolist()),
        slope=_estimate(np.diff(jobs) / gaps_h),
        throughput=_estimate(completed / elapsed_h),
    )


def _estimate(values: np.ndarray) -> Estimate:
    return Estimate(float(values.mean()), float(scipy.stats.sem(values)), len(values))


def judge(evidence: Evidence | None, arrival_rate_jph: float | None, confidence: float = CONFIDENCE) -> str | None:
    """Verdict on a run: stable, unstable or undecided; None without evidence or without an arrival rate.

    Unstable: the slope's interval lies above 0 and that of throughput over arrival rate below 1. Stable: neither, the
    slope is less than one standard error above 0, and its interval rules out a load of `RESOLVED_LOAD`: a run that may
    well grow is not called stable for want of proof. Undecided: anything else, and fewer than ten batches.
    """
    if evidence is None or not arrival_rate_jph:
        return None
    if evidence.n_batches < FEWEST_BATCHES:
        return UNDECIDED
    slope_low, slope_high = evidence.slope.interval(confidence)
    grows = slope_low > 0
    falls_behind = evidence.throughput.interval(confidence)[1] < arrival_rate_jph
    if grows and falls_behind:
        return UNSTABLE
    resolved = slope_high < arrival_rate_jph * (1 - 1 / RESOLVED_LOAD)
    suspect = evidence.slope.mean > evidence.slope.standard_error
    return STABLE if resolved and not suspect and not falls_behind else UNDECIDED


def mser5_cut(values: np.ndarray) -> int:
    """Record index at which MSER-5 ends the warm-up: the cut that leaves the smallest standard error.

    Means of five records, all cuts but the last five means tried. White, "An effective truncation heuristic for bias
    reduction in simulation output", Simulation 69 (1997), 323-334. A cut in the second half says "no steady state".

    Parameters
    ----------
    values : ndarray of number, shape (n_rounds,)
    """
    n = len(values) // 5
    if n < 6:
        return 0
    means = np.asarray(values[: n * 5], dtype=float).reshape(n, 5).mean(axis=1)
    # From the end backwards, so that every cut's mean and variance come from running sums; centred against rounding.
    backwards = (means - means.mean())[::-1]
    kept = np.arange(1, n + 1)
    variance = np.cumsum(backwards**2) / kept - (np.cumsum(backwards) / kept) ** 2
    error = (np.maximum(variance, 0) / kept)[::-1]
    return int(np.argmin(error[: n - 5])) * 5


def pool_verdicts(verdicts: Iterable[str | None]) -> str | None:
    """Verdict on several runs of one rate: that of more than half of those that have one, else undecided."""
    known = [verdict for verdict in verdicts if verdict in VERDICTS]
    if not known:
        return None
    verdict, n = Counter(known).most_common(1)[0]
    return verdict if 2 * n > len(known) else UNDECIDED


@dataclass(frozen=True)
class Steadiness:
    """What jobs in the system say about a run.

    Attributes
    ----------
    warm_up_h : float or None
        Simulated time of the window's first arrival; None where no window is known or none of its jobs arrived.
    mser_cut_h : float
    mser_steady : bool
        False where the MSER-5 cut falls in the second half of the run: no steady state.
    evidence : Evidence or None
    """

    warm_up_h: float | None
    mser_cut_h: float
    mser_steady: bool
    evidence: Evidence | None


def assess_run(heads: np.ndarray, arrival_rounds: np.ndarray, phases: Phases | None) -> Steadiness | None:
    """MSER-5 cut and evidence of a run; None where it has no rounds.

    The stretch of the evidence begins where the window's first job arrives; without a window, at the MSER-5 cut, in
    the middle of the run at the latest. It ends with the last arrival: a run that drains afterwards would look stable.

    Parameters
    ----------
    heads : structured ndarray, shape (n_rounds,), with the fields of a round record
    arrival_rounds : ndarray of int, shape (n_jobs,)
        Last round recorded before each arrival; may be empty where jobs are not known.
    phases : Phases or None
    """
    n_rounds = len(heads)
    if n_rounds == 0:
        return None
    time_h = heads["sim_time_s"].astype(float) / SECONDS_PER_HOUR
    jobs = heads["jobs_running"].astype(np.int64) + heads["jobs_queued"]
    cut = mser5_cut(jobs)
    known = phases is not None and phases.measurement_start < n_rounds
    start = phases.measurement_start if phases is not None and known else min(cut, n_rounds // 2)
    stop = n_rounds
    if len(arrival_rounds):
        stop = min(int(np.searchsorted(heads["round"], arrival_rounds.max(), side="right")) + 1, n_rounds)
    return Steadiness(
        warm_up_h=float(time_h[start]) if known else None,
        mser_cut_h=float(time_h[cut]),
        mser_steady=cut < n_rounds / 2,
        evidence=collect_evidence(time_h, jobs, heads["jobs_completed"], start, stop),
    )
