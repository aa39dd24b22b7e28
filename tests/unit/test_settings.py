"""Settings: command line before environment before default."""

from __future__ import annotations

from pathlib import Path

import pytest

from gavel_dash.errors import UsageError
from gavel_dash.settings import Settings, is_loopback, read_settings

BUNDLED = str(Path(__file__).parents[2] / "experiments")


@pytest.mark.parametrize(
    ("arguments", "environ", "expected"),
    [
        ([], {}, Settings(BUNDLED, "127.0.0.1", 8050)),
        ([], {"SWEEP": "s", "PORT": "9000", "HOST": "::1"}, Settings("s", "::1", 9000)),
        (["t", "--port", "9001", "--host", "h"], {"SWEEP": "s", "PORT": "9000"}, Settings("t", "h", 9001)),
        ([], {"SWEEP": "", "PORT": ""}, Settings(BUNDLED, "127.0.0.1", 8050)),
        ([], {"GAVEL_DASH_TOKEN": "t"}, Settings(token="t")),
        (["--token", "u"], {"GAVEL_DASH_TOKEN": "t"}, Settings(token="u")),
    ],
)
def test_order(arguments: list[str], environ: dict[str, str], expected: Settings) -> None:
    assert read_settings(arguments, environ) == expected


@pytest.mark.parametrize("port", ["eighty", "70000", "-1", "80.5"])
def test_a_port_that_is_none(port: str) -> None:
    with pytest.raises(UsageError, match="is not a number from 0 to 65535"):
        read_settings([f"--port={port}"], {})


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "::1", "localhost"])
def test_this_machine_alone(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "", "localhost.example", "127.0.0.1.example"])
def test_more_than_this_machine(host: str) -> None:
    assert not is_loopback(host)
