"""The Dash app: pages registered explicitly, assets of this machine only, errors said aloud."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Callable
from functools import cache
from importlib import resources
from pathlib import Path
from types import ModuleType

import dash
import flask
from dash import Dash, State, dcc, html
from dash.development.base_component import Component
from flask_compress import Compress

from gavel_dash.errors import GavelDashError
from gavel_dash.pages import PAGES
from gavel_dash.sweep import Sweep, open_sweep
from gavel_dash.ui import empty_state
from gavel_dash.web.api import register_api
from gavel_dash.web.player_api import register_player_api
from gavel_dash.web.run_api import register_run_api
from gavel_dash.web.shell import ERROR_HEADER, INDEX, build_shell, register_shell_callbacks

ASSETS = Path(__file__).resolve().parents[2] / "assets"
BOOTSTRAP_ROUTE = "/vendor/bootstrap.min.css"
_SWEEP = "GAVEL_DASH_SWEEP"
_NO_VISIT = object()
_log = logging.getLogger(__name__)


def create_app(sweep: Sweep) -> Dash:
    """Build the app over a sweep. May be called any number of times in one process.

    Parameters
    ----------
    sweep : Sweep
        Kept in the Flask app's config; pages get it as an argument.
    """
    app = Dash(
        __name__,
        title="Gavel Dash",
        update_title=None,
        use_pages=True,
        pages_folder="",
        assets_folder=str(ASSETS),
        assets_ignore=r"\.mjs$",  # modules import each other; as scripts of the page they would be loaded twice
        serve_locally=True,
        external_stylesheets=[BOOTSTRAP_ROUTE],
        index_string=INDEX,
        on_error=_say_error,
        # What tells a visit from Dash's own question which ids a page has.
        routing_callback_inputs={"href": State("_pages_location", "href")},
    )
    app.server.config[_SWEEP] = sweep
    _register_pages()
    app.layout = build_shell(PAGES, sweep.name, len(sweep.names))
    _serve_bootstrap(app.server)
    _compress(app.server)
    register_api(app.server, sweep)
    register_run_api(app.server, sweep)
    register_player_api(app.server, sweep)
    register_shell_callbacks(app)
    for page in PAGES:
        page.register_callbacks(app, sweep)
    app.enable_dev_tools(debug=False, dev_tools_disable_version_check=True)
    return app


def _register_pages() -> None:
    # Dash's registry is global: its entries hold no sweep, so that a second app shows its own.
    dash.page_registry.clear()
    for order, page in enumerate(PAGES):
        title = f"{page.TITLE} · Gavel Dash"
        dash.register_page(
            page.__name__, path=page.PATH, name=page.TITLE, title=title, order=order, layout=_layout_of(page)
        )
    dash.register_page("not_found_404", path="/404", title="Not found · Gavel Dash", order=99, layout=_not_found)


def _layout_of(page: ModuleType) -> Callable[..., Component]:
    def layout(href: object = _NO_VISIT, **query: object) -> Component:
        query.pop("sweep", None)  # would collide with the argument of that name
        try:
            if href is _NO_VISIT:
                return ids_of(page)
            component: Component = page.layout(flask.current_app.config[_SWEEP], **query)
        except Exception as error:  # noqa: BLE001 - a page that fails must not take the others with it
            sentence = f"The {page.TITLE} page cannot be shown: {_sentence(error)}"
            return empty_state(sentence, dcc.Link("Go to the sweep", href="/"))
        return component

    return layout


def ids_of(page: ModuleType) -> Component:
    """Every component of a page that has an id, with nothing but that.

    Dash puts the layouts of all pages into the first page it sends, to check the ids and properties of callbacks. A
    page has its ids without runs too; with all of a sweep, that would be most of the time until the first page.
    """
    parts = [part for part in page.layout(_no_runs())._traverse() if getattr(part, "id", None)]
    for part in parts:
        for name in part.to_plotly_json()["props"].keys() - {"id"}:
            delattr(part, name)
    return html.Div(parts)


@cache
def _no_runs() -> Sweep:
    with tempfile.TemporaryDirectory() as nothing:
        return open_sweep(nothing)


def _not_found(**_query: object) -> Component:
    return empty_state("There is no page at this address.", dcc.Link("Go to the sweep", href="/"))


def _serve_bootstrap(server: flask.Flask) -> None:
    css = (resources.files("flask_bootstrap") / "static/bootstrap5/css/bootstrap.min.css").read_bytes()

    @server.route(BOOTSTRAP_ROUTE)
    def bootstrap_css() -> flask.Response:
        return flask.Response(css, mimetype="text/css", headers={"Cache-Control": "max-age=86400"})


def _compress(server: flask.Flask) -> None:
    # Figures, pages and tables. Static files would be compressed again for every visitor, and the player's bytes are.
    server.config["COMPRESS_MIMETYPES"] = ["application/json", "text/html", "text/csv"]
    server.config["COMPRESS_ALGORITHM"] = ["zstd", "gzip"]
    server.config["COMPRESS_LEVEL"] = 1
    Compress(server)


def _say_error(error: Exception) -> None:
    """Show in the toast what went wrong in a callback."""
    dash.set_props("shell-toast", {"header": ERROR_HEADER, "children": _sentence(error), "is_open": True})


def _sentence(error: Exception) -> str:
    """What to say of an error; what is not one of ours goes to the log with its traceback."""
    if isinstance(error, GavelDashError):
        return str(error)
    _log.error("a page or callback failed", exc_info=error)
    return f"{type(error).__name__}: {error}. The server's log has the details; reloading the page may help."
