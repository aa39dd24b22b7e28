"""The pages, in the order of the top bar.

A page is a module with `PATH`, `TITLE`, `layout(sweep, **query)` and `register_callbacks(app, sweep)`. `layout` works
without a query and holds every id its callbacks use. A page with `NAV = False` is reached from other pages only.
"""

from __future__ import annotations

from types import ModuleType

from gavel_dash.pages import cluster, fragmentation, job, jobs, saturation, sweep, telemetry

PAGES: tuple[ModuleType, ...] = (sweep, saturation, cluster, telemetry, jobs, fragmentation, job)
