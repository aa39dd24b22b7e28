"""Phases of a file of the user's: the browser must cut a run where `analysis/phases.py` does."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from gavel_dash.analysis.phases import compute_phases
from gavel_dash.model import JobWindow
from tests.js.node import needs_node, node

HERE = Path(__file__).parent
pytestmark = needs_node

SCRIPT = """
    import { readFileSync } from "node:fs";
    const [, helpers, path] = process.argv;
    const { makeRun } = await import(helpers);
    console.log(JSON.stringify(JSON.parse(readFileSync(path)).map((run) => makeRun(run).phases())));
"""


def _random_case(random: np.random.Generator) -> dict[str, Any]:
    """A run with jobs in any order; often every record of a round, a window that is whole, and jobs that complete."""
    start = int(random.integers(0, 2))
    steps = random.choice([1, 1, 1, 4], 30) if random.random() < 0.5 else np.ones(30, int)
    numbers = (start + np.cumsum(steps) - steps[0]).tolist()
    chance = random.choice([0.5, 0.97, 1.0])
    jobs = []
    for job in random.permutation(12).tolist():
        arrival = int(random.integers(0, numbers[-1] // random.choice([1, 4])))
        completion = int(random.integers(arrival, numbers[-1] + 2)) if random.random() < chance else 0
        jobs.append([job, 0, 1, arrival, completion, 1.5 if completion else 0])
    first = int(random.integers(0, 12))
    window = None if random.random() < 0.1 else {"startJob": first, "endJob": first + int(random.integers(0, 8))}
    return {"rounds": [[number] for number in numbers], "jobs": jobs, "window": window}


def _by_python(case: dict[str, Any]) -> list[int] | None:
    window = case["window"] and JobWindow(case["window"]["startJob"], case["window"]["endJob"])
    columns = np.array(case["jobs"]).T
    completed = (columns[4] > 0) | (columns[5] > 0)
    numbers = np.array([number for (number,) in case["rounds"]])
    phases = compute_phases(window, columns[0], columns[3].astype(int), columns[4].astype(int), completed, numbers)
    return phases and [phases.measurement_start, phases.measurement_end]


def test_both_languages_cut_a_run_into_the_same_phases(tmp_path: Path) -> None:
    # GIVEN runs whose windows are whole, cut short, beyond the jobs or missing
    random = np.random.default_rng(11)
    cases = [_random_case(random) for _ in range(300)]

    # WHEN both find the phases
    helpers = (HERE / "player" / "make_run.mjs").as_uri()
    (tmp_path / "cases.json").write_text(json.dumps(cases))
    by_node = json.loads(node("--input-type=module", "-e", SCRIPT, helpers, tmp_path / "cases.json"))
    by_python = [_by_python(case) for case in cases]

    # THEN they agree, and there was something of everything
    assert by_node == by_python
    ends = [phases and phases[1] == 30 for phases in by_python]
    assert min(ends.count(None), ends.count(True), ends.count(False)) > 20
    assert sum(bool(phases) and phases[0] == 0 for phases in by_python) > 5
