"""Serving: one line for what is wrong, the next free port, a WSGI entry without side effects."""

from __future__ import annotations

import gc
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from werkzeug.serving import BaseWSGIServer

from gavel_dash.errors import UsageError
from gavel_dash.web.serve import address, bind, build_server, main

REPOSITORY = Path(__file__).parents[3]


def test_a_sweep_that_does_not_exist_is_one_line_and_exit_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path / "missing")]) == 2
    error = capsys.readouterr().err
    assert "nothing there" in error
    assert error.count("\n") == 1


def test_a_bad_port_is_one_line_and_exit_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--port", "eighty"]) == 2
    assert "port 'eighty' is not a number" in capsys.readouterr().err


def test_a_taken_port_moves_on() -> None:
    with bind("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with bind("127.0.0.1", port) as second:
            assert port < second.getsockname()[1] < port + 20


def test_an_address_that_is_not_ours() -> None:
    with pytest.raises(UsageError, match="is not an address of this machine"):
        bind("no-such-host.invalid", 8050)


@pytest.mark.parametrize(
    ("host", "shown"),
    [("127.0.0.1", "http://127.0.0.1:1"), ("0.0.0.0", "http://127.0.0.1:1"), ("::", "http://[::1]:1")],
)
def test_the_address_can_be_opened(host: str, shown: str) -> None:
    assert address(host, 1) == shown


def test_the_wsgi_entry_serves_the_environments_sweep(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SWEEP", str(directory))
    assert build_server().test_client().get("/api/runs.csv").status_code == 200


def test_the_wsgi_entry_explains_a_sweep_it_cannot_open(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SWEEP", str(tmp_path / "missing"))
    answer = build_server().test_client().get("/cluster")
    assert answer.status_code == 503
    assert "nothing there" in answer.text
    assert "nothing there" in capsys.readouterr().err


def test_help_opens_no_sweep() -> None:
    done = subprocess.run(
        [sys.executable, "app.py", "--help"],
        cwd=REPOSITORY,
        env={**os.environ, "SWEEP": "/no/such/directory"},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert "--port" in done.stdout
    assert done.stderr == ""


def test_sockets_are_closed_when_no_port_is_free(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gavel_dash.web.serve.PORTS_TO_TRY", 1)
    with bind("127.0.0.1", 0) as taken, pytest.raises(UsageError, match="cannot listen"):
        bind("127.0.0.1", taken.getsockname()[1])
    assert isinstance(taken, socket.socket)


def test_a_mistake_in_the_settings_is_said_before_anything_is_loaded() -> None:
    program = """
import sys
from gavel_dash.web.serve import main
assert main(["--port", "eighty"]) == 2
print(*sorted({"dash", "flask", "numpy", "pandas", "scipy"} & sys.modules.keys()))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=REPOSITORY, check=True)
    assert done.stdout.split() == []


def test_start_up_hands_the_garbage_collector_back(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SWEEP", str(directory))
    build_server()
    assert gc.isenabled()


@pytest.mark.parametrize(
    ("arguments", "warned"),
    [([], False), (["--host", "0.0.0.0"], True), (["--host", "0.0.0.0", "--token", "t0k"], False)],
)
def test_who_listens_to_all_without_a_token_is_warned(
    directory: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    warned: bool,
) -> None:
    def interrupt(server: BaseWSGIServer) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(BaseWSGIServer, "serve_forever", interrupt)
    assert main([str(directory), "--port", "0", *arguments]) == 0
    said = "".join(capsys.readouterr())
    assert ("without a token: everyone who can reach this machine" in said) == warned
    assert "t0k" not in said


@pytest.mark.parametrize("sweep", ["", "missing"], ids=["sound", "cannot be opened"])
def test_the_wsgi_entry_asks_for_the_environments_token(
    directory: Path, monkeypatch: pytest.MonkeyPatch, sweep: str
) -> None:
    monkeypatch.setenv("SWEEP", str(directory / sweep))
    monkeypatch.setenv("GAVEL_DASH_TOKEN", "t0k")
    client = build_server().test_client()
    assert client.get("/", headers={"Host": "cluster.example"}).status_code == 401
    answer = client.get("/", headers={"Host": "cluster.example", "Authorization": "Bearer t0k"})
    assert answer.status_code == (503 if sweep else 200)
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
