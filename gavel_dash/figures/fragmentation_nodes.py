"""Which nodes the fragmented GPUs are on: one bar per node, a stretch of rounds long."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from gavel_dash.figures import theme as look

HEIGHT_PX = 200


def build_node_bars(nodes: pd.DataFrame, theme: str) -> dict[str, Any]:
    """Mean expected fragmented GPUs of each node, and behind it the node's mean free GPUs.

    Parameters
    ----------
    nodes : DataFrame with the columns `schema.fragmentation.NODE_FRAGMENTATION`, in the order they are drawn
    theme : "light" or "dark"
    """
    place = np.arange(len(nodes))
    labels = [f"{look.escape(t)} node {n}" for t, n in zip(nodes["gpu_type"], nodes["node"], strict=True)]
    base = {"type": "bar", "x": place, "text": labels, "textposition": "none", "width": 0.9}
    muted = look.token(theme, "muted")
    starts = np.flatnonzero(nodes["gpu_type"].ne(nodes["gpu_type"].shift()).to_numpy(bool))
    ends = np.append(starts[1:], len(nodes))
    return {
        "data": [
            {
                **base,
                "name": "free (outline)",
                "y": nodes["free_gpus"].to_numpy(float),
                "marker": {"color": "rgba(0,0,0,0)", "line": {"color": muted, "width": 1}},
                "hovertemplate": "%{text}<br>free: %{y:.2f} GPUs (mean)<extra></extra>",
            },
            {
                **base,
                "name": "of them fragmented (filled)",
                "y": nodes["fragmented_gpus"].to_numpy(float),
                "marker": {"color": look.token(theme, "accent")},
                "hovertemplate": "%{text}<br>fragmented: %{y:.2f} GPUs (mean, expected)<extra></extra>",
            },
        ],
        "layout": look.layout(
            theme,
            height=HEIGHT_PX,
            barmode="overlay",
            margin={"l": 44, "r": 8, "t": 24, "b": 36},
            showlegend=True,
            legend={
                "orientation": "h",
                "x": 0,
                "y": 1.02,
                "xanchor": "left",
                "yanchor": "bottom",
                "font": {"size": 12},
            },
            xaxis={
                "tickvals": [(a + b - 1) / 2 for a, b in zip(starts, ends, strict=True)],
                "ticktext": [look.escape(nodes["gpu_type"].iloc[a]) for a in starts],
                "showgrid": False,
                "title": {"text": "Nodes, by GPU type"},
            },
            yaxis={"rangemode": "tozero", "nticks": 5, "title": {"text": "GPUs"}, "fixedrange": True},
            shapes=[
                {
                    "type": "line",
                    "x0": a - 0.5,
                    "x1": a - 0.5,
                    "y0": 0,
                    "y1": 1,
                    "yref": "paper",
                    "line": {"color": muted, "width": 1},
                }
                for a in starts[1:].tolist()
            ],
        ),
    }
