"""Faceted filters over the table of runs: OR within a facet, AND between facets and words."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

import pandas as pd

from gavel_dash import schema

#: What a run without a value is filed under.
NONE = "(none)"
#: Query keys beside the facets: words searched for, and run names.
TEXT = "q"
RUN = "run"


@dataclass(frozen=True)
class Facet:
    """A column to filter by: its key in a query, its column in `schema.RUNS`, its label."""

    key: str
    column: str
    label: str


FACETS = (
    Facet("figure", "figure", "Figure"),
    Facet("policy", "policy", "Policy"),
    Facet("setting", "setting", "Setting"),
    Facet("rate", "arrival_rate_jph", "Rate (jph)"),
    Facet("seed", "seed", "Seed"),
    Facet("cluster", "cluster", "Cluster"),
    Facet("placement", "placement", "Placement"),
    Facet("trace", "trace", "Trace"),
    Facet("status", "status", "Status"),
)


@dataclass(frozen=True)
class FacetValue:
    """One value of a facet, and how many runs have it under the other facets' filters."""

    text: str
    count: int


def value_text(value: object) -> str:
    """A facet's value as it reads in a list and in a query: ``2.4``, ``0``, ``fig9``, ``(none)``."""
    if value is None or value is pd.NA or value != value or value == "":
        return NONE
    return f"{value:.9g}" if isinstance(value, float) else str(value)


def apply_filters(runs: pd.DataFrame, filters: Mapping[str, Collection[str]]) -> pd.DataFrame:
    """Runs that pass every filter, in their order.

    Parameters
    ----------
    runs : DataFrame
        With the columns of `schema.RUNS`.
    filters : mapping of str to collection of str
        The texts that pass, by query key. Keys are those of `FACETS`, `TEXT` (every word of every text must
        occur in the name, policy or note) and `RUN` (names). A key that is missing or empty lets everything
        pass; unknown keys are ignored.
    """
    return runs[_passes(runs, filters)]


def facet_counts(runs: pd.DataFrame, filters: Mapping[str, Collection[str]]) -> dict[str, list[FacetValue]]:
    """Values of every facet with their counts under all *other* filters.

    A value chosen in `filters` that no run has is listed with count 0, so that it can be taken back.

    Returns
    -------
    dict of facet key to list of FacetValue, numbers by size, statuses in their own order, names naturally
    """
    counts: dict[str, list[FacetValue]] = {}
    for facet in FACETS:
        others = {key: texts for key, texts in filters.items() if key != facet.key}
        passing = _texts(apply_filters(runs, others), facet).value_counts().to_dict()
        values = set(_texts(runs, facet)) | set(filters.get(facet.key, ()))
        counts[facet.key] = [FacetValue(text, int(passing.get(text, 0))) for text in sorted(values, key=natural_order)]
    return counts


def count_filters(filters: Mapping[str, Collection[str]]) -> int:
    """How many filters are set: one per chosen value, one for the words."""
    return sum(1 if key == TEXT else len(texts) for key, texts in filters.items() if texts)


def _passes(runs: pd.DataFrame, filters: Mapping[str, Collection[str]]) -> pd.Series:
    keep = pd.Series(True, index=runs.index)
    for facet in FACETS:
        if filters.get(facet.key):
            keep &= _texts(runs, facet).isin(set(filters[facet.key]))
    if filters.get(RUN):
        keep &= runs["run"].isin(set(filters[RUN]))
    words = " ".join(filters.get(TEXT) or ()).lower().split()
    if words:
        haystack = runs["run"].fillna("") + "\n" + runs["policy"].fillna("") + "\n" + runs["note"].fillna("")
        haystack = haystack.str.lower()
        for word in words:
            keep &= haystack.str.contains(word, regex=False)
    return keep


def _texts(runs: pd.DataFrame, facet: Facet) -> pd.Series:
    return runs[facet.column].astype(object).map(value_text)


def natural_order(text: str) -> tuple[object, ...]:
    """Sort key: ``fig9`` before ``fig10``, ``0.8`` before ``2``, ``(none)`` last, statuses as the schema lists them."""
    if text in schema.STATUSES:
        return (0, list(schema.STATUSES).index(text))
    parts = re.split(r"(\d+(?:\.\d+)?)", text)
    return (1, text == NONE, *(float(part) if i % 2 else part for i, part in enumerate(parts)))
