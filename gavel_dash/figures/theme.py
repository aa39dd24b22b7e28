"""One look for every figure: colours, what they mean, and the base layout. Plain dicts, no Dash.

A colour means one thing everywhere: vermillion with squares is a baseline, blue with circles its
heterogeneity-aware twin (`_perf`, Gavel). Shape or text always says the same as the colour.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

#: Surfaces and text per theme; `assets/theme.css` holds the same values for everything that is not a figure.
TOKENS: dict[str, dict[str, str]] = {
    "light": {
        "background": "#ffffff",
        "panel": "#f7f8fa",
        "border": "#e3e6eb",
        "text": "#1f2430",
        "muted": "#667085",
        "accent": "#0b6bcb",
        "bad": "#c0281c",
    },
    "dark": {
        "background": "#12151b",
        "panel": "#1a1e26",
        "border": "#2a303b",
        "text": "#e6e9ef",
        "muted": "#98a2b3",
        "accent": "#5aa9ff",
        "bad": "#ff8a7a",
    },
}

BASELINE_COLOR = "#D55E00"
GAVEL_COLOR = "#0072B2"
#: Policies that are neither a baseline nor its `_perf` twin, in the fixed order of the Okabe-Ito palette.
FURTHER_POLICIES: dict[str, tuple[str, str]] = {
    "packed": ("#009E73", "diamond"),
    "water_filling": ("#CC79A7", "triangle-up"),
    "gandiva": ("#E69F00", "triangle-down"),
    "allox": ("#56B4E9", "cross"),
    "isolated": ("#F0E442", "x"),
}

CATEGORY: dict[str, str] = {
    "resnet": "#0072B2",
    "transformer": "#009E73",
    "language model": "#E69F00",
    "recommendation": "#CC79A7",
    "cyclegan": "#D55E00",
    "a3c": "#F0E442",
    "other": "#56B4E9",
}

PHASE: dict[str, str] = {"warm-up": "#8a94a6", "measurement": "#0b6bcb", "cool-down": "#8a94a6"}

#: A run's status as a Plotly marker and as the same sign in text; what has rounds to look at is square.
STATUS: dict[str, tuple[str, str]] = {
    "complete": ("square", "■"),
    "censored": ("square-open", "□"),
    "unmeasured": ("circle-open", "○"),
    "table": ("triangle-up-open", "△"),
    "running": ("triangle-right-open", "▷"),
    "unconverted": ("diamond-open", "◇"),
    "damaged": ("x-thin-open", "✕"),
    "missing": ("circle", "·"),
}

#: A verdict's sign and colour; the word stands beside them.
VERDICT: dict[str, tuple[str, str]] = {
    "stable": ("●", "#009E73"),
    "undecided": ("◆", "#667085"),
    "unstable": ("▲", "#D55E00"),
}

FONT = 'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "Noto Sans", Arial, sans-serif'

#: The `config` of every graph. Nothing in it reaches a server but ours.
GRAPH_CONFIG: dict[str, Any] = {
    "displaylogo": False,
    "showSendToCloud": False,
    "plotlyServerURL": "",
    "responsive": True,
    "modeBarButtonsToRemove": ["select2d", "lasso2d", "autoScale2d"],
    "toImageButtonOptions": {"format": "png", "scale": 2},
}


def _further(policy: str) -> tuple[str, str] | None:
    stem = policy.removesuffix("_perf")
    return next((look for word, look in FURTHER_POLICIES.items() if stem == word or stem.endswith(f"_{word}")), None)


def policy_color(policy: str) -> str:
    """Colour of a policy: blue for heterogeneity-aware (`_perf`), vermillion for its baseline."""
    further = _further(policy)
    if further is not None:
        return further[0]
    return GAVEL_COLOR if policy.endswith("_perf") else BASELINE_COLOR


def policy_symbol(policy: str) -> str:
    """Plotly marker symbol of a policy: circle for `_perf`, square for its baseline."""
    further = _further(policy)
    if further is not None:
        return further[1]
    return "circle" if policy.endswith("_perf") else "square"


def category_color(category: str) -> str:
    """Colour of a job category; unknown ones share the colour of "other"."""
    return CATEGORY.get(category.lower().replace("_", " "), CATEGORY["other"])


def status_color(status: str, theme: str) -> str:
    """Colour of a run's status: red for damaged, faint for missing, the text's for what was measured."""
    if status == "damaged":
        return token(theme, "bad")
    return token(theme, "text" if status in ("complete", "censored") else "muted")


def token(theme: str, name: str) -> str:
    """Colour of a surface or text in a theme; an unknown theme is light."""
    return TOKENS.get(theme, TOKENS["light"])[name]


def rgba(color: str, alpha: float) -> str:
    """``#rrggbb`` with an opacity."""
    red, green, blue = (int(color[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red},{green},{blue},{alpha:g})"


def hatching(theme: str) -> dict[str, Any]:
    """Fill of an area of which nothing is known: no colour means that."""
    panel = token(theme, "panel")
    pattern = {"shape": "/", "size": 8, "solidity": 0.16, "fgcolor": token(theme, "muted"), "bgcolor": panel}
    return {"fill": "toself", "fillcolor": panel, "fillpattern": pattern}


def escape(text: object) -> str:
    """Text for hover boxes, labels and titles, where Plotly would read HTML tags, and in templates also ``%{...}``."""
    tagless = str(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return tagless.replace("%{", "%&#123;")


def axis(theme: str, **overrides: Any) -> dict[str, Any]:
    """An axis of the house: thin grid, 12 px ticks, no heavy zero line."""
    base: dict[str, Any] = {
        "gridcolor": token(theme, "border"),
        "linecolor": token(theme, "border"),
        "tickcolor": token(theme, "border"),
        "tickfont": {"size": 12, "color": token(theme, "muted")},
        "title": {"font": {"size": 13, "color": token(theme, "text")}},
        "zeroline": False,
        "automargin": True,
    }
    return _merged(base, overrides)


def layout(theme: str, **overrides: Any) -> dict[str, Any]:
    """Base layout of a figure, with `overrides` merged in (nested dicts too).

    Parameters
    ----------
    theme : str
        "light" or "dark"; anything else is light.
    **overrides
        Keys of a Plotly layout. Every ``xaxis*`` and ``yaxis*`` among them is built on `axis`.

    Returns
    -------
    dict
        A Plotly layout with transparent paper and a constant `uirevision`, so that new data keep the zoom.
    """
    base: dict[str, Any] = {
        "font": {"family": FONT, "size": 13, "color": token(theme, "text")},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "margin": {"l": 56, "r": 16, "t": 16, "b": 44},
        "showlegend": False,
        "hovermode": "closest",
        "hoverlabel": {
            "bgcolor": token(theme, "panel"),
            "bordercolor": token(theme, "border"),
            "font": {"family": FONT, "size": 13, "color": token(theme, "text")},
            "align": "left",
        },
        "modebar": {
            "bgcolor": "rgba(0,0,0,0)",
            "color": token(theme, "muted"),
            "activecolor": token(theme, "accent"),
        },
        "uirevision": "constant",
        "dragmode": "zoom",
        "xaxis": {},
        "yaxis": {},
    }
    merged = _merged(base, overrides)
    for name, value in merged.items():
        if name.startswith(("xaxis", "yaxis")):
            merged[name] = axis(theme, **value)
    return merged


def _merged(base: Mapping[str, Any], overrides: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for name, value in overrides.items():
        if isinstance(value, Mapping) and isinstance(merged.get(name), Mapping):
            merged[name] = _merged(merged[name], value)
        else:
            merged[name] = value
    return merged
