"""Changing a chart without losing the part its reader has zoomed into."""

from __future__ import annotations

from typing import Any

from dash import Patch


def keep_zoom(figure: dict[str, Any], axes: tuple[str, ...] = ("xaxis", "yaxis")) -> Patch:
    """All of a figure but the ranges of those of its axes whose names begin with one of `axes`.

    Dash writes a zoomed range into the `figure` property, so that Plotly's `uirevision` cannot tell it from ours: a
    whole figure would reset the zoom.
    """
    patch = Patch()
    patch["data"] = figure["data"]
    for name, value in figure["layout"].items():
        if name.startswith(axes):
            for key in value.keys() - {"range"}:
                patch["layout"][name][key] = value[key]
        else:
            patch["layout"][name] = value
    return patch
