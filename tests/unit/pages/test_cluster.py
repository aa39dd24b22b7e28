"""The Cluster page without a browser: which runs a query opens, the frames they get, what it says when it cannot."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from dash import Dash
from flask.testing import FlaskClient
from plotly.utils import PlotlyJSONEncoder

from gavel_dash.figures.player_colors import COLOR_BY
from gavel_dash.figures.theme import token
from gavel_dash.formats.vizbin_layout import MAX_GPUS
from gavel_dash.pages import cluster
from gavel_dash.pages.cluster_layout import ALIGNMENTS, DETAILS, EXPORTS, OPTIONS
from gavel_dash.pages.cluster_view import (
    MOST_RUNS,
    asked_runs,
    build_frames,
    csv_links,
    initial_color,
    open_runs,
    open_view,
    run_options,
)
from gavel_dash.sweep import Sweep, open_sweep
from gavel_dash.web.app import create_app
from tests.make import write_run
from tests.unit.pages.test_saturation import text_of

RUN = "fifo_1.0_s0"
ODD = "50% + a é"


@pytest.fixture(scope="module")
def sweep(tmp_path_factory: pytest.TempPathFactory) -> Sweep:
    directory: Path = tmp_path_factory.mktemp("sweep")
    write_run(directory / f"{RUN}.viz.bin", {"policy": "fifo", "arrival_rate_jph": 1.0})
    write_run(directory / "crowded.viz.bin", length=20)
    write_run(directory / "without_window.viz.bin", window=(900, 999))
    write_run(directory / f"{ODD}.viz.bin", n_rounds=20)
    write_run(directory / "short.viz.bin", n_rounds=30)
    (directory / "damaged.viz.bin").write_bytes((directory / f"{RUN}.viz.bin").read_bytes()[:900])
    return open_sweep(directory)


@pytest.fixture(scope="module")
def client(sweep: Sweep) -> FlaskClient:
    return create_app(sweep).server.test_client()


def called(client: FlaskClient, output: str, *values: Any) -> dict[str, Any]:
    """What the server's callback for `output` answers to the values of its inputs; empty where it changes nothing."""
    client.get("/")
    dependencies = client.get("/_dash-dependencies").json
    wanted = next(d for d in dependencies if output in d["output"] and d["clientside_function"] is None)
    parts = [part.rsplit(".", 1) for part in wanted["output"].strip(".").split("...")]
    outputs = [{"id": id, "property": name} for id, name in parts]
    body = {
        "output": wanted["output"],
        "outputs": outputs if len(outputs) > 1 else outputs[0],
        "inputs": [{**given, "value": value} for given, value in zip(wanted["inputs"], values, strict=True)],
        "state": [],
        "changedPropIds": [f"{wanted['inputs'][0]['id']}.{wanted['inputs'][0]['property']}"],
    }
    answer = client.post("/_dash-update-component", json=body)
    assert answer.status_code == 200, answer.text
    return answer.json["response"]


def parts_of(component: Any) -> dict[str, Any]:
    """Every component of a layout that has an id, by it."""
    return {node.id: node for node in component._traverse() if isinstance(getattr(node, "id", None), str)}


def request(*runs: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """What a browser asks frames with."""
    plain = {
        "gpu_types": [
            {"name": "k80", "count": 4, "gpus_per_node": None},
            {"name": "v100", "count": 4, "gpus_per_node": 4},
        ],
        "may_share": False,
        "width": 900,
        "height": 360,
    }
    return {
        "runs": [{"key": f"r{k}", **plain, **run} for k, run in enumerate(runs or ({},))],
        "categories": ["resnet"],
        "scale_factors": [1, 2],
        "n_positions": 60,
        "phases": [10, 40],
        "serial": 7,
        **changes,
    }


def test_a_query_opens_that_run_at_that_record(sweep: Sweep) -> None:
    run = sweep[RUN]
    assert run.phases is not None
    assert open_view(sweep, RUN, "17").info == {
        "name": RUN,
        "base": f"/api/runs/{RUN}",
        "version": run.viz.content_id,
        "n_bytes": run.viz.n_bytes,
        "index": 17,
        "order": [0, 1],
        "phases": [run.phases.measurement_start, run.phases.measurement_end],
        "running": "",
    }


@pytest.mark.parametrize("asked", [None, "", "-3", "x", "1.5", "٣x"])
def test_a_round_that_is_none_opens_the_middle_of_the_measurement(sweep: Sweep, asked: str | None) -> None:
    info = open_view(sweep, RUN, asked).info
    assert info is not None
    assert info["index"] == sweep[RUN].representative_round()


def test_a_round_behind_the_end_opens_the_last(sweep: Sweep) -> None:
    info = open_view(sweep, RUN, "99999").info
    assert info is not None
    assert info["index"] == 59


def test_a_run_without_its_window_has_no_phases(sweep: Sweep) -> None:
    info = open_view(sweep, "without_window").info
    assert info is not None
    assert info["phases"] is None


def test_without_a_query_the_first_run_with_rounds_opens(sweep: Sweep) -> None:
    assert run_options(sweep) == [name for name in sweep.runs()["run"] if name != "damaged"]
    info = open_view(sweep, None).info
    assert info is not None
    assert info["name"] == run_options(sweep)[0]


@pytest.mark.parametrize(
    ("name", "said"), [("nobody <b>", "no run named nobody <b>"), ("damaged", "damaged cannot be shown: ")]
)
def test_what_cannot_be_shown_is_one_sentence(sweep: Sweep, name: str, said: str) -> None:
    opened = open_view(sweep, name)
    assert opened.info is None
    assert said in opened.problem
    parts = parts_of(cluster.layout(sweep, run=name))
    assert said in text_of(parts["cluster-message"])
    assert parts["cluster-viewer"].hidden
    assert parts["cluster-info"].data == []


def test_a_run_or_a_sweep_without_rounds_is_one_sentence(tmp_path: Path) -> None:
    assert open_view(open_sweep(tmp_path), None).problem == "No run of this sweep has rounds to look at."
    write_run(tmp_path / "nothing.viz.bin", n_rounds=0)
    assert open_view(open_sweep(tmp_path), "nothing").problem == "nothing has no rounds: nothing was recorded."


def test_a_query_names_runs_in_order_each_once_and_no_more_than_fit() -> None:
    assert asked_runs({}) == []
    assert asked_runs({"run": "a"}) == ["a"]
    assert asked_runs({"run": ["b", "a", "b", "c", "d", "e"]}) == ["b", "a", "c", "d"]


def test_runs_beside_open_in_the_middle_of_their_own_measurement(sweep: Sweep) -> None:
    first, second = (opened.info for opened in open_runs(sweep, [RUN, "crowded"], "3"))
    assert first is not None
    assert second is not None
    assert (first["name"], first["index"]) == (RUN, 3)
    assert (second["name"], second["index"]) == ("crowded", sweep["crowded"].representative_round())


def test_a_damaged_run_beside_leaves_the_others_alone(sweep: Sweep) -> None:
    opened = open_runs(sweep, [RUN, "damaged", "crowded"])
    assert [one.info and one.info["name"] for one in opened] == [RUN, None, "crowded"]
    infos = parts_of(cluster.layout(sweep, run=[RUN, "damaged", "crowded"]))["cluster-info"].data
    assert [info.get("name") for info in infos] == [RUN, None, "crowded"]
    assert infos[1] == {"problem": opened[1].problem}
    assert "damaged cannot be shown: " in opened[1].problem


def test_each_run_is_opened_once_and_no_more_than_fit(sweep: Sweep) -> None:
    names = [opened.info and opened.info["name"] for opened in open_runs(sweep, [None, *run_options(sweep), RUN])]
    assert names == run_options(sweep)[:MOST_RUNS]
    assert len(run_options(sweep)) > MOST_RUNS
    assert len(open_runs(sweep, [])) == 1


def test_addresses_of_runs_survive_any_name(sweep: Sweep, client: FlaskClient) -> None:
    info = open_view(sweep, ODD).info
    assert info is not None
    assert info["base"] == "/api/runs/50%25%20%2B%20a%20%C3%A9"
    assert csv_links("a b/c") == ("/api/runs/a%20b%2Fc/rounds.csv", "/api/runs/a%20b%2Fc/jobs.csv")
    assert client.get(f"{info['base']}/viz/{info['version']}/0-{info['n_bytes']}").data == (
        sweep[ODD].viz.file_bytes(0, info["n_bytes"]).tobytes()
    )
    assert [client.get(link).status_code for link in csv_links(ODD)] == [200, 200]


def test_layout_holds_every_id_of_its_callbacks(sweep: Sweep) -> None:
    app = Dash(__name__)
    cluster.register_callbacks(app, sweep)
    used = {part["id"] for callback in app.callback_map.values() for part in [*callback["inputs"], *callback["state"]]}
    used |= {f"cluster-{name}" for name in OPTIONS}
    used |= {part.split(".")[0] for output in app.callback_map for part in output.strip(".").split("...")} - {""}
    for query in ({}, {"run": "nobody"}, {"run": RUN, "round": "3", "color": "job"}):
        known = set(parts_of(cluster.layout(sweep, **query)))
        assert {id for id in used if id.startswith("cluster")} <= known
    assert {id for id in used if id.startswith("cluster")} >= {"cluster-info", "cluster-frames", "cluster-request"}


def test_layout_is_restored_from_its_query(sweep: Sweep) -> None:
    query = {"run": [RUN, "crowded", "nobody"], "round": "12", "color": "remaining", "speed": "20"}
    parts = parts_of(cluster.layout(sweep, **query))
    assert parts["cluster-run"].value == RUN
    assert parts["cluster-compare"].value == ["crowded"]  # what the sweep does not have cannot be chosen
    assert parts["cluster-info"].data[0]["index"] == 12
    assert parts["cluster-color"].value == "remaining"
    assert parts["cluster-speed"].value == 20
    assert not parts["cluster-viewer"].hidden
    assert text_of(parts["cluster-message"]) == ""


def test_controls_offer_everything_and_start_plainly(sweep: Sweep) -> None:
    parts = parts_of(cluster.layout(sweep))

    def offered(name: str) -> list[Any]:
        return [option["value"] for option in parts[f"cluster-{name}"].options]

    assert offered("color") == list(COLOR_BY)
    assert offered("detail") == list(DETAILS)
    assert offered("align") == list(ALIGNMENTS)
    values = {name: parts[f"cluster-{name}"].value for name in ("color", *OPTIONS)}
    assert values == {"color": "category", "speed": 1, "detail": "auto", "align": "time", "toggles": []}
    assert {f"cluster-export-{kind}" for kind in EXPORTS} <= set(parts)
    slots = [parts[f"cluster-slot-{k}"] for k in range(MOST_RUNS)]
    assert [slot.hidden for slot in slots] == [False, True, True, True]
    assert f"cluster-slot-{MOST_RUNS}" not in parts


def test_the_round_leads_to_the_pages_about_the_same_runs(sweep: Sweep) -> None:
    parts = parts_of(cluster.layout(sweep))
    assert [parts[f"cluster-to-{name}"].href for name in ("telemetry", "jobs", "fragmentation")] == [
        "/telemetry",
        "/jobs",
        "/fragmentation",
    ]
    assert parts["cluster-elsewhere"].hidden  # until the player knows the round


def test_the_queue_says_why_each_job_waits(sweep: Sweep) -> None:
    columns = parts_of(cluster.layout(sweep))["cluster-queue"].columnDefs
    assert [column["field"] for column in columns] == ["job_id", "job_type", "scale_factor", "time_in_system_h", "why"]


@pytest.mark.parametrize("query", [{"color": "<b>", "speed": "1e9"}, {"color": "", "speed": "x"}])
def test_a_query_that_makes_no_sense_starts_plainly(sweep: Sweep, query: dict[str, str]) -> None:
    parts = parts_of(cluster.layout(sweep, **query))
    assert (parts["cluster-color"].value, parts["cluster-speed"].value) == ("category", 1)


def test_every_colouring_can_be_asked_for() -> None:
    assert [initial_color({"color": color}) for color in COLOR_BY] == list(COLOR_BY)
    assert initial_color({}) == initial_color({"color": "<b>"}) == "category"


def test_csv_links_are_there_before_any_callback(sweep: Sweep) -> None:
    first = run_options(sweep)[0]
    parts = parts_of(cluster.layout(sweep))
    assert (parts["cluster-rounds-csv"].href, parts["cluster-jobs-csv"].href) == csv_links(first)


def test_choosing_runs_answers_with_what_the_player_needs(sweep: Sweep, client: FlaskClient) -> None:
    answer = called(client, "cluster-info.data", RUN, ["damaged", "crowded"])
    opened = open_runs(sweep, [RUN, "damaged", "crowded"])
    assert answer["cluster-info"]["data"] == [opened[0].info, {"problem": opened[1].problem}, opened[2].info]
    assert answer["cluster-message"]["children"] == []
    assert (answer["cluster-rounds-csv"]["href"], answer["cluster-jobs-csv"]["href"]) == csv_links(RUN)


def test_choosing_what_cannot_be_shown_says_so_and_keeps_the_links(client: FlaskClient) -> None:
    answer = called(client, "cluster-info.data", "damaged", None)
    assert answer["cluster-info"]["data"] == []
    assert "damaged cannot be shown: " in json.dumps(answer["cluster-message"])
    assert "cluster-rounds-csv" not in answer


def test_frames_come_when_the_browser_asks(client: FlaskClient) -> None:
    assert called(client, "cluster-frames.data", None, "category", "light") == {}
    answer = called(client, "cluster-frames.data", request(), "job", None)
    data = answer["cluster-frames"]["data"]
    assert (data["serial"], data["background"]) == (7, token("light", "background"))
    assert data["frames"]["r0"]["looks"]["jobs"]["rule"]["kind"] == "job"


def test_frames_are_of_the_runs_that_are_asked_for() -> None:
    answer = build_frames(request({}, {"may_share": True, "width": 500, "height": 300}), "scale_factor", "dark")
    first, second = answer["frames"]["r0"], answer["frames"]["r1"]
    assert [band["name"] for band in first["grid"]["bands"]] == ["k80", "v100"]
    assert [band["gpus_per_node"] for band in first["grid"]["bands"]] == [None, 4]
    assert (first["grid"]["parts"], second["grid"]["parts"]) == (1, 2)
    assert (first["figure"]["layout"]["height"], second["figure"]["layout"]["height"]) == (360, 300)
    assert first["looks"] == second["looks"]
    assert [label for _, label, _ in first["looks"]["jobs"]["legend"]] == ["1 GPU", "2 GPUs", "Idle"]
    assert answer["background"] == token("dark", "background")
    shapes = answer["scrubber"]["layout"]["shapes"]
    assert [(shape["name"], shape["x0"]) for shape in shapes][1] == ("measurement", 9.5)
    assert [trace["name"] for trace in answer["scrubber"]["data"]].count("occupancy-B") == 1
    json.dumps(answer, cls=PlotlyJSONEncoder)


def test_a_timeline_without_phases_says_so() -> None:
    scrubber = build_frames(request(phases=None), "category", "light")["scrubber"]
    assert "no measurement phase" in scrubber["layout"]["annotations"][0]["text"]


def test_no_more_frames_than_fit() -> None:
    assert list(build_frames(request(*[{}] * 9), "category", "light")["frames"]) == ["r0", "r1", "r2", "r3"]
    assert build_frames(request(runs=[]), "category", "light")["frames"] == {}


@pytest.mark.parametrize(
    ("asked", "given"), [(10**9, 8192), (8192, 8192), (360.7, 360), (40, 40), (0, 40), (-(10**9), 40)]
)
def test_sizes_from_the_browser_are_clamped(asked: float, given: int) -> None:
    frame = build_frames(request({"width": asked, "height": asked}), "category", "light")["frames"]["r0"]
    assert frame["figure"]["layout"]["height"] == given
    same = build_frames(request({"width": given, "height": given}), "category", "light")["frames"]["r0"]
    assert frame["grid"] == same["grid"]


def test_as_many_gpus_as_a_file_can_hold_and_no_more() -> None:
    def of(*counts: int) -> dict[str, Any]:
        types = [{"name": "a", "count": count, "gpus_per_node": 8} for count in counts]
        return build_frames(request({"gpu_types": types}), "category", "light")["frames"]["r0"]

    assert sum(band["count"] for band in of(MAX_GPUS)["grid"]["bands"]) == MAX_GPUS
    with pytest.raises(ValueError, match="at most 65,535 GPUs, not 65,536"):
        of(MAX_GPUS, 1)


@pytest.mark.parametrize("size", [0, -8, None])
def test_a_node_size_that_is_none_is_unknown(size: int | None) -> None:
    types = [{"name": "a", "count": 16, "gpus_per_node": size}, {"name": "b", "count": -3, "gpus_per_node": size}]
    frame = build_frames(request({"gpu_types": types}), "category", "light")["frames"]["r0"]
    assert [(band["count"], band["gpus_per_node"]) for band in frame["grid"]["bands"]] == [(16, None), (0, None)]
    assert frame["nodes"]["path"] == ""


def test_unknown_colours_and_themes_are_the_plain_ones() -> None:
    plain = build_frames(request(), "category", "light")
    odd = build_frames(request(), "<b>", "sepia")
    assert odd["frames"]["r0"]["looks"] == plain["frames"]["r0"]["looks"]
    assert odd["background"] == plain["background"]
