"""The web: the Dash app around the pages, and the CSV routes under /api."""

from gavel_dash.web.app import create_app

__all__ = ["create_app"]
