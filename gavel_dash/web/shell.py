"""The frame around every page: top bar, help sheet, error toast, theme."""

from __future__ import annotations

from collections.abc import Sequence
from types import ModuleType

import dash
import dash_bootstrap_components as dbc
from dash import ClientsideFunction, Dash, Input, Output, State, dcc, html
from dash.development.base_component import Component

from gavel_dash.sweep import Sweep
from gavel_dash.ui import LIVE_PAGE, LIVE_STORES
from gavel_dash.ui.words import count_runs

#: Over what the toast says; pages may put another over a hint.
ERROR_HEADER = "Something went wrong"

#: Keys that work on every page; a page may add its own as a tuple `KEYS` of (key, meaning).
SHELL_KEYS = (("?", "this help"), ("/", "search"), ("Esc", "close what is open"))

#: Applied before the first paint, so that a dark page never flashes white. The Store reads the same entry.
INDEX = """<!DOCTYPE html>
<html lang="en">
<head>
{%metas%}
<title>{%title%}</title>
{%favicon%}
<script>
(function () {
  var theme = null;
  try { theme = JSON.parse(localStorage.getItem("theme")); } catch (error) { theme = null; }
  if (theme !== "light" && theme !== "dark") {
    theme = window.matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
    try { localStorage.setItem("theme", JSON.stringify(theme)); } catch (error) { /* private mode: not remembered */ }
  }
  document.documentElement.dataset.bsTheme = theme;
  document.documentElement.dataset.agThemeMode = theme;
})();
</script>
{%css%}
</head>
<body>
{%app_entry%}
<footer>{%config%}{%scripts%}{%renderer%}</footer>
</body>
</html>
"""


def page_keys(titles: Sequence[str]) -> dict[str, str]:
    """The letter after ``g`` that opens each page: the first letter of its title that is still free."""
    keys: dict[str, str] = {}
    for title in titles:
        key = next((c for c in title.lower() if c.isalpha() and c not in keys.values()), "")
        keys[title] = key
    return keys


def in_bar(page: ModuleType) -> bool:
    """Whether the top bar links to a page; of others (`NAV = False`) one needs to know what to ask."""
    return bool(getattr(page, "NAV", True))


def build_shell(pages: Sequence[ModuleType], sweep: Sweep) -> Component:
    """The whole document: skip link, top bar, the page, help sheet, toast."""
    keys = page_keys([page.TITLE for page in pages if in_bar(page)])
    links = [
        dcc.Link(
            page.TITLE,
            href=page.PATH,
            className="gd-nav-link",
            id={"type": "shell-link", "path": page.PATH},
            title=f"{page.TITLE} (g {keys[page.TITLE]})",
        )
        for page in pages
        if in_bar(page)
    ]
    return html.Div(
        [
            dcc.Store(id="theme", storage_type="local"),
            dcc.Store(id="node-sizes", storage_type="local"),
            *(dcc.Store(id=id) for id in LIVE_STORES),
            html.A("Skip to content", href="#shell-main", className="gd-skip"),
            html.Header(
                [
                    html.Span("Gavel Dash", className="gd-brand"),
                    html.Nav(links, className="gd-nav", **{"aria-label": "Pages"}),
                    html.Span(
                        [
                            html.Span(sweep.name, className="gd-sweep-name"),
                            html.Span(count_runs(sweep), id="shell-runs", className="gd-muted"),
                        ],
                        className="gd-sweep",
                        title=sweep.name,
                    ),
                    _icon_button("shell-help-button", "?", "Help and keys (?)"),
                    _icon_button("shell-theme-button", "◐", "Switch between light and dark"),
                ],
                className="gd-bar",
            ),
            html.Main(dash.page_container, id="shell-main", className="gd-main", tabIndex=-1),
            _help_sheet(pages, keys),
            dbc.Toast(
                id="shell-toast",
                header=ERROR_HEADER,
                is_open=False,
                dismissable=True,
                className="gd-toast",
            ),
            html.Div(id="shell-quiet", hidden=True),
        ],
        className="gd-app",
    )


def _icon_button(id: str, sign: str, hint: str) -> Component:
    return html.Button(
        sign, id=id, n_clicks=0, type="button", className="gd-icon-button", title=hint, **{"aria-label": hint}
    )


def _help_sheet(pages: Sequence[ModuleType], keys: dict[str, str]) -> Component:
    groups = [("Everywhere", [*SHELL_KEYS, *((f"g {keys[p.TITLE]}", f"{p.TITLE} page") for p in pages if in_bar(p))])]
    groups += [(p.TITLE, list(p.KEYS)) for p in pages if getattr(p, "KEYS", None)]
    body = [
        html.Section(
            [
                html.H3(name, className="gd-panel-title"),
                html.Dl([part for key, text in rows for part in (html.Dt(html.Kbd(key)), html.Dd(text))]),
            ]
        )
        for name, rows in groups
    ]
    return dbc.Modal(
        [dbc.ModalHeader(dbc.ModalTitle("Keys")), dbc.ModalBody(body, className="gd-help")],
        id="shell-help",
        is_open=False,
        size="lg",
    )


def register_shell_callbacks(app: Dash) -> None:
    """Theme, help sheet and the mark on the current page's link: all in the browser."""
    app.clientside_callback(
        ClientsideFunction("shell", "toggleTheme"),
        Output("theme", "data"),
        Input("shell-theme-button", "n_clicks"),
        State("theme", "data"),
        prevent_initial_call=True,
    )
    app.clientside_callback(
        ClientsideFunction("shell", "applyTheme"),
        Output("shell-quiet", "children"),
        Input("theme", "data"),
    )
    app.clientside_callback(
        "function (clicks, isOpen) { return !isOpen; }",
        Output("shell-help", "is_open"),
        Input("shell-help-button", "n_clicks"),
        State("shell-help", "is_open"),
        prevent_initial_call=True,
    )
    app.clientside_callback(
        ClientsideFunction("shell", "markPage"),
        Output("shell-quiet", "title"),
        Input("_pages_location", "pathname"),
    )
    app.clientside_callback(
        ClientsideFunction("live", "begin"),
        Output("shell-quiet", "lang"),
        Input(LIVE_PAGE, "data"),
    )
