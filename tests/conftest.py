"""What several rooms' tests share: where the real files are, and a cache that is not the user's."""

from __future__ import annotations

import os
from collections.abc import Iterator
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


@pytest.fixture(scope="session", autouse=True)
def _cache_of_the_tests(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Iterator[None]:
    # One for all processes of a run of the tests, so that the kernel is compiled and each run unpacked once.
    of_this_process = tmp_path_factory.getbasetemp()
    shared = of_this_process if worker_id == "master" else of_this_process.parent
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GAVEL_DASH_CACHE", str(shared / "cache"))
        yield
