"""The Telemetry page: any field of 1 to 50 runs against any other.

Its address keeps everything: `run` (repeated), `x`, `y` (repeated), `view` (overlay or multiples), `color`, `log` (x,
y), `smooth` (hours), `n` (jobs of the windowed mean JCT), `window` (hours of the windowed rates), `from` and `to` (the
part of x in view), and `round`, the record under the cursor in the first run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dash.development.base_component import Component

from gavel_dash.pages.telemetry.callbacks import register_callbacks
from gavel_dash.pages.telemetry.layout import build_page

if TYPE_CHECKING:
    from gavel_dash.sweep import Sweep

__all__ = ["KEYS", "PATH", "TITLE", "layout", "register_callbacks"]

PATH = "/telemetry"
TITLE = "Telemetry"
KEYS = (
    ("drag", "zoom all charts to a part of x"),
    ("double click", "the whole run"),
    ("click", "put the cursor there"),
)


def layout(sweep: Sweep, **query: object) -> Component:
    """The page, restored from its query."""
    return build_page(sweep, query)
