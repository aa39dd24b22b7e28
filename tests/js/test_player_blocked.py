"""Free blocks, fragmentation and blocked demand in both languages: the Cluster page must say what the library says."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.synthetic_runs import write_synthetic_run
from gavel_dash.analysis.blocked_demand import UNKNOWN
from gavel_dash.pages.node_sizes import format_node_sizes, parse_node_sizes
from gavel_dash.sweep import Run, open_run
from tests.js.node import needs_node, node
from tests.plain_vizbin import Round, build

HERE = Path(__file__).parent
BUNDLED = Path(__file__).parents[2] / "experiments"
pytestmark = needs_node


def seen_by_node(path: Path, sizes: Mapping[str, int], records: list[int]) -> list[dict[str, Any]]:
    wanted = [{"path": str(path), "nodeSizes": format_node_sizes(sizes), "records": records}]
    rounds: list[dict[str, Any]] = json.loads(node(HERE / "player" / "dump_blocked.mjs", json.dumps(wanted)))[0]
    return rounds


def compare(path: Path, run: Run, sizes: Mapping[str, int], records: list[int]) -> dict[str, int]:
    """Every number of every record; how many jobs of each kind there were."""
    fragmentation, demand = run.fragmentation(sizes), run.blocked_demand(sizes)
    rate, share = fragmentation.rate(), fragmentation.share()
    total = dict.fromkeys(("could start", "scattered", "no GPUs"), 0)
    for i, seen in zip(records, seen_by_node(path, sizes, records), strict=True):
        facts = seen["facts"]
        known = bool(fragmentation.known[i])
        assert facts["isKnown"] == known, i
        assert [t["free"] for t in facts["types"]] == fragmentation.free[i].tolist(), i
        assert [t["size"] for t in facts["types"]] == list(fragmentation.node_sizes), i
        assert [t["nNodes"] for t in facts["types"]] == list(fragmentation.n_nodes), i
        for t, of_type in enumerate(facts["types"]):
            if not (known and of_type["size"]):
                assert of_type["largestBlock"] is of_type["occupiedNodes"] is of_type["nodesByFree"] is None, i
                continue
            assert of_type["largestBlock"] == fragmentation.largest_block[i, t], i
            assert of_type["occupiedNodes"] == fragmentation.occupied_nodes[i, t], i
            assert sum(free * n for free, n in of_type["nodesByFree"]) == of_type["free"], i
            assert sum(n for _, n in of_type["nodesByFree"]) == of_type["nNodes"], i
        if np.isnan(share[i]):
            assert facts["fragmented"] is None, i
        else:
            assert facts["fragmented"] / facts["gpus"] == pytest.approx(share[i], abs=1e-12), i
        if not np.isnan(rate[i]):
            assert facts["fragmented"] / facts["free"] == pytest.approx(rate[i], abs=1e-12), i
        if seen["queued"] and not seen["sizes"]:  # the queue is not in the file, only its length
            assert dict(zip(demand.scale_factors, demand.queued[i].tolist(), strict=True))[UNKNOWN] == seen["queued"], i
        elif demand.known[i]:
            count_split(seen, demand, i, total)
    return total


def count_split(seen: dict[str, Any], demand: Any, i: int, total: dict[str, int]) -> None:
    by_size = {size["scaleFactor"] or UNKNOWN: size for size in seen["sizes"]}
    for c, scale_factor in enumerate(demand.scale_factors):
        parts = [int(part[i, c]) for part in (demand.could_start, demand.scattered, demand.no_gpus)]
        size = by_size.pop(scale_factor, {"queued": 0, "counts": [0, 0, 0], "notKnown": 0})
        assert size["queued"] == demand.queued[i, c], (i, scale_factor)
        assert size["counts"] == parts, (i, scale_factor)
        assert size["notKnown"] == (size["queued"] if scale_factor == UNKNOWN else 0), (i, scale_factor)
        if size["queued"] and scale_factor != UNKNOWN and demand.knows_nodes:
            assert (seen["fits"][str(scale_factor)] >= scale_factor) == (parts[0] > 0), (i, scale_factor)
        for word, n in zip(total, parts, strict=True):
            total[word] += n
    assert not by_size, i


@pytest.fixture(scope="module")
def bundled(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Run]:
    run = open_run(BUNDLED / "fig11_finish_time_fairness_2.4jph_multi_s0.viz.bin.packed")
    path = tmp_path_factory.mktemp("bundled") / "run.viz.bin"
    path.write_bytes(bytes(run.viz.file_bytes(0, run.viz.n_bytes)))
    return path, run


@pytest.mark.parametrize("sizes", ["", "k80:4,p100:4,v100:8", "k80:1,p100:1,v100:1", "k80:5,v100:36"])
def test_a_bundled_run_is_split_as_the_library_splits_it(bundled: tuple[Path, Run], sizes: str) -> None:
    path, run = bundled
    demand = run.blocked_demand(parse_node_sizes(sizes))
    scattered = np.flatnonzero(demand.scattered.any(axis=1)).tolist()
    records = sorted({*range(0, run.n_rounds, 13), *scattered, run.n_rounds - 1})
    total = compare(path, run, parse_node_sizes(sizes), records)
    assert min(total["no GPUs"], total["could start"]) > 0
    assert (total["scattered"] > 0) == (sizes in ("k80:4,p100:4,v100:8", "k80:5,v100:36"))


def test_sizes_of_the_config_come_before_those_of_the_user(tmp_path: Path) -> None:
    path = tmp_path / "fig9_fifo_40jph_multi_s0.viz.bin"
    write_synthetic_run(path, (("k80", 36, 4), ("p100", 36, 4)), 600, 0, 12.0)
    run = open_run(path)
    total = compare(path, run, {"k80": 2, "p100": 36}, [*range(0, 600, 3)])
    assert run.fragmentation({"k80": 2}).node_sizes == (4, 4)
    assert total["no GPUs"] > 0


def test_rounds_that_do_not_say_who_is_busy_are_not_split(tmp_path: Path) -> None:
    # Nobody is named; job 0 runs unseen; GPUs are shared, one free but for a quarter; a job without record waits.
    jobs = [
        (0, 0, 2, 0, 2, 720.0),
        (7, 0, 1, 0, 9, 3600.0),
        (8, 0, 2, 0, 0, 0.0),
        (9, 0, 5, 0, 0, 0.0),
        (10, 0, 1, 0, 0, 0.0),
    ]
    shared = [(1, (7, 7, 10, 10)), (5, (0, 0, 0, 10))]
    rounds = [
        Round((3, 2), (0,) * 8, (8, 9, 10), running=2),
        Round((3, 0), (7, 0, 0, 0, 0, 0, 0, 0), (8, 9, 10), running=2),
        Round((2, 1), (7, 7, 0, 0, 0, 0, 0, 0), (8, 9), running=2, sharing=shared),
        Round((1, 0), (7, 0, 0, 0, 0, 0, 0, 0), (8, 9, 10, 99), running=1),
        Round((4, 2), (7, 7, 7, 7, 10, 0, 10, 0), (8, 9), running=2),
    ]
    path = tmp_path / "run.viz.bin"
    path.write_bytes(build((("k80", 4), ("v100", 4)), rounds, jobs))
    run = open_run(path)
    assert run.fragmentation({"k80": 2}).known.tolist() == [False, False, True, True, True]
    for sizes in ({}, {"k80": 2, "v100": 2}, {"v100": 4}, {"k80": 1, "v100": 2}):
        compare(path, run, sizes, [*range(5)])
    first, second, *_, last = (one["sizes"] for one in seen_by_node(path, {"k80": 2, "v100": 2}, [*range(5)]))
    assert [(s["scaleFactor"], s["counts"], s["notKnown"]) for s in first] == [
        (1, [0, 0, 0], 1),
        (2, [0, 0, 0], 1),
        (5, [0, 0, 1], 0),
    ]
    assert [s["notKnown"] for s in second] == [1, 1, 0]
    assert [(s["scaleFactor"], s["counts"]) for s in last] == [(2, [0, 1, 0]), (5, [0, 0, 1])]
