"""The player's routes: the file's own bytes under every encoding, kept by the browser, and refusals in a sentence."""

from __future__ import annotations

import gzip
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import quote

import numpy as np
import pytest
import zstandard
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from gavel_dash.sweep import Sweep, open_sweep
from gavel_dash.web.app import create_app
from gavel_dash.web.player_api import MOST_CHUNK_BYTES
from tests.make import write_completions, write_run
from tests.plain_vizbin import Round, build
from tests.unit.web.conftest import DAMAGED

RUN = "fig10_las_2.0jph_multi_s0"
ODD = "fig10_las_2.0jph_multi_s0 50% #1 & ä?=+"


def version_of(sweep: Sweep, name: str = RUN) -> str:
    return sweep[name].viz.content_id


def get(client: FlaskClient, path: str, encoding: str | None = None, known: str | None = None) -> TestResponse:
    headers = {"Accept-Encoding": encoding, "If-None-Match": known}
    return client.get(f"/api/runs/{path}", headers={key: value for key, value in headers.items() if value})


def body(answer: TestResponse) -> bytes:
    """The answer's bytes, unpacked as a browser does."""
    assert (answer.status_code, answer.mimetype) == (200, "application/octet-stream"), answer.text
    unpack = {
        None: bytes,
        "zstd": zstandard.ZstdDecompressor().decompress,
        "gzip": gzip.decompress,
    }[answer.headers.get("Content-Encoding")]
    assert int(answer.headers["Content-Length"]) == len(answer.data)
    return unpack(answer.data)


@pytest.mark.parametrize(
    ("offered", "encoding"),
    [
        (None, None),
        ("br, deflate", None),
        ("gzip, deflate, br, zstd", "zstd"),
        ("gzip, deflate", "gzip"),
        ("gzip, zstd;q=0", "gzip"),
        ("zstd;q=0, gzip;q=0", None),
    ],
)
def test_the_bytes_are_the_files(
    client: FlaskClient, sweep: Sweep, directory: Path, offered: str | None, encoding: str | None
) -> None:
    data, version = (directory / f"{RUN}.viz.bin").read_bytes(), version_of(sweep)
    for start, stop in ((0, len(data)), (777, 2801)):
        answer = get(client, f"{RUN}/viz/{version}/{start}-{stop}", offered)
        assert body(answer) == data[start:stop]
        assert answer.headers.get("Content-Encoding") == encoding
        assert answer.headers["Cache-Control"] == "private, max-age=31536000, immutable"
        assert answer.headers["Vary"] == "Accept-Encoding"


def test_small_or_incompressible_answers_are_sent_as_they_are(
    directory: Path, client: FlaskClient, sweep: Sweep
) -> None:
    assert get(client, f"{RUN}/viz/{version_of(sweep)}/0-1000", "zstd").headers.get("Content-Encoding") is None
    ids = np.random.default_rng(0).integers(1, 2**32, (50, 1000))
    (directory / "noise.viz.bin").write_bytes(build([("a", 1000)], [Round([1000], row.tolist()) for row in ids]))
    sweep = open_sweep(directory)
    answer = get(create_app(sweep).server.test_client(), f"noise/viz/{version_of(sweep, 'noise')}/8000-90000", "zstd")
    assert answer.headers.get("Content-Encoding") is None
    assert len(body(answer)) == 82_000


@pytest.mark.parametrize("path", ["viz/{}/0-4000", "player/{}/clock", "player/{}/jobs", "player/{}/series?bins=50"])
def test_what_the_browser_has_is_not_sent_again(client: FlaskClient, sweep: Sweep, path: str) -> None:
    path = f"{RUN}/{path.format(version_of(sweep))}"
    answers = {encoding: get(client, path, encoding) for encoding in ("zstd", "gzip", None)}
    tags = {answer.headers["ETag"] for answer in answers.values()}
    sent = {answer.headers.get("Content-Encoding") for answer in answers.values()}
    assert len(tags) == len(sent)
    assert all(tag.startswith('"') for tag in tags)
    for encoding, answer in answers.items():
        again = get(client, path, encoding, answer.headers["ETag"])
        assert (again.status_code, again.data) == (304, b"")
        for header in ("ETag", "Cache-Control", "Vary"):
            assert again.headers[header] == answer.headers[header]
    assert get(client, path, "zstd", '"another"').status_code == 200


def test_packed_bytes_are_of_no_use_to_a_client_that_does_not_take_them(client: FlaskClient, sweep: Sweep) -> None:
    path = f"{RUN}/viz/{version_of(sweep)}/0-4000"
    tags = [get(client, path, encoding).headers["ETag"] for encoding in ("zstd", "gzip", None)]
    assert [get(client, path, None, tag).status_code for tag in tags] == [200, 200, 304]
    assert [get(client, path, "gzip", tag).status_code for tag in tags] == [200, 304, 304]


def test_304_is_told_before_the_bytes_are_touched(
    client: FlaskClient, sweep: Sweep, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = f"{RUN}/viz/{version_of(sweep)}/0-4000"
    tag = get(client, path, "zstd").headers["ETag"]
    monkeypatch.setattr(type(sweep[RUN].viz), "file_bytes", None)
    assert get(client, path, "zstd", tag).status_code == 304


def test_jobs_are_asked_for_again_because_completions_may_change(
    client: FlaskClient, sweep: Sweep, directory: Path
) -> None:
    path = f"{RUN}/player/{version_of(sweep)}/jobs"
    before = get(client, path)
    assert before.headers["Cache-Control"] == "private, no-cache"

    run = write_run(directory / "other.viz.bin", every=1)
    run["jobs"]["duration_s"] += 0.25
    write_completions(directory / f"{RUN}_completions.json", run)
    after = get(create_app(open_sweep(directory)).server.test_client(), path, known=before.headers["ETag"])

    assert np.frombuffer(body(after), "<f8", 1) == np.frombuffer(body(before), "<f8", 1) + 0.25


def test_tables_are_the_librarys(client: FlaskClient, sweep: Sweep) -> None:
    run, version = sweep[RUN], version_of(sweep)
    clock = body(get(client, f"{RUN}/player/{version}/clock", "zstd"))
    assert np.frombuffer(clock, "<u4", 60).tolist() == run.rounds()["round"].tolist()
    assert np.frombuffer(clock, "<f4", offset=240).tolist() == run.viz.round_heads["sim_time_s"].tolist()
    jobs = body(get(client, f"{RUN}/player/{version}/jobs"))
    np.testing.assert_array_equal(np.frombuffer(jobs, "<f8", 12), run.jct_s)
    assert np.frombuffer(jobs, "<i4", offset=96).tolist() == run.first_starts.tolist()
    for query, matrix in {
        "": run.series(0, 60, 1000),
        "?bins=7": run.series(0, 60, 7),
        "?start=10&stop=47&bins=4000": run.series(10, 47, 4000),
        "?start=59": run.series(59, 60, 1000),
    }.items():
        sent = np.frombuffer(body(get(client, f"{RUN}/player/{version}/series{query}", "gzip")), "<f8")
        assert sent.reshape(matrix.shape).tolist() == matrix.tolist(), query


def test_a_run_without_rounds(directory: Path) -> None:
    (directory / "empty.viz.bin").write_bytes(build([("k80", 2)], []))
    sweep = open_sweep(directory)
    client, version = create_app(sweep).server.test_client(), version_of(sweep, "empty")
    for table in ("clock", "jobs", "series"):
        assert body(get(client, f"empty/player/{version}/{table}", "zstd")) == b""


def test_names_with_odd_characters(directory: Path) -> None:
    write_run(directory / f"{ODD}.viz.bin", every=3)
    sweep = open_sweep(directory)
    client, version = create_app(sweep).server.test_client(), version_of(sweep, ODD)
    assert version != version_of(sweep)
    answer = get(client, f"{quote(ODD)}/viz/{version}/0-2000")
    assert body(answer) == (directory / f"{ODD}.viz.bin").read_bytes()[:2000]
    assert len(body(get(client, f"{quote(ODD)}/player/{version}/clock"))) == 8 * 60


@pytest.mark.parametrize(
    ("path", "status", "sentence"),
    [
        ("nobody/viz/{version}/0-10", 404, "no run is named 'nobody'"),
        (DAMAGED + "/viz/{version}/0-10", 404, "expected"),
        (DAMAGED + "/player/{version}/series", 404, "expected"),
        (RUN + "/viz/0123456789abcdef/0-10", 409, "the run was replaced; reload the page"),
        (RUN + "/player/0123456789abcdef/clock", 409, "the run was replaced; reload the page"),
        (RUN + "/viz/{version}/0-{beyond}", 416, "there are no bytes 0 to {beyond}"),
        (RUN + "/viz/{version}/90000000-90000001", 416, "the file has"),
        (RUN + f"/viz/{{version}}/0-{MOST_CHUNK_BYTES + 1}", 400, "expected 1 to 8388608 bytes"),
        (RUN + "/viz/{version}/10-10", 400, "expected 1 to 8388608 bytes"),
        (RUN + "/viz/{version}/10-9", 400, "expected 1 to 8388608 bytes"),
        (RUN + "/viz/{version}/-5-9", 400, "START-STOP"),
        (RUN + "/viz/{version}/a-9", 400, "START-STOP"),
        (RUN + "/viz/{version}/0-" + "9" * 500, 400, "START-STOP"),
        (RUN + "/player/{version}/series?bins=0", 400, "at least 1 bin"),
        (RUN + "/player/{version}/series?bins=4001", 400, "at most 4000"),
        (RUN + "/player/{version}/series?bins=many", 400, "bins must be a whole number"),
        (RUN + "/player/{version}/series?start=-1", 400, "start must be a whole number"),
        (RUN + "/player/{version}/series?start=1.5", 400, "start must be a whole number"),
        (RUN + "/player/{version}/series?stop=61", 400, "it has 60 rounds"),
        (RUN + "/player/{version}/series?start=9&stop=8", 400, "it has 60 rounds"),
        (RUN + "/player/{version}/series?stop=" + "9" * 5000, 400, "stop must be a whole number"),
    ],
)
def test_what_cannot_be_answered_is_said_in_plain_text(
    client: FlaskClient, sweep: Sweep, path: str, status: int, sentence: str
) -> None:
    words = {"version": version_of(sweep), "beyond": sweep[RUN].viz.n_bytes + 1}
    answer = get(client, path.format(**words))
    assert (answer.status_code, answer.mimetype) == (status, "text/plain")
    assert sentence.format(**words) in answer.text
    assert answer.text.count("\n") == 1
    assert "Cache-Control" not in answer.headers


def test_the_largest_chunk(directory: Path) -> None:
    write_run(directory / "long.viz.bin", n_rounds=160_000)
    data = (directory / "long.viz.bin").read_bytes()
    sweep = open_sweep(directory)
    path = f"long/viz/{version_of(sweep, 'long')}/5-{5 + MOST_CHUNK_BYTES}"
    assert body(get(create_app(sweep).server.test_client(), path)) == data[5 : 5 + MOST_CHUNK_BYTES]


def test_many_threads_get_their_own_bytes(sweep: Sweep, directory: Path) -> None:
    data, version, server = (directory / f"{RUN}.viz.bin").read_bytes(), version_of(sweep), create_app(sweep).server

    def fetch(start: int) -> bool:
        with server.test_client() as client:
            sent = body(get(client, f"{RUN}/viz/{version}/{start}-{start + 2000}", "zstd"))
        return sent == data[start : start + 2000]

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(fetch, range(1000)))
