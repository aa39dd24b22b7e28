"""The web: the Dash app around the pages, and the CSV routes under /api."""
