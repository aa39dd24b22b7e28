"""The curves of the Gavel paper (OSDI 2020, figures 9-11), to lay ours against."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from typing import Any

import numpy as np

#: What the paper calls the two lines of each figure.
ROLES = {"baseline": "baseline", "gavel": "Gavel"}


@dataclass(frozen=True)
class PaperCurve:
    """One line of one figure of the paper.

    `arrival_rate_jph` and `mean_jct_h` are ndarrays of float, shape (n,), finite, by ascending rate.
    """

    figure: str  # "fig9", as our runs name it
    role: str  # "baseline" or "gavel"
    title: str
    arrival_rate_jph: np.ndarray
    mean_jct_h: np.ndarray

    @property
    def name(self) -> str:
        """What to call the line on screen."""
        return f"Paper, {self.figure}, {ROLES[self.role]}"


@lru_cache(maxsize=1)
def load_paper_curves() -> tuple[PaperCurve, ...]:
    """All curves of the paper, in the order of its figures; points the paper does not show are left out."""
    figures = _data()["figures"]
    return tuple(_curve(figure, role, data) for figure, data in figures.items() for role in ROLES)


def paper_source() -> str:
    """Where the numbers come from, in one sentence."""
    return str(_data()["source"])


def paper_curve(figure: str, policy: str) -> PaperCurve | None:
    """The paper's line that corresponds to a policy in one of its figures; None where it has none."""
    role = "gavel" if policy.endswith("_perf") else "baseline"
    return next((curve for curve in load_paper_curves() if (curve.figure, curve.role) == (figure, role)), None)


@lru_cache(maxsize=1)
def _data() -> dict[str, Any]:
    text = resources.files("gavel_dash").joinpath("data/paper_curves.json").read_text(encoding="utf-8")
    return dict(json.loads(text))


def _curve(figure: str, role: str, data: dict[str, Any]) -> PaperCurve:
    rates = np.array(data["arrival_rate_jph"], dtype=float)
    jct_h = np.array(data[f"{role}_mean_jct_h"], dtype=float)  # null becomes NaN
    shown = np.isfinite(jct_h)
    return PaperCurve(figure, role, data["title"], rates[shown], jct_h[shown])
