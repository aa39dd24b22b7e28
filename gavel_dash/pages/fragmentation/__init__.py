"""The Fragmentation page: are the free GPUs where the waiting jobs could use them?

Its address keeps everything: `run` (repeatable), `round` (record index of the first run), `nodes` (GPUs per node,
such as ``k80:4,v100:8``), `from` and `to` (the hours in view), `tab` (time or sweep), `split` (none, class or type),
`of` (the run of the stacked charts), `size` (of waiting jobs), `by` (rate or demand) and `measure`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dash.development.base_component import Component

from gavel_dash.pages.fragmentation.callbacks import register_callbacks
from gavel_dash.pages.fragmentation.layout import build_page

if TYPE_CHECKING:
    from gavel_dash.sweep import Sweep

__all__ = ["KEYS", "PATH", "TITLE", "layout", "register_callbacks"]

PATH = "/fragmentation"
TITLE = "Fragmentation"
KEYS = (("click", "set the cursor"), ("drag", "zoom in; double click zooms out"))


def layout(sweep: Sweep, **query: object) -> Component:
    """The page, restored from its query."""
    return build_page(sweep, query)
