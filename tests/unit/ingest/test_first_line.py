"""A log that lies in another policy's place says so."""

from __future__ import annotations

import pytest

from gavel_dash.ingest.config import first_line_findings
from gavel_dash.ingest.messages import Summary
from gavel_dash.model import RunKey


@pytest.mark.parametrize(
    ("policy", "seed", "codes"),
    [
        ("max_min_fairness", 0, []),
        ("max_min_fairness_packing", 0, []),
        ("max_min_fairness_perf", 0, ["policy-differs"]),
        ("fifo", 7, ["policy-differs", "seed-differs"]),
        (None, None, []),
    ],
)
def test_first_line_against_place(policy: str | None, seed: int | None, codes: list[str]) -> None:
    summary = Summary()
    summary.policy, summary.seed = policy, seed
    found = first_line_findings(RunKey(policy="max_min_fairness", seed=0), summary)
    assert [finding.code for finding in found] == codes
