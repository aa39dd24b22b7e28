"""The page's state as its address spells it: which fields, how they are drawn, and what part of x is in view."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from gavel_dash.analysis.fields import DEFAULT_JCT_COMPLETIONS, DEFAULT_RATE_H
from gavel_dash.figures.run_style import COLOR_RUNS_BY
from gavel_dash.ui import query_number, query_value, query_values

OVERLAY, MULTIPLES = "overlay", "multiples"
DEFAULT_X = "sim_time_h"
DEFAULT_Y = ("occupancy", "jobs_in_system", "windowed_jct_h")
#: Colour by what tells the chosen runs apart best.
AUTO = ""
MOST_FIELDS, MOST_COMPLETIONS, MOST_HOURS = 8, 100_000, 100_000.0
SHORTEST_WINDOW_H = 0.01

#: Values of all controls by the key they have in the address.
Controls = dict[str, object]

DEFAULTS: Controls = {
    "x": DEFAULT_X,
    "y": list(DEFAULT_Y),
    "view": OVERLAY,
    "color": AUTO,
    "log": [],
    "smooth": 0.0,
    "n": DEFAULT_JCT_COMPLETIONS,
    "window": DEFAULT_RATE_H,
}


@dataclass(frozen=True)
class Options:
    """The controls as charts and tables take them.

    Attributes
    ----------
    x : str
        Field of the x axis.
    y : tuple of str
        Fields of the charts, from the top.
    view : "overlay" or "multiples"
    color : str
        Key of `COLOR_RUNS_BY`, or `AUTO`.
    log_x, log_y : bool
    smooth_h : float, hours
        Width of the moving mean; 0: none.
    jct_completions : int
        N of the windowed mean JCT.
    rate_h : float, hours
        W of the windowed rates.
    """

    x: str = DEFAULT_X
    y: tuple[str, ...] = DEFAULT_Y
    view: str = OVERLAY
    color: str = AUTO
    log_x: bool = False
    log_y: bool = False
    smooth_h: float = 0.0
    jct_completions: int = DEFAULT_JCT_COMPLETIONS
    rate_h: float = DEFAULT_RATE_H


View = tuple[float, float]


def controls_of(query: Mapping[str, object]) -> Controls:
    """Read a query; what it does not say or says wrongly is at its default."""
    asked = {key: query_value(query, key) for key in ("x", "view", "color")}
    numbers = {key: query_number(query, key, float(str(DEFAULTS[key]))) for key in ("smooth", "n", "window")}
    return tidy(
        {
            **DEFAULTS,
            **{key: value for key, value in asked.items() if value},
            **({"y": query_values(query, "y")} if query_values(query, "y") else {}),
            "log": query_values(query, "log"),
            **numbers,
        }
    )


def tidy(controls: Mapping[str, object]) -> Controls:
    """Controls within what the page allows."""
    log = list_of(controls["log"])
    smooth, n, window = (float(str(controls[key])) for key in ("smooth", "n", "window"))
    return {
        "x": controls["x"],
        "y": list(dict.fromkeys(list_of(controls["y"])))[:MOST_FIELDS],
        "view": controls["view"] if controls["view"] in (OVERLAY, MULTIPLES) else OVERLAY,
        "color": controls["color"] if controls["color"] in COLOR_RUNS_BY else AUTO,
        "log": [axis for axis in ("x", "y") if axis in log],
        "smooth": min(max(smooth, 0.0), MOST_HOURS),
        "n": int(min(max(n, 1), MOST_COMPLETIONS)),
        "window": min(window, MOST_HOURS) if window >= SHORTEST_WINDOW_H else DEFAULTS["window"],
    }


def options_of(controls: Mapping[str, object]) -> Options:
    """The controls as charts and tables take them."""
    tidied = tidy(controls)
    log = list_of(tidied["log"])
    return Options(
        x=str(tidied["x"]),
        y=tuple(list_of(tidied["y"])),
        view=str(tidied["view"]),
        color=str(tidied["color"]),
        log_x="x" in log,
        log_y="y" in log,
        smooth_h=float(str(tidied["smooth"])),
        jct_completions=int(str(tidied["n"])),
        rate_h=float(str(tidied["window"])),
    )


def view_of(query: Mapping[str, object]) -> View | None:
    """The part of x in view, `from` and `to`; None: all of it."""
    low, high = (query_number(query, key, float("nan")) for key in ("from", "to"))
    return (low, high) if low < high else None


def seen_of(options: Options, view: View | None) -> dict[str, object] | None:
    """A view as the page keeps it: with the field it is a range of."""
    return None if view is None else {"x": options.x, "range": list(view)}


def view_in(seen: Mapping[str, object] | None, options: Options) -> View | None:
    """What is kept as the view, where it is one of the field on the x axis now."""
    if not seen or seen.get("x") != options.x or not isinstance(seen.get("range"), list):
        return None
    low, high = (float(str(value)) for value in list_of(seen["range"]))
    return (low, high)


def list_of(value: object) -> list[str]:
    """A control's value as a list of texts."""
    return [str(item) for item in value] if isinstance(value, list) else []


def csv_href(names: Sequence[str], controls: Mapping[str, object], view: Sequence[float] | None) -> str:
    """Address of what the charts show as CSV."""
    pairs: list[tuple[str, object]] = [("run", name) for name in names]
    for key in ("x", "y", "log", "smooth", "n", "window"):
        value = controls[key]
        if key in ("x", "y") or value != DEFAULTS[key]:
            pairs += [(key, item) for item in value] if isinstance(value, list) else [(key, value)]
    if view is not None:
        pairs += [("from", view[0]), ("to", view[1])]
    return f"/api/telemetry.csv?{urlencode(pairs)}"
