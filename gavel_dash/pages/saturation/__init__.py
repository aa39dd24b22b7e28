"""The Saturation page: where does it break, and what did the cluster look like there?

Its address keeps everything: `k`, `axis` (linear or log), `paper` and `seeds` (0 hides them), the Sweep page's
filters (`figure`, `policy`, `setting`, ... and `run`, each repeatable), and the point that is looked at: `at`, a
run's name, and `round`, the position of the record in that run's file.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dash.development.base_component import Component

from gavel_dash.pages.saturation.callbacks import register_callbacks
from gavel_dash.pages.saturation.layout import build_page

if TYPE_CHECKING:
    from gavel_dash.sweep import Sweep

__all__ = ["PATH", "TITLE", "layout", "register_callbacks"]

PATH = "/saturation"
TITLE = "Saturation"


def layout(sweep: Sweep, **query: object) -> Component:
    """The page, restored from its query."""
    return build_page(sweep, query)
