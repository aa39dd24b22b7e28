"""The app: nothing from outside, every page in the validation layout, two apps side by side."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from dash.development.base_component import Component
from flask.testing import FlaskClient

from gavel_dash.pages import PAGES
from gavel_dash.pages import sweep as sweep_page
from gavel_dash.sweep import Sweep, open_sweep
from gavel_dash.web.app import create_app, ids_of
from gavel_dash.web.shell import page_keys
from tests.make import write_run


def route(client: FlaskClient, pathname: str, search: str = "") -> Any:
    """What the router shows at an address."""
    client.get("/")
    dependencies = client.get("/_dash-dependencies").json
    router = next(d for d in dependencies if "_pages_content.children" in d["output"])
    values = {"pathname": pathname, "search": search}
    inputs = [{**given, "value": values.get(given["property"], "")} for given in router["inputs"]]
    outputs = [
        {"id": part.rsplit(".", 1)[0], "property": part.rsplit(".", 1)[1]}
        for part in router["output"].strip(".").split("...")
    ]
    state = [{**given, "value": f"http://localhost{pathname}{search}"} for given in router["state"]]
    body = {"output": router["output"], "outputs": outputs, "inputs": inputs, "state": state, "changedPropIds": []}
    answer = client.post("/_dash-update-component", json=body)
    assert answer.status_code == 200, answer.text
    return answer.json["response"]["_pages_content"]["children"]


def test_nothing_is_loaded_from_outside(client: FlaskClient) -> None:
    page = client.get("/").text
    assert not re.findall(r'(?:src|href)="(?:https?:)?//', page)
    css = client.get("/vendor/bootstrap.min.css")
    assert css.mimetype == "text/css"
    assert not re.findall(r"url\(['\"]?(?:https?:)?//", css.text)


def test_the_theme_is_applied_before_any_style(client: FlaskClient) -> None:
    page = client.get("/").text
    assert 0 < page.index("dataset.bsTheme") < page.index("bootstrap.min.css")


def test_every_id_of_a_callback_is_in_a_layout(client: FlaskClient) -> None:
    client.get("/")
    config = json.loads(re.search(r'id="_dash-config"[^>]*>(.*?)</script>', client.get("/").text)[1])  # type: ignore[index]
    known = json.dumps(config["validation_layout"]) + client.get("/_dash-layout").text
    for dependency in client.get("/_dash-dependencies").json:
        for given in [*dependency["inputs"], *dependency["state"]]:
            if not given["id"].startswith("{"):
                assert f'"{given["id"]}"' in known, given


def test_the_first_page_holds_ids_of_all_pages_but_no_runs(client: FlaskClient, sweep: Sweep) -> None:
    page = client.get("/").text
    assert '"id":"telemetry-figure"' in page
    assert len(sweep.names) == 3
    assert not [name for name in sweep.names if name in page]


def test_ids_have_the_same_components_with_runs_and_without(sweep: Sweep) -> None:
    def components(layout: Component) -> dict[str, tuple[str, str]]:
        parts = [part for part in layout._traverse() if isinstance(getattr(part, "id", None), str)]
        return {part.id: (part._namespace, part._type) for part in parts}

    for page in PAGES:
        ids = ids_of(page)
        assert components(ids) == components(page.layout(sweep))
        assert all(part.to_plotly_json()["props"].keys() == {"id"} for part in ids.children)


def test_a_page_that_fails_without_runs_leaves_the_others_alone(sweep: Sweep, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ValueError("a slip")

    monkeypatch.setattr(sweep_page, "layout", fail)
    client = create_app(sweep).server.test_client()
    assert client.get("/").status_code == 200


def test_layouts_need_no_query(sweep: Sweep) -> None:
    for page in PAGES:
        assert page.layout(sweep) is not None


def test_a_hostile_query_cannot_break_a_page(client: FlaskClient) -> None:
    content = json.dumps(route(client, "/", "?sweep=1&figure=%3Cb%3E&run=nobody&status=a&status=b"))
    assert "There is no run named nobody" in content
    assert "No runs match." in content


def test_an_unknown_address_says_so(client: FlaskClient) -> None:
    assert "There is no page at this address." in json.dumps(route(client, "/nowhere"))


def test_a_page_that_fails_says_so_and_leaves_the_others_alone(
    sweep: Sweep, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ValueError("a slip")

    monkeypatch.setattr(sweep_page, "layout", fail)
    client = create_app(sweep).server.test_client()
    shown = json.dumps(route(client, "/"))
    assert "The Sweep page cannot be shown: ValueError: a slip" in shown
    assert "Try again" in shown
    assert "page_failed: a slip" in caplog.text


def test_two_apps_in_one_process_show_their_own_sweeps(sweep: Sweep, tmp_path: Path) -> None:
    other_directory = tmp_path / "other"
    other_directory.mkdir()
    write_run(other_directory / "fig9_fifo_7.0jph_single_s4.viz.bin")
    first = create_app(sweep).server.test_client()
    second = create_app(open_sweep(other_directory)).server.test_client()
    for client, mine, theirs in ((first, "las_2.0jph", "fifo_7.0jph"), (second, "fifo_7.0jph", "las_2.0jph")):
        content = json.dumps(route(client, "/"))
        assert mine in content
        # The outer directory holds the inner one, so the first sweep has both.
        assert theirs not in content or client is first


def test_an_empty_directory_is_one_sentence(tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    client = create_app(open_sweep(empty)).server.test_client()
    assert "holds no runs" in json.dumps(route(client, "/"))


def test_keys_of_pages_differ() -> None:
    titles = ["Sweep", "Saturation", "Cluster", "Telemetry", "Jobs"]
    assert page_keys(titles) == {"Sweep": "s", "Saturation": "a", "Cluster": "c", "Telemetry": "t", "Jobs": "j"}
