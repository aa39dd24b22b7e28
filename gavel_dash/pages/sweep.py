"""The Sweep page: what do I have?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dash import Dash, html
from dash.development.base_component import Component

from gavel_dash.ui import page_header

if TYPE_CHECKING:
    from gavel_dash.sweep import Sweep

PATH = "/"
TITLE = "Sweep"


def layout(sweep: Sweep, **query: object) -> Component:
    """The page, restored from its query."""
    return html.Div(page_header("Sweep", "What do I have?"))


def register_callbacks(app: Dash, sweep: Sweep) -> None:
    """Register the page's callbacks on an app."""
