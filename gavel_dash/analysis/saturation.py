"""At which arrival rate a curve saturates: three estimates side by side, and in words where they disagree."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from gavel_dash import schema
from gavel_dash.analysis.capacity_fit import capacity_interval, fit_capacity
from gavel_dash.analysis.curves import CURVE_KEY, in_curve_order, per_seed, select_points
from gavel_dash.analysis.plateau_factor import DEFAULT_K, crossing_interval, plateau_factor
from gavel_dash.analysis.stability import CONFIDENCE, STABLE, UNDECIDED, UNSTABLE, VERDICTS, pool_verdicts
from gavel_dash.analysis.stability_bracket import bracket_interval, find_bracket

STABILITY, PLATEAU_FACTOR, CAPACITY_FIT = "stability", "plateau_factor", "capacity_fit"
#: Methods in the order of tables and menus.
METHODS = {STABILITY: "stability", PLATEAU_FACTOR: "plateau factor", CAPACITY_FIT: "capacity fit"}
ESTIMATED, NOT_REACHED, IMPOSSIBLE = "estimated", "not reached", "impossible"
#: Intervals further apart than this share of the lower one disagree.
AGREEMENT = 0.05

Row = dict[str, object]


def summarize_saturation(runs: pd.DataFrame, k: float = DEFAULT_K, confidence: float = CONFIDENCE) -> pd.DataFrame:
    """Saturation point of every curve by every method.

    Never looks at a `saturated` flag: that only says that the simulator left early.

    Parameters
    ----------
    runs : DataFrame with the columns of `schema.RUNS`, its verdicts at the same confidence
    k : float
        Plateau factor: the crossing is at `k` times the plateau.
    confidence : float in (0, 1)
        Level of the intervals.

    Returns
    -------
    DataFrame with the columns of `schema.SATURATION`, a row per curve and method.
    """
    curves = select_points(runs).groupby(["curve", *CURVE_KEY], dropna=False, sort=True)
    rows = []
    for key, group in curves:
        common = dict(zip(["curve", *CURVE_KEY], key, strict=True)) | {"confidence": confidence}
        rows += [common | _by_stability(group, confidence)]
        rows += [common | _by_plateau(group, k, confidence), common | _by_capacity(group, confidence)]
    return in_curve_order(schema.build_frame(rows, schema.SATURATION))


def _by_stability(runs: pd.DataFrame, confidence: float) -> Row:
    judged = runs[runs["verdict"].isin(VERDICTS)]
    by_rate = [(float(rate), _seed_verdicts(group)) for rate, group in judged.groupby("arrival_rate_jph", sort=True)]
    row: Row = {"method": STABILITY, "n_rates": len(by_rate)}
    if not by_rate:
        return row | {"status": IMPOSSIBLE, "note": "no rounds to judge by"}
    rates = np.array([rate for rate, _ in by_rate])
    verdicts = [verdict for _, verdict in by_rate]
    pooled = np.array([pool_verdicts(seeds) for seeds in verdicts], dtype=object)
    bracket = find_bracket(rates, pooled.tolist())
    row |= {"highest_rate_jph": rates[-1], "bracket_low_jph": bracket.low_jph, "bracket_high_jph": bracket.high_jph}
    stable, unstable = rates[pooled == STABLE], rates[pooled == UNSTABLE]
    if not len(unstable) and len(stable):
        beyond = rates[rates > bracket.low_jph]
        undecided = f"; runs at {_listed(beyond)} are undecided" if len(beyond) else ""
        return row | {"status": NOT_REACHED, "note": f"not reached, > {bracket.low_jph:g} jph{undecided}"}
    if np.isnan(bracket.middle_jph):
        return row | {"status": IMPOSSIBLE, "note": _no_bracket(rates, stable, unstable)}
    low, high = bracket_interval(rates, verdicts, confidence)
    notes = []
    if np.isnan(low):
        notes.append("one seed at an end of the bracket: no interval")
    between = (rates > bracket.low_jph) & (rates < bracket.high_jph)
    undecided_at, contradicting = rates[between & (pooled == UNDECIDED)], rates[between & (pooled != UNDECIDED)]
    if len(undecided_at):
        notes.append(f"undecided at {_listed(undecided_at)}")
    if len(contradicting):
        notes.append(f"verdicts contradict each other at {_listed(contradicting)}: unstable below stable")
    return row | _estimate(bracket.middle_jph, low, high, notes)


def _no_bracket(rates: np.ndarray, stable: np.ndarray, unstable: np.ndarray) -> str:
    """Why an end of the bracket is missing although a rate is unstable, or none is stable."""
    if not len(unstable):
        return f"undecided at every rate, up to {rates[-1]:g} jph"
    if len(stable):
        return f"verdicts contradict each other: unstable at {_listed(unstable)}, stable at {_listed(stable)}"
    if unstable[0] == rates[0]:
        return f"unstable already at the lowest rate, {rates[0]:g} jph"
    return f"no rate is stable: unstable from {unstable[0]:g} jph on, undecided below"


def _seed_verdicts(runs: pd.DataFrame) -> list[str | None]:
    """One verdict per seed: repeated runs of one seed are one sample, not several."""
    seeds = runs["seed"].astype("object").where(runs["seed"].notna(), runs["run"])
    return [pool_verdicts(group) for _, group in runs["verdict"].groupby(seeds, sort=False)]


def _by_plateau(runs: pd.DataFrame, k: float, confidence: float) -> Row:
    measured = runs[runs["mean_jct_h"].notna()]
    by_rate = [(float(rate), per_seed(group)) for rate, group in measured.groupby("arrival_rate_jph", sort=True)]
    row: Row = {"method": PLATEAU_FACTOR, "k": k, "n_rates": len(by_rate)}
    if not by_rate:
        return row | {"status": IMPOSSIBLE, "note": "no run has a mean JCT"}
    rates, means = np.array([rate for rate, _ in by_rate]), np.array([jct.mean() for _, jct in by_rate])
    crossing = plateau_factor(rates, means, k)
    plateau_h = crossing.plateau_jct_h if crossing.plateau_jct_h is not None else np.nan
    row |= {"highest_rate_jph": rates[-1], "plateau_jct_h": plateau_h}
    notes = _limits(runs, rates)
    if len(by_rate) == 1:
        return row | {"status": IMPOSSIBLE, "note": f"one rate only ({rates[0]:g} jph): not a curve"}
    if crossing.rate_jph is not None:
        low, high = crossing_interval(rates, [jct for _, jct in by_rate], k, confidence)
        if np.isnan(low):
            notes.insert(0, "one seed at the crossing: no interval")
        return row | _estimate(crossing.rate_jph, low, high, notes)
    if means[0] >= k * plateau_h:
        note = f"no low-load plateau: the lowest rate is already above {k:g} times the median"
        return row | {"status": IMPOSSIBLE, "note": "; ".join([note, *notes])}
    # A lower bound below the threshold does not say that mean JCT stays below it.
    bounded = measured[measured["mean_jct_is_lower_bound"].fillna(False).astype(bool)]["arrival_rate_jph"]
    whole = rates[~np.isin(rates, bounded)]
    if not len(whole):
        return row | {"status": IMPOSSIBLE, "note": "; ".join(["every mean JCT is a lower bound", *notes])}
    row["highest_rate_jph"] = whole[-1]
    return row | {"status": NOT_REACHED, "note": "; ".join([f"not reached, > {whole[-1]:g} jph", *notes])}


def _by_capacity(runs: pd.DataFrame, confidence: float) -> Row:
    whole = runs["mean_jct_h"].notna() & ~runs["mean_jct_is_lower_bound"].fillna(False).astype(bool)
    # A mean JCT has a steady state to estimate only where the run is stable; what has no rounds is taken at its word.
    used = runs[whole & (runs["verdict"].isna() | (runs["verdict"] == STABLE))]
    by_rate = [(float(rate), per_seed(group)) for rate, group in used.groupby("arrival_rate_jph", sort=True)]
    rates = np.repeat([rate for rate, _ in by_rate], [len(jct) for _, jct in by_rate])
    jct_h = np.concatenate([jct for _, jct in by_rate]) if by_rate else np.empty(0)
    row: Row = {"method": CAPACITY_FIT, "n_rates": len(np.unique(rates))}
    fit = fit_capacity(rates, jct_h)
    if len(rates):
        row["highest_rate_jph"] = rates.max()
    if not fit.bends:
        return row | {"status": NOT_REACHED, "note": f"not reached, > {rates.max():g} jph; {fit.reason}"}
    if fit.reason:
        return row | {"status": IMPOSSIBLE, "note": fit.reason}
    left_out = len(runs) - len(used)
    notes = [f"{left_out} runs left out: not stable, censored or without a mean JCT"] if left_out else []
    low, high = capacity_interval(rates, jct_h, confidence)
    if np.isnan(low):
        notes.insert(0, "too few rates for an interval")
    return row | _estimate(fit.capacity_jph, low, high, notes)


def _estimate(estimate_jph: float, low_jph: float, high_jph: float, notes: list[str]) -> Row:
    if np.isinf(high_jph):
        notes = [*notes, "the interval is open upwards"]
    return {
        "status": ESTIMATED,
        "estimate_jph": estimate_jph,
        "low_jph": low_jph,
        "high_jph": np.nan if np.isinf(high_jph) else high_jph,
        "note": "; ".join(notes),
    }


def _limits(runs: pd.DataFrame, rates: np.ndarray) -> list[str]:
    """What a mean-JCT curve does not say by itself: rates without a mean, lower bounds, windows that differ."""
    notes = []
    unmeasured = runs[runs["mean_jct_h"].isna()]
    beyond = unmeasured[unmeasured["arrival_rate_jph"] > rates[-1]]
    if len(beyond):
        notes.append(f"{len(beyond)} runs at higher rates have no mean JCT")
    bounds = runs["mean_jct_is_lower_bound"].fillna(False) & runs["mean_jct_h"].notna()
    if bounds.any():
        bounded = np.array(sorted(set(runs.loc[bounds, "arrival_rate_jph"])))
        where = f"{len(bounded)} of {len(rates)} rates" if len(bounded) > 4 else _listed(bounded)
        notes.append(f"lower bounds at {where} (censored): the crossing may come earlier")
    windows = sorted(set(runs["window"].dropna()), key=lambda window: int(window.split(":")[0]))
    if len(windows) > 1:
        notes.append("windows differ between rates: " + ", ".join(windows))
    return notes


def _listed(rates: Sequence[float] | np.ndarray) -> str:
    return ", ".join(f"{rate:g}" for rate in rates) + " jph"


def describe_disagreement(rows: pd.DataFrame, label: str) -> str | None:
    """One sentence where the methods do not agree on a curve, else None.

    They disagree where two intervals (or brackets, or bare estimates) are apart by more than a twentieth, or where one
    method puts saturation beyond a rate that lies above another's interval.

    Parameters
    ----------
    rows : DataFrame, the rows of `schema.SATURATION` of one curve
    label : str
        What the curve is called on screen.
    """
    spans = [span for span in map(_span, rows.itertuples(index=False)) if span is not None]
    for i, (one_low, one_high, _) in enumerate(spans):
        for other_low, other_high, _ in spans[i + 1 :]:
            open_ended = np.isinf(max(one_high, other_high))
            if max(one_low, other_low) > min(one_high, other_high) * (1 if open_ended else 1 + AGREEMENT):
                return f"The methods disagree on {label}: " + ", ".join(words for _, _, words in spans) + "."
    return None


def beyond_jph(bracket_low_jph: float, highest_rate_jph: float) -> float:
    """The rate up to which a curve held that is not reached: the highest stable one, else the highest rate used."""
    return float(highest_rate_jph if np.isnan(bracket_low_jph) else bracket_low_jph)


def _span(row: Any) -> tuple[float, float, str] | None:
    """Lowest and highest rate a row of `schema.SATURATION` allows, and the row in words; None where it says nothing."""
    method = METHODS[row.method]
    if row.status == NOT_REACHED:
        beyond = beyond_jph(row.bracket_low_jph, row.highest_rate_jph)
        return beyond, np.inf, f"{method} beyond {beyond:g} jph"
    if row.status != ESTIMATED:
        return None
    low = np.nanmin([row.estimate_jph, row.low_jph, row.bracket_low_jph])
    open_ended = np.isnan(row.high_jph) and not np.isnan(row.low_jph)
    high = np.inf if open_ended else np.nanmax([row.estimate_jph, row.high_jph, row.bracket_high_jph])
    return float(low), float(high), f"{method} {row.estimate_jph:.2f} jph"
