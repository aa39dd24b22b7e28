"""Settings: command line before environment before default."""

from __future__ import annotations

from pathlib import Path

import pytest

from gavel_dash.errors import UsageError
from gavel_dash.settings import Settings, read_settings

BUNDLED = str(Path(__file__).parents[2] / "experiments")


@pytest.mark.parametrize(
    ("arguments", "environ", "expected"),
    [
        ([], {}, Settings(BUNDLED, "127.0.0.1", 8050)),
        ([], {"SWEEP": "s", "PORT": "9000", "HOST": "::1"}, Settings("s", "::1", 9000)),
        (["t", "--port", "9001", "--host", "h"], {"SWEEP": "s", "PORT": "9000"}, Settings("t", "h", 9001)),
        ([], {"SWEEP": "", "PORT": ""}, Settings(BUNDLED, "127.0.0.1", 8050)),
    ],
)
def test_order(arguments: list[str], environ: dict[str, str], expected: Settings) -> None:
    assert read_settings(arguments, environ) == expected


@pytest.mark.parametrize("port", ["eighty", "70000", "-1", "80.5"])
def test_a_port_that_is_none(port: str) -> None:
    with pytest.raises(UsageError, match="is not a number from 0 to 65535"):
        read_settings([f"--port={port}"], {})
