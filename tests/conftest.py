"""What several rooms' tests share: where the real files are."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[1]


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The directory of real logs and files: GAVEL_DASH_DATA, else ../shared/data beside the repository."""
    path = Path(os.environ.get("GAVEL_DASH_DATA") or REPOSITORY.parent / "shared" / "data")
    if not (path / "published").is_dir():
        pytest.skip("the real files are not here; point GAVEL_DASH_DATA at them")
    return path
