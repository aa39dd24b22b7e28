"""The Dash app: pages registered explicitly, assets of this machine only, errors said aloud."""

from __future__ import annotations

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

from gavel_dash.kernel.mapped_files import unchanged_files
from gavel_dash.pages import PAGES
from gavel_dash.settings import Settings
from gavel_dash.sweep import LiveSweep, Sweep, open_sweep
from gavel_dash.ui import LIVE_PAGE, empty_state, error_state
from gavel_dash.web.api import register_api
from gavel_dash.web.failures import log_failure, register_failures, sentence_of
from gavel_dash.web.health import register_health
from gavel_dash.web.live import register_live, state_of_page
from gavel_dash.web.player_api import register_player_api
from gavel_dash.web.process import prepare_process
from gavel_dash.web.run_api import register_run_api
from gavel_dash.web.security import inline_script_hashes, secure
from gavel_dash.web.shell import INDEX, build_shell, register_shell_callbacks

ASSETS = Path(__file__).resolve().parents[2] / "assets"
BOOTSTRAP_ROUTE = "/vendor/bootstrap.min.css"
_SWEEP = "GAVEL_DASH_SWEEP"
_NO_VISIT = object()


def create_app(sweep: Sweep, settings: Settings | None = None) -> Dash:
    """Build the app over a sweep. May be called any number of times in one process.

    Parameters
    ----------
    sweep : Sweep
        Kept in the Flask app's config; pages get it as an argument.
    settings : Settings, optional
        Decides who may ask; by default this machine alone.
    """
    prepare_process()
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
        # What tells a visit from Dash's own question which ids a page has.
        routing_callback_inputs={"href": State("_pages_location", "href")},
    )
    live = app.server.config[_SWEEP] = LiveSweep(sweep)
    _register_pages()
    app.layout = lambda: build_shell(PAGES, live.now)
    _serve_bootstrap(app.server)
    _compress(app.server)
    register_failures(app.server, live)
    register_health(app.server, live)
    register_live(app.server, live)
    register_api(app.server, live)
    register_run_api(app.server, live)
    register_player_api(app.server, live)
    register_shell_callbacks(app)
    for page in PAGES:
        page.register_callbacks(app, live)
    app.enable_dev_tools(debug=False, dev_tools_disable_version_check=True)
    for endpoint, view in app.server.view_functions.items():
        app.server.view_functions[endpoint] = unchanged_files()(view)  # or else no answer is made of them
    of_index = inline_script_hashes(INDEX)
    secure(app.server, settings or Settings(), lambda: [*app.csp_hashes(), *of_index], app.callback_map)
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
            sweep: Sweep = flask.current_app.config[_SWEEP].now
            component: Component = page.layout(sweep, **query)
            dash.set_props(LIVE_PAGE, {"data": state_of_page(sweep, query)})
        except Exception as error:  # noqa: BLE001 - a page that fails must not take the others with it
            log_failure(error, "page_failed")
            return error_state(f"The {page.TITLE} page cannot be shown: {sentence_of(error)}")
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
