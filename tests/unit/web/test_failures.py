"""What fails is one line of JSON in the log and one sentence for who asked, and of neither more."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Callable, Iterator
from typing import Any

import flask
import pytest
from flask.testing import FlaskClient

from gavel_dash.errors import SourceError, UsageError
from gavel_dash.sweep import LiveSweep, Sweep
from gavel_dash.web import failures
from tests.unit.web.conftest import DAMAGED

RUN = "fig10_las_2.0jph_multi_s0"
OUTPUT = "..job-lane.figure...job-note.children@0af3.."

Raise = Callable[[Exception], None]


@pytest.fixture(autouse=True)
def _logged() -> Iterator[None]:
    failures.log_to_stderr()
    yield
    failures._log.handlers.clear()


@pytest.fixture
def failing(sweep: Sweep) -> tuple[FlaskClient, Raise]:
    """A server whose views raise what they are told to."""
    server = flask.Flask("failing")
    failures.register_failures(server, LiveSweep(sweep))
    raised: list[Exception] = []

    @server.route("/api/runs/<path:name>/rounds.csv")
    @server.route(failures.UPDATE_ROUTE, methods=["POST"])
    def view(name: str = "") -> None:
        raise raised[-1]

    return server.test_client(), raised.append


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


def test_a_slip_of_ours_is_an_error_with_its_traceback_in_one_field(
    failing: tuple[FlaskClient, Raise], capsys: pytest.CaptureFixture[str]
) -> None:
    client, fail_with = failing
    fail_with(ValueError("a slip\nwith a second line"))
    answer = client.get(f"/api/runs/{RUN}/rounds.csv")
    assert (answer.status_code, answer.mimetype) == (500, "text/plain")
    assert answer.text == "ValueError: a slip. The server's log has the details.\n"
    [line] = lines(capsys)
    assert "second line" in line.pop("traceback").splitlines()[-1]
    assert line.pop("time").endswith("+00:00")
    assert line == {
        "level": "error",
        "event": "route_failed",
        "request_id": answer.headers["X-Request-ID"],
        "route": f"/api/runs/{RUN}/rounds.csv",
        "runs": [RUN],
        "error": "ValueError",
        "message": "a slip\nwith a second line",
    }


def test_a_callback_is_named_by_its_outputs_and_the_runs_it_was_given(
    failing: tuple[FlaskClient, Raise], capsys: pytest.CaptureFixture[str]
) -> None:
    client, fail_with = failing
    fail_with(SourceError(RUN, "rounds", "none"))
    inputs = [[{"id": "job-who", "property": "data", "value": [DAMAGED, {"deep": ["fig10", 3]}]}]]
    state = [{"id": "url", "property": "href", "value": f"http://localhost/job?run={RUN}&job=3"}]
    body = {"output": OUTPUT, "outputs": [], "inputs": inputs, "state": state}
    answer = client.post(failures.UPDATE_ROUTE, json=body)
    assert (answer.status_code, answer.text) == (404, f"{RUN}: expected rounds, found none\n")
    [line] = lines(capsys)
    assert (line["level"], line["event"]) == ("warning", "callback_failed")
    assert line["outputs"] == ["job-lane.figure", "job-note.children"]
    assert line["runs"] == [DAMAGED, RUN]
    assert "traceback" not in line


@pytest.mark.parametrize("body", [b"", b"[1, 2", b"[]", b'{"output": 5, "inputs": 7}'])
def test_a_request_that_makes_no_sense_is_logged_too(
    failing: tuple[FlaskClient, Raise], capsys: pytest.CaptureFixture[str], body: bytes
) -> None:
    client, fail_with = failing
    fail_with(KeyError("output"))
    assert client.post(failures.UPDATE_ROUTE, data=body, content_type="application/json").status_code == 500
    [line] = lines(capsys)
    assert (line["error"], line["runs"]) == ("KeyError", [])


def test_asking_for_what_is_not_there_is_no_error(client: FlaskClient, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert client.get("/api/runs/nobody/rounds.csv").status_code == 404
    assert client.get("/api/runs/nobody/viz/0/0-1").status_code == 404
    assert client.get(f"/api/runs/{DAMAGED}/rounds.csv").status_code == 404
    assert [line["level"] for line in lines(capsys)] == ["info", "info", "warning"]


def test_secrets_stay_out_of_the_log(failing: tuple[FlaskClient, Raise], capsys: pytest.CaptureFixture[str]) -> None:
    client, fail_with = failing
    fail_with(UsageError("nothing at /job?token=hunter2&job=3"))
    client.get(f"/api/runs/{RUN}/rounds.csv?token=hunter2")
    error = capsys.readouterr().err
    assert "hunter2" not in error
    assert json.loads(error)["message"] == "nothing at /job?token=...&job=3"


def test_what_a_request_brings_cannot_forge_a_line(
    failing: tuple[FlaskClient, Raise], capsys: pytest.CaptureFixture[str]
) -> None:
    client, fail_with = failing
    fail_with(UsageError('no run is named x\n{"level":"error"}'))
    client.get(
        "/api/runs/x%22,%22level%22:%22error%22/rounds.csv", headers={"X-Request-ID": 'forged", "level": "error'}
    )
    [line] = lines(capsys)
    assert line["level"] == "info"
    assert len(line["request_id"]) == 12


def test_a_proxys_request_id_is_kept(failing: tuple[FlaskClient, Raise], capsys: pytest.CaptureFixture[str]) -> None:
    client, fail_with = failing
    fail_with(ValueError())
    answer = client.get(f"/api/runs/{RUN}/rounds.csv", headers={"X-Request-ID": "edge-7.2"})
    assert answer.headers["X-Request-ID"] == "edge-7.2"
    assert lines(capsys)[0]["request_id"] == "edge-7.2"


def test_a_log_that_cannot_be_written_does_not_stop_the_answer(
    failing: tuple[FlaskClient, Raise], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Full:
        def write(self, _text: str) -> int:
            raise OSError(28, "No space left on device")

        def flush(self) -> None:
            pass

    client, fail_with = failing
    fail_with(ValueError("a slip"))
    monkeypatch.setattr(sys, "stderr", Full())
    monkeypatch.setattr(logging, "raiseExceptions", False)
    assert client.get(f"/api/runs/{RUN}/rounds.csv").status_code == 500


def test_the_whole_app_has_no_traceback_for_a_browser(
    sweep: Sweep, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from gavel_dash.web.app import create_app

    client = create_app(sweep).server.test_client()
    client.get("/")
    capsys.readouterr()

    def fail(*_: object) -> None:
        raise ValueError("a slip")

    monkeypatch.setattr(type(sweep), "curves", fail)
    answer = client.get("/api/curves.csv")
    assert (answer.status_code, answer.text) == (500, "ValueError: a slip. The server's log has the details.\n")
    assert [line["event"] for line in lines(capsys)] == ["route_failed"]
