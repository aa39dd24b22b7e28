"""Files decoded by both languages: the player's modules must see what the Python reader sees, damage included."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gavel_dash.analysis.series import SERIES_ROWS, collect_columns, summarize_series
from gavel_dash.errors import VizFormatError
from gavel_dash.formats.vizbin import VizFile
from gavel_dash.formats.vizbin_layout import JOB_1B_DTYPE, ROUND_HEAD_DTYPE
from gavel_dash.formats.vizbin_write import RoundBlock, write_vizbin
from tests.js.node import needs_node, node
from tests.make import write_run
from tests.plain_vizbin import Round, build

HERE = Path(__file__).parent
pytestmark = needs_node


def seen_by_node(*paths: Path) -> list[dict[str, Any]]:
    return json.loads(node(HERE / "player" / "dump_run.mjs", *paths), parse_int=float)


def hexed(ids: np.ndarray) -> str:
    return ids.astype("<i8").tobytes().hex()


def or_damage(read: Callable[[], Any]) -> Any:
    try:
        return read()
    except VizFormatError as error:
        return {"offset": error.offset}


def seen_by_python(path: Path) -> dict[str, Any]:
    data = path.read_bytes()
    try:
        return dump(VizFile(data, path.name))
    except VizFormatError as error:
        # The browser does not say which byte is not UTF-8, so there it is the config's first.
        in_text = error.expected == "config JSON in UTF-8"
        return {"offset": struct.unpack_from("<Q", data, 56)[0] if in_text else error.offset}


def dump(viz: VizFile) -> dict[str, Any]:
    order, used = viz.type_order, viz.gpus_used.tolist()
    rounds = range(viz.n_rounds)
    result = {
        "version": viz.version,
        "config": viz.config,
        "policy": viz.policy,
        "window": viz.window and [viz.window.start_job_id, viz.window.end_job_id],
        "gpuTypes": [[t.name, t.count, t.gpus_per_node] for t in viz.cluster.gpu_types],
        "jobTypes": [[job_type, *names] for job_type, names in viz.job_types.items()],
        "order": list(order.order),
        "decided": order.decided,
        "orderOfAllRounds": [
            list(order.order),
            order.rounds_tested,
            order.config_agreement,
            order.agreement,
            order.decided,
        ],
        "jobs": [[*job[:-1], int(job[-1])] for job in viz.jobs.tolist()],
        "rounds": [[*head, used[i]] for i, head in enumerate(viz.round_heads.tolist())],
        "allocations": [hexed(viz.allocation(i)) for i in rounds],
        "sharing": [
            or_damage(lambda i=i: [[gpu, hexed(ids)] for gpu, ids in viz.sharing(i).items()])  # type: ignore[misc]
            for i in rounds
        ],
        "queues": [or_damage(lambda i=i: hexed(viz.queue(i))) for i in rounds],  # type: ignore[misc]
        "scan": or_damage(lambda: scan(viz)),
    }
    # As JavaScript has it: every number a float64, and no NaN in JSON.
    return json.loads(json.dumps(result), parse_int=float, parse_constant=lambda _: None)


def scan(viz: VizFile) -> list[list[float]]:
    """What scanRun says, slowly."""
    heads = viz.round_heads
    first_start = [-1] * viz.n_jobs
    row_of = {job_id: row for row, job_id in reversed(list(enumerate(viz.jobs["job_id"].tolist())))}
    for i in range(viz.n_rounds):
        for job in np.concatenate([viz.allocation(i), *viz.sharing(i).values()]).tolist():
            if job in row_of and first_start[row_of[job]] < 0:
                first_start[row_of[job]] = i
    columns = ("round", "sim_time_s", "jobs_running", "jobs_queued", "jobs_completed")
    return [*(heads[name].tolist() for name in columns), viz.gpus_used.ravel().tolist(), first_start]


def written_run(path: Path) -> dict[str, np.ndarray | list[np.ndarray]]:
    """A file with an odd number of types (unaligned ids), ids above 65,535, a job 0 and shared GPUs."""
    random = np.random.default_rng(7)
    n = 40
    ids = np.array([0, 1, 65_535, 65_536, 70_000, 2**31, 2**32 - 2])
    jobs = np.zeros(len(ids), [(name, "f8" if name == "duration_s" else "i8") for name in JOB_1B_DTYPE.names or ()])
    jobs["job_id"], jobs["scale_factor"], jobs["type_id"] = ids, 255, 65_535
    jobs["completion_round"], jobs["duration_s"] = 2**32 - 1, 0.1
    allocation = random.choice([-1, *ids], (n, 7))
    queues = [ids[~np.isin(ids, row)] for row in allocation]
    heads = np.zeros(n, ROUND_HEAD_DTYPE)
    heads["round"], heads["sim_time_s"] = np.arange(n), random.random(n)
    heads["jobs_running"] = [len(set(row[row >= 0])) for row in allocation]
    heads["jobs_queued"] = [len(queue) for queue in queues]
    rows, gpus = np.nonzero((allocation >= 0) & (random.random(allocation.shape) < 0.3))
    quarters = np.repeat(allocation[rows, gpus][:, None], 4, axis=1)
    quarters[:, 3] = -1
    used = np.stack([(allocation[:, a:b] >= 0).sum(axis=1) for a, b in ((0, 2), (2, 4), (4, 7))], axis=1)
    types = [{"name": name, "count": count} for name, count in (("k80", 2), ("p100", 2), ("v100", 3))]
    block = RoundBlock(
        heads, used, allocation, np.array([*map(len, queues)]), np.concatenate(queues), rows, gpus, quarters
    )
    with path.open("wb") as file:
        write_vizbin(file, {"policy": "é\u2028", "gpu_types": types}, jobs, [block], n)
    return {"allocation": allocation, "queues": queues, "sharing_rows": rows}


def test_both_languages_read_the_same(tmp_path: Path) -> None:
    # GIVEN a file of this package's writer
    path = tmp_path / "run.viz.bin"
    written = written_run(path)

    # WHEN both decode it
    (by_node,), by_python = seen_by_node(path), seen_by_python(path)

    # THEN they see the same bytes, and what was written
    assert by_node == by_python
    assert by_node["version"] == 2
    assert by_node["allocations"] == [hexed(row) for row in written["allocation"]]
    assert by_node["queues"] == [hexed(queue) for queue in written["queues"]]
    assert sum(map(len, by_node["sharing"])) == len(written["sharing_rows"]) > 20


@pytest.mark.parametrize("short_jobs", [False, True])
def test_both_languages_read_version_1_of_other_programs(tmp_path: Path, short_jobs: bool) -> None:
    rounds = [Round([1, 2], [70_000, 0, 2, 2, 0], [3]), Round([0, 0], [0] * 5)]
    path = tmp_path / "run.viz.bin"
    order = ("rounds", "jobs", "queue_index", "config", "queue")
    path.write_bytes(
        build([("k80", 2), ("v100", 3)], rounds, [(70_000, 1, 2, 3, 4, 5.5)], short_jobs=short_jobs, order=order)
    )

    assert seen_by_node(path) == [seen_by_python(path)]


def test_both_languages_read_a_simulated_run_the_same(tmp_path: Path) -> None:
    path = tmp_path / "run.viz.bin"
    write_run(path)

    assert seen_by_node(path) == [seen_by_python(path)]


def test_both_languages_judge_odd_files_the_same(tmp_path: Path) -> None:
    # GIVEN files as other programs write them: types listed in any order, counts that are off, queues of anybody
    random = np.random.default_rng(3)
    names, paths = ["v100", "k80", "p100", "a", "T4", "z", "é"], []
    for case in range(60):
        counts = random.integers(0, 5, random.integers(1, 8)).tolist()
        types = list(zip(names, counts, strict=False))
        n_gpus, blocks = sum(counts), random.permutation(len(counts)).tolist()
        jobs = [
            (job, 0, int(random.integers(0, 3)), *map(int, random.integers(0, 30, 2)), float(random.integers(0, 2)))
            for job in random.permutation(12).tolist()
        ]
        rounds = []
        for _ in range(30):
            allocation = np.where(random.random(n_gpus) < 0.5, 0, random.integers(0, 12, n_gpus))
            edges = np.cumsum([0, *(counts[t] for t in blocks)])
            used = np.zeros(len(counts), int)
            for b, t in enumerate(blocks):
                used[t] = np.count_nonzero(allocation[edges[b] : edges[b + 1]]) + (random.random() < case / 200)
            queue = random.permutation(12)[: random.integers(0, 12)].tolist()
            running = len(set(allocation.tolist()) - {0}) + int(random.integers(0, 2))
            queued = int(random.integers(0, len(queue) + 1))
            sharing = [
                (int(gpu), random.integers(0, 12, 4).tolist()) for gpu in range(n_gpus) if case % 3 == 0 and gpu < 2
            ]
            rounds.append(Round(used.tolist(), allocation.tolist(), queue, running, queued, sharing=sharing))
        paths.append(tmp_path / f"{case}.viz.bin")
        paths[-1].write_bytes(build(types, rounds, jobs))

    # WHEN both judge them
    by_node, by_python = seen_by_node(*paths), [seen_by_python(path) for path in paths]

    # THEN they agree on orders and queues, of which there is something of everything
    for mine, theirs in zip(by_node, by_python, strict=True):
        assert mine == theirs
    orders = [dump["order"] for dump in by_python]
    assert 10 < sum(order != sorted(order) for order in orders) < 50
    assert 2 < sum(not dump["decided"] for dump in by_python) < 50


def test_both_languages_find_the_same_damage(tmp_path: Path) -> None:
    # GIVEN a good file with one field of its header, indexes or lists overwritten, or its end cut off
    path = tmp_path / "good.viz.bin"
    written_run(path)
    good = path.read_bytes()
    sections = ("jobs", "rounds", "queue", "index", "config", "sharing", "sharing_index")
    starts = dict(zip(sections, struct.unpack_from("<7Q", good, 24), strict=True))
    random = np.random.default_rng(5)
    damaged = [good[: int(length)] for length in [*range(0, 300, 37), *random.integers(300, len(good), 20)]]

    def overwrite(where: int, form: str, value: int) -> None:
        data = bytearray(good)
        struct.pack_into(form, data, where, value)
        damaged.append(bytes(data))

    for where, form in ((0, "<I"), (8, "<I"), (12, "<I"), (16, "<I"), (20, "<B"), (21, "<H")):
        for value in (0, 1, 2, 200):
            overwrite(where, form, value)
    for where in range(24, 80, 8):
        for value in (0, 4, 256, 260, *starts.values(), len(good), len(good) + 8, 2**53 + 8, 2**64 - 8):
            overwrite(where, "<Q", value)
    for section in ("index", "sharing_index"):
        for value in (0, 2, 40, 200, 10**6, 2**53 + 2, 2**63):
            overwrite(starts[section] + 8 * int(random.integers(0, 40)), "<Q", value)
    for section in ("queue", "sharing", "jobs"):
        for value in (0, 3, 50, 2**16 - 1):
            overwrite(starts[section], "<H", value)
    paths = [tmp_path / f"{k}.viz.bin" for k in range(len(damaged))]
    for path, data in zip(paths, damaged, strict=True):
        path.write_bytes(data)

    # WHEN both read them
    by_node, by_python = seen_by_node(*paths), [seen_by_python(path) for path in paths]

    # THEN they read the same or name the same byte
    for k, (mine, theirs) in enumerate(zip(by_node, by_python, strict=True)):
        assert mine == theirs, f"file {k}"
    readable = [dump for dump in by_python if "queues" in dump]
    damaged_lists = [
        item for dump in readable for item in [*dump["queues"], *dump["sharing"]] if isinstance(item, dict)
    ]
    assert len(by_python) - len(readable) > 50
    assert len(damaged_lists) > 10


def test_both_languages_summarize_a_series_the_same(tmp_path: Path) -> None:
    path = tmp_path / "run.viz.bin"
    written_run(path)
    viz = VizFile(path.read_bytes(), path.name)
    columns = collect_columns(viz.round_heads, viz.gpus_used, viz.n_gpus)
    script = """
        import { openAsBlob } from "node:fs";
        const [, path, modules, asked] = process.argv;
        const { FileSource } = await import(`${modules}/source/data_source.mjs`);
        const { RunReader } = await import(`${modules}/source/run_reader.mjs`);
        const { scanRun, summarizeSeries } = await import(`${modules}/source/scan.mjs`);
        const reader = await RunReader.open(new FileSource(await openAsBlob(path)));
        const columns = await scanRun(reader);
        const rowsOf = ({ n, ...rows }) => Object.values(rows).map((row) => [...row]);
        const { nGpus } = reader.header;
        const series = JSON.parse(asked).map((stretch) => rowsOf(summarizeSeries(columns, nGpus, ...stretch)));
        console.log(JSON.stringify(series));
    """
    asked = [[0, 40, 7], [0, 40, 40], [3, 38, 12], [39, 40, 5], [0, 40, 1]]
    modules = (HERE.parents[1] / "assets" / "player").as_uri()
    by_node = json.loads(node("--input-type=module", "-e", script, path, modules, json.dumps(asked)))

    for stretch, rows in zip(asked, by_node, strict=True):
        expected = summarize_series(columns, *stretch)
        assert len(rows) == len(SERIES_ROWS) + 1
        assert np.allclose(np.concatenate(rows), expected.ravel(), rtol=1e-12)


@pytest.mark.data
@pytest.mark.parametrize(
    "name",
    [
        "generation_1a_test_data",
        "sharing_test",
        "fgd_fifo_random_placement",
        "fgd_alibaba_gavel_random_60jph_s0",
        "fgd_alibaba_mig_fgd_360jph_s0",
    ],
)
def test_both_languages_read_published_files_the_same(data_dir: Path, name: str) -> None:
    path = data_dir / "published" / f"{name}.viz.bin"

    assert seen_by_node(path) == [seen_by_python(path)]
