"""Shared controls: the only place where the look of a button, a panel or an empty state is decided."""

from gavel_dash.ui.controls import button, csv_link, drawer, empty_state, labelled, page_header, panel, tile

__all__ = ["button", "csv_link", "drawer", "empty_state", "labelled", "page_header", "panel", "tile"]
