"""What pages do when the runs have changed; `assets/live.js` notices it."""

from __future__ import annotations

from dash import ClientsideFunction, Dash, Input, Output, State

#: The store of the shell with what the page was made from.
LIVE_PAGE = "live-page"
#: Stores of the shell that change with the runs: of all kinds, of those that have been measured or could be, which can
#: be opened, and those that the page shows.
LIVE_VERSION, LIVE_RESULTS, LIVE_NAMES, LIVE_SHOWN = (
    f"live-{part}" for part in ("version", "results", "names", "shown")
)

#: All stores of the shell that pages listen to.
LIVE_STORES = (LIVE_PAGE, LIVE_VERSION, LIVE_RESULTS, LIVE_NAMES, LIVE_SHOWN)


def do_again(app: Dash, signal: str, id: str, prop: str) -> None:
    """Set a property again to what it is when a signal comes: whatever follows from it is done anew."""
    app.clientside_callback(
        ClientsideFunction("live", "again"),
        Output(id, prop, allow_duplicate=True),
        Input(signal, "data"),
        State(id, prop),
        prevent_initial_call=True,
    )
