"""The pages, in the order of the top bar.

A page is a module with `PATH`, `TITLE`, `layout(sweep, **query)` and `register_callbacks(app, sweep)`.
`layout` works without a query and holds every id its callbacks use.
"""

from __future__ import annotations

from types import ModuleType

from gavel_dash.pages import cluster, saturation, sweep

PAGES: tuple[ModuleType, ...] = (sweep, saturation, cluster)
