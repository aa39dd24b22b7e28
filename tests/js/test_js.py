"""The JavaScript side: its own tests under node, and files of the Python writer decoded by both languages."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gavel_dash.formats.vizbin import VizFile
from gavel_dash.formats.vizbin_layout import JOB_1B_DTYPE, ROUND_HEAD_DTYPE
from gavel_dash.formats.vizbin_write import RoundBlock, write_vizbin
from tests.plain_vizbin import Round, build

HERE = Path(__file__).parent
NODE = shutil.which("node")
pytestmark = pytest.mark.skipif(NODE is None, reason="node is not installed")


def node(*arguments: str | Path) -> str:
    done = subprocess.run([str(NODE), *map(str, arguments)], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("path", sorted(HERE.glob("*.test.mjs")), ids=lambda path: path.name)
def test_node_tests_pass(path: Path) -> None:
    assert "# fail 0" in node("--test", "--test-reporter=tap", path)


def hexed(ids: np.ndarray) -> str:
    return ids.astype("<i8").tobytes().hex()


def seen_by_python(path: Path) -> dict[str, Any]:
    viz = VizFile(path.read_bytes(), path.name)
    used = viz.gpus_used.tolist()
    fields = list(JOB_1B_DTYPE.names or ())
    return {
        "version": viz.version,
        "config": viz.config,
        "jobs": [list(job) for job in viz.jobs[fields].tolist()],
        "rounds": [[*head, used[i]] for i, head in enumerate(viz.round_heads.tolist())],
        "allocations": [hexed(viz.allocation(i)) for i in range(viz.n_rounds)],
        "queues": [hexed(viz.queue(i)) for i in range(viz.n_rounds)],
        "sharing": [[[gpu, hexed(ids)] for gpu, ids in viz.sharing(i).items()] for i in range(viz.n_rounds)],
    }


def test_both_languages_read_the_same(tmp_path: Path) -> None:
    # GIVEN a file with an odd number of types (unaligned ids), ids above 65,535, a job 0 and shared GPUs
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
    path = tmp_path / "run.viz.bin"
    with path.open("wb") as file:
        write_vizbin(file, {"policy": "é\u2028", "gpu_types": types}, jobs, [block], n)

    # WHEN both decode it
    by_node, by_python = json.loads(node(HERE / "dump_vizbin.mjs", path)), seen_by_python(path)

    # THEN they see the same bytes, and what was written
    assert by_node == by_python
    assert by_node["version"] == 2
    assert by_node["allocations"] == [hexed(row) for row in allocation]
    assert by_node["queues"] == [hexed(queue) for queue in queues]
    assert sum(map(len, by_node["sharing"])) == len(rows) > 20


@pytest.mark.parametrize("short_jobs", [False, True])
def test_both_languages_read_version_1_of_other_programs(tmp_path: Path, short_jobs: bool) -> None:
    rounds = [Round([1, 2], [70_000, 0, 2, 2, 0], [3]), Round([0, 0], [0] * 5)]
    path = tmp_path / "run.viz.bin"
    order = ("rounds", "jobs", "queue_index", "config", "queue")
    path.write_bytes(
        build([("k80", 2), ("v100", 3)], rounds, [(70_000, 1, 2, 3, 4, 5.5)], short_jobs=short_jobs, order=order)
    )

    assert json.loads(node(HERE / "dump_vizbin.mjs", path)) == seen_by_python(path)


@pytest.mark.data
@pytest.mark.parametrize("name", ["generation_1a_test_data", "sharing_test"])
def test_both_languages_read_published_files_the_same(data_dir: Path, name: str) -> None:
    path = data_dir / "published" / f"{name}.viz.bin"
    by_node, by_python = json.loads(node(HERE / "dump_vizbin.mjs", path)), seen_by_python(path)

    del by_node["queues"], by_python["queues"]  # Python cleans them
    assert by_node == by_python
