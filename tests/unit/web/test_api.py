"""The CSV routes: the library's tables, filtered as the page filters, and a sentence for what is not there."""

from __future__ import annotations

import io
from urllib.parse import quote

import pandas as pd
import pytest
from flask.testing import FlaskClient

from gavel_dash.formats.table_csv import write_table_csv
from gavel_dash.sweep import Sweep
from tests.unit.web.conftest import DAMAGED

RUN = "fig10_las_2.0jph_multi_s0"


def read(client: FlaskClient, path: str) -> pd.DataFrame:
    """The table at a path."""
    answer = client.get(path)
    assert (answer.status_code, answer.mimetype) == (200, "text/csv"), answer.text
    return pd.read_csv(io.StringIO(answer.text))


def test_tables_are_the_librarys(client: FlaskClient, sweep: Sweep) -> None:
    run = sweep[RUN]
    for path, table in {
        "/api/runs.csv": sweep.runs(),
        "/api/curves.csv": sweep.curves(),
        "/api/saturation.csv": sweep.saturation(),
        f"/api/runs/{RUN}/rounds.csv": run.rounds(),
        f"/api/runs/{RUN}/jobs.csv": run.jobs(),
        f"/api/runs/{RUN}/queue.csv?round_index=9": run.queue_table(9),
    }.items():
        assert client.get(path).text == write_table_csv(table), path


def test_filters_are_those_of_the_page(client: FlaskClient) -> None:
    assert read(client, "/api/runs.csv?status=damaged")["run"].tolist() == [DAMAGED]
    assert len(read(client, "/api/runs.csv?status=damaged&status=complete&rate=2&rate=3")) == 2
    assert read(client, "/api/runs.csv?q=2.0JPH")["run"].tolist() == [RUN]
    assert read(client, f"/api/curves.csv?run={RUN}")["arrival_rate_jph"].tolist() == [2.0]
    assert read(client, "/api/runs.csv?figure=fig77").empty


def test_k_of_the_saturation_point(client: FlaskClient) -> None:
    assert read(client, "/api/saturation.csv?k=1.5")["k"].dropna().tolist() == [1.5]


def test_file_names(client: FlaskClient) -> None:
    for path, name in {
        "/api/runs.csv": "runs.csv",
        f"/api/runs/{RUN}/jobs.csv": f"{RUN}_jobs.csv",
        f"/api/runs/{RUN}/queue.csv?round_index=9": f"{RUN}_queue_9.csv",
    }.items():
        assert client.get(path).headers["Content-Disposition"] == f'attachment; filename="{name}"'


@pytest.mark.parametrize(
    ("path", "status", "sentence"),
    [
        ("/api/runs/nobody/rounds.csv", 404, "no run is named 'nobody'"),
        ("/api/runs/../../etc/passwd/rounds.csv", 400, "never a path"),
        ("/api/runs/etc/passwd/rounds.csv", 404, "no run is named"),
        (f"/api/runs/{quote('a<b>', safe='')}/jobs.csv", 404, "a<b>"),
        (f"/api/runs/{DAMAGED}/rounds.csv", 404, "expected"),
        (f"/api/runs/{RUN}/queue.csv?round_index=100000", 404, "it has rounds 0 to 59"),
        (f"/api/runs/{RUN}/queue.csv?round_index=-1", 400, "must be a whole number from 0"),
        (f"/api/runs/{RUN}/queue.csv", 400, "must be a whole number from 0"),
        ("/api/saturation.csv?k=abc", 400, "must be a number above 1"),
        ("/api/saturation.csv?k=1", 400, "must be a number above 1"),
        ("/api/saturation.csv?k=nan", 400, "must be a number above 1"),
    ],
)
def test_what_is_not_there_is_said_in_plain_text(client: FlaskClient, path: str, status: int, sentence: str) -> None:
    answer = client.get(path)
    assert (answer.status_code, answer.mimetype) == (status, "text/plain")
    assert sentence in answer.text
