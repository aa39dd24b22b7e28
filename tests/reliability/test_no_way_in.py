"""Who is let in, what an address can reach, and that every text of a sweep stays text."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from gavel_dash.settings import Settings
from gavel_dash.sweep import Sweep, open_sweep
from gavel_dash.web.app import create_app
from gavel_dash.web.security import COOKIE, MOST_BODY_BYTES
from tests.reliability.hostile import RUNS, write_hostile_sweep

TOKEN = "correct horse é"
UPDATE = "/_dash-update-component"


@pytest.fixture(scope="module")
def sweep(tmp_path_factory: pytest.TempPathFactory) -> Sweep:
    """The hostile sweep."""
    directory = tmp_path_factory.mktemp("hostile")
    write_hostile_sweep(directory)
    return open_sweep(directory)


@pytest.fixture(scope="module")
def server(sweep: Sweep) -> Flask:
    """As it listens by default: on this machine, without a token."""
    return create_app(sweep).server


@pytest.fixture
def client(server: Flask) -> FlaskClient:
    return server.test_client()


@pytest.fixture(scope="module")
def token_server(sweep: Sweep) -> Flask:
    """One that all may reach, and that asks for a token."""
    return create_app(sweep, Settings(host="0.0.0.0", token=TOKEN)).server


@pytest.fixture
def stranger(token_server: Flask) -> FlaskClient:
    """Somebody who has not given the token yet."""
    return token_server.test_client()


def assert_refused(answer: TestResponse, *statuses: int) -> None:
    """A status among these and one sentence, without a traceback or a page."""
    assert answer.status_code in statuses, (answer.status_code, answer.text[:200])
    assert answer.mimetype == "text/plain"
    assert answer.text.count("\n") == 1
    assert "Traceback" not in answer.text


# ---- what an address can reach

TRICKS = [
    "..%2f..%2fetc%2fpasswd",
    "%2e%2e/%2e%2e/app.py",
    "..%252f..%252fetc%252fpasswd",
    "..\\..\\app.py",
    "..%5c..%5capp.py",
    "%2fetc%2fpasswd",
    "%00",
    "a%2500b",
    quote("．．／．．／app.py"),
    quote("‥/app.py"),
    "a" * 2000,
]


@pytest.mark.parametrize("trick", TRICKS)
@pytest.mark.parametrize(
    "around",
    ["/{}", "/assets/{}", "/api/runs/{}/rounds.csv", "/api/runs/{}/viz/0/0-8", "/_dash-component-suites/dash/{}"],
)
def test_tricks_in_an_address_are_refused(client: FlaskClient, around: str, trick: str) -> None:
    assert_refused(client.get(around.format(trick)), 400)


@pytest.mark.parametrize(
    ("part", "text"),
    [
        ("PATH_INFO", "/\xc0\xae\xc0\xae\xc0\xafapp.py"),
        ("PATH_INFO", "/api/runs/\xff/rounds.csv"),
        ("PATH_INFO", "/assets/\xed\xa0\x80"),
        ("QUERY_STRING", "run=\xff"),
    ],
)
def test_bytes_that_are_no_utf8_are_refused(client: FlaskClient, part: str, text: str) -> None:
    assert_refused(client.get("/", environ_overrides={part: text}), 400)


@pytest.mark.parametrize("name", ["no-such-run", "passwd", "%252e", "*", "%E2%80%AEnib.ziv"])
@pytest.mark.parametrize("rest", ["rounds.csv", "jobs.csv", "segments.csv", "viz/0/0-8", "player/0/clock"])
def test_only_runs_of_the_sweep_have_data(client: FlaskClient, name: str, rest: str) -> None:
    assert_refused(client.get(f"/api/runs/{name}/{rest}"), 404)


@pytest.mark.parametrize("query", ["run=%00", "run=a&run=b%00", "%00=1"])
def test_nul_in_a_query_is_refused(client: FlaskClient, query: str) -> None:
    assert_refused(client.get(f"/api/jobs.csv?{query}"), 400)


@pytest.mark.parametrize("table", ["telemetry", "jobs", "distribution", "quantiles"])
def test_a_path_for_a_run_is_no_run(client: FlaskClient, sweep: Sweep, table: str) -> None:
    for path in ("../../etc/passwd", "/etc/passwd", str(sweep.path / f"{RUNS[0]}.viz.bin")):
        assert_refused(client.get(f"/api/{table}.csv", query_string={"run": path}), 404)


@pytest.mark.parametrize("path", ["/api/nothing", "/assets/nothing.css", "/_dash-component-suites/dash/nothing.js"])
def test_what_is_not_there_is_one_sentence(client: FlaskClient, path: str) -> None:
    assert_refused(client.get(path), 404)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"{}",
        b'{"output": 5, "outputs": [], "inputs": []}',
        b'{"output": "../../etc/passwd", "outputs": {"id": "a", "property": "b"}, "inputs": []}',
        b'{"output": "x.y", "outputs": {"id": "a", "property": "b"}, "inputs": 3}',
        b"\xff\xfe",
    ],
)
def test_a_callback_that_is_none_is_refused(client: FlaskClient, body: bytes) -> None:
    assert_refused(client.post(UPDATE, data=body, content_type="application/json"), 400)


def test_a_link_out_of_the_sweep_is_not_served(tmp_path: Path) -> None:
    outside, inside = tmp_path / "outside", tmp_path / "sweep"
    for directory in (outside, inside, inside / "here"):
        directory.mkdir()
    write_hostile_sweep(outside)
    secret = outside / f"{RUNS[0]}.viz.bin"
    (inside / "linked.viz.bin").symlink_to(secret)
    (inside / "chain.viz.bin").symlink_to(inside / "linked.viz.bin")
    (inside / "up.viz.bin").symlink_to(Path("..") / "outside" / secret.name)
    (inside / "directory").symlink_to(outside)
    (inside / "results.csv").symlink_to(outside / "results.csv")
    (inside / "run").mkdir()
    (inside / "run" / "simulation.log").write_text("")
    (inside / "run" / "timing.json").symlink_to(outside / "timing.json")
    (outside / "timing.json").write_text(json.dumps({"experiment": {"name": "stolen"}}))
    (inside / "here" / "own.viz.bin").write_bytes(secret.read_bytes())
    (inside / "alias.viz.bin").symlink_to(inside / "here" / "own.viz.bin")
    sweep = open_sweep(inside)
    assert sorted(sweep.names) == ["alias", "own", "run"]
    (problem,) = (text for text in sweep.problems if "links out of the sweep" in text)
    assert "and 5 more" in problem
    assert_refused(create_app(sweep).server.test_client().get("/api/runs/linked/rounds.csv"), 404)


# ---- sizes


@pytest.mark.parametrize("path", [UPDATE, "/"])
def test_a_large_body_is_refused(client: FlaskClient, path: str) -> None:
    answer = client.post(path, data=b"x" * (MOST_BODY_BYTES + 1), content_type="application/json")
    assert_refused(answer, 413 if path == UPDATE else 405)


def test_of_a_body_of_unknown_length_no_more_than_that_is_read(client: FlaskClient) -> None:
    body = io.BytesIO(b'"' + b"x" * MOST_BODY_BYTES + b'"')
    environ = {"HTTP_TRANSFER_ENCODING": "chunked", "wsgi.input_terminated": True, "CONTENT_LENGTH": ""}
    answer = client.post(UPDATE, input_stream=body, content_type="application/json", environ_overrides=environ)
    assert_refused(answer, 400)
    assert body.tell() == MOST_BODY_BYTES


def test_nothing_can_be_uploaded(server: Flask) -> None:
    rules = [rule for rule in server.url_map.iter_rules() if rule.methods and rule.methods - {"GET", "HEAD", "OPTIONS"}]
    assert [rule.rule for rule in rules] == [UPDATE]
    assert '"type":"Upload"' not in server.test_client().get("/").text  # it holds the parts of all pages


# ---- who may ask


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:8050", "127.0.0.1:8050", "127.1.2.3", "[::1]:8050"])
def test_this_machines_names_are_answered(client: FlaskClient, host: str) -> None:
    assert client.get("/", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "host",
    ["evil.invalid", "127.0.0.1.evil.invalid", "localhost.evil.invalid:8050", "192.0.2.1", "[2001:db8::1]", "0.0.0.0"],
)
@pytest.mark.parametrize("path", ["/", "/api/runs.csv", "/assets/theme.css"])
def test_a_name_pointed_at_this_machine_is_refused(client: FlaskClient, host: str, path: str) -> None:
    assert_refused(client.get(path, headers={"Host": host}), 403)


def test_who_says_host_is_answered_under_any_name(sweep: Sweep) -> None:
    client = create_app(sweep, Settings(host="0.0.0.0")).server.test_client()
    assert client.get("/api/runs.csv", headers={"Host": "cluster.example"}).status_code == 200


@pytest.mark.parametrize("path", ["/", "/api/runs.csv", "/assets/theme.css", "/_dash-layout", "/nothing"])
def test_without_the_token_there_is_nothing(stranger: FlaskClient, path: str) -> None:
    answer = stranger.get(path, headers={"Host": "cluster.example"})
    assert answer.status_code == 401
    assert 'name="token"' in answer.text
    assert "gdx" not in answer.text


@pytest.mark.parametrize("given", ["", "wrong", TOKEN[:-1], TOKEN + " ", TOKEN.upper(), "\udcff"])
def test_a_wrong_token_is_refused(stranger: FlaskClient, given: str) -> None:
    as_text = given.encode(errors="surrogateescape")
    assert stranger.get(f"/?token={quote(as_text)}").status_code == 401
    assert stranger.post("/", data={"token": as_text.decode("latin-1")}).status_code == 401
    assert stranger.get("/", headers={"Authorization": "Bearer wrong"}).status_code == 401
    stranger.set_cookie(COOKIE, "wrong")
    assert stranger.get("/").status_code == 401
    stranger.set_cookie(COOKIE, quote(TOKEN))
    assert stranger.get("/").status_code == 401


@pytest.mark.parametrize("by_form", [False, True], ids=["address", "form"])
def test_the_token_is_given_once_and_leaves_the_address(stranger: FlaskClient, by_form: bool) -> None:
    if by_form:
        answer = stranger.post("/cluster?run=a%26b&x=", data={"token": TOKEN})
    else:
        answer = stranger.get(f"/cluster?run=a%26b&token={quote(TOKEN)}&x=")
    assert answer.status_code == 303
    assert answer.headers["Location"] == "/cluster?run=a%26b&x="
    cookie = answer.headers["Set-Cookie"]
    assert {"HttpOnly", "SameSite=Strict", "Path=/"} <= set(cookie.split("; "))
    assert TOKEN not in cookie
    assert stranger.get("/api/runs.csv").status_code == 200


def test_a_program_gives_the_token_in_a_header(sweep: Sweep) -> None:
    program = create_app(sweep, Settings(token="plain-token")).server.test_client()
    for value, status in (("Bearer plain-token", 200), ("Bearer plain-toke", 401), ("Basic cGxhaW4tdG9rZW4=", 401)):
        assert program.get("/api/runs.csv", headers={"Authorization": value}).status_code == status
    assert "Set-Cookie" not in program.get("/api/runs.csv", headers={"Authorization": "Bearer plain-token"}).headers


def test_the_way_back_is_never_another_site(stranger: FlaskClient) -> None:
    for path in ("//evil.invalid/", "/%2fevil.invalid/", "/\\evil.invalid/", "/%5cevil.invalid/"):
        answer = stranger.get(f"{path}?token={quote(TOKEN)}")
        assert not re.match(r"[/\\]{2}|\w+:", answer.headers.get("Location", "/")), path


def test_a_link_of_another_site_is_followed_once_more(stranger: FlaskClient) -> None:
    """A strict cookie is not sent with it."""
    assert "http-equiv" in stranger.get("/", headers={"Sec-Fetch-Site": "cross-site"}).text
    assert "http-equiv" not in stranger.get("/", headers={"Sec-Fetch-Site": "same-origin"}).text


def test_the_token_is_not_shown_by_accident() -> None:
    assert TOKEN not in repr(Settings(token=TOKEN))


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site", "Origin": "http://localhost"},
        {"Origin": "http://evil.invalid"},
        {"Origin": "null"},
        {"Origin": "http://localhost:1"},
        {"Origin": "http://["},
        {"Origin": ""},
    ],
)
def test_another_sites_page_calls_nothing_back(client: FlaskClient, headers: dict[str, str]) -> None:
    assert_refused(client.post(UPDATE, json={}, headers=headers), 403)


@pytest.mark.parametrize("headers", [{"Sec-Fetch-Site": "same-origin"}, {"Origin": "http://localhost"}, {}])
def test_our_own_page_calls_back(client: FlaskClient, headers: dict[str, str]) -> None:
    assert client.post(UPDATE, json={}, headers=headers).status_code == 400  # it is let in and has nothing to ask


# ---- what an answer forbids

ANSWERS = {
    "/": 200,
    "/assets/theme.css": 200,
    "/vendor/bootstrap.min.css": 200,
    "/api/runs.csv": 200,
    "/api/nothing": 404,
    "/_dash-dependencies": 200,
    "/..%2f": 400,
    f"/api/runs/{quote(RUNS[0])}/player/0/clock": 409,
}


@pytest.mark.parametrize("path", ANSWERS)
def test_every_answer_has_the_headers(client: FlaskClient, path: str) -> None:
    answer = client.get(path, buffered=True)
    assert answer.status_code == ANSWERS[path]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["X-Frame-Options"] == "DENY"
    assert answer.headers["Referrer-Policy"] == "same-origin"
    assert answer.headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
    policy = dict(part.split(" ", 1) for part in answer.headers["Content-Security-Policy"].split("; "))
    assert policy["default-src"] == "'self'"
    assert policy["frame-ancestors"] == policy["object-src"] == policy["base-uri"] == "'none'"
    allowed = {source for sources in policy.values() for source in sources.split()}
    assert {source for source in allowed if not source.startswith("'sha256-")} == {
        *("'self'", "'none'", "'unsafe-inline'", "data:", "blob:"),
    }
    assert "unsafe" not in policy.get("script-src", "")
    assert "script-src" in policy or answer.mimetype != "text/html"


def test_only_the_players_worker_reaches_other_hosts(client: FlaskClient) -> None:
    """A user may open a file at an address; the worker that reads it has no DOM."""
    answer = client.get("/assets/player/worker/worker.mjs", buffered=True)
    assert "connect-src 'self' http: https:" in answer.headers["Content-Security-Policy"]
    assert "connect-src" not in client.get("/").headers["Content-Security-Policy"]


# ---- text stays text


def csv_addresses(sweep: Sweep) -> Iterator[str]:
    """Every table there is, of the runs of the sweep."""
    server = create_app(sweep).server
    for rule in server.url_map.iter_rules():
        if rule.rule.endswith(".csv"):
            of_run = rule.rule.replace("<path:name>", quote(RUNS[0]))
            runs = "&".join(f"run={quote(run)}" for run in RUNS)
            yield f"{of_run}?job=5&round_index=12" if of_run != rule.rule else f"{of_run}?{runs}"


def test_no_cell_of_a_table_is_a_formula(client: FlaskClient, sweep: Sweep) -> None:
    n_marked = 0
    for address in csv_addresses(sweep):
        answer = client.get(address)
        if address.startswith("/api/paper_error"):
            continue  # none of these curves is in the paper
        assert answer.status_code == 200, (address, answer.text)
        for row in csv.reader(io.StringIO(answer.text, newline="")):
            for cell in row:
                assert not cell.startswith(("=", "+", "@", "\t", "\r", "\n")), (address, cell)
                assert not cell.startswith("-") or float(cell) < 0, (address, cell)
                n_marked += cell.startswith(("'=", "'+", "'@", "'-"))
        assert "filename=" in answer.headers["Content-Disposition"]
        assert not set('<>"') & set(answer.headers["Content-Disposition"].split('filename="')[1][:-1])
    assert n_marked > 10
