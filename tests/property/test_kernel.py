"""With the kernel or without it: any log gives the same bytes, or the same error."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gavel_dash.errors import GavelDashError, UsageError
from gavel_dash.ingest import lines, read_log, scan
from gavel_dash.ingest import rounds as rounds_module
from gavel_dash.ingest.convert import convert_log
from gavel_dash.ingest.sources import LogSource
from gavel_dash.kernel import load_kernel
from tests.unit.ingest.log_text import ReplicationLog

JOBS = st.one_of(st.integers(0, 9), st.sampled_from([70_000, 10**9, 2**24]))
#: Texts of numbers that a JSON parser reads or refuses.
NUMBERS = st.one_of(
    st.integers(-3, 300).map(str),
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
    st.floats(0, 1).map(repr),
    st.floats(0, 1e6).map(lambda value: f"{value:.13f}"),
    st.decimals(0, 10**6, allow_nan=False, places=19).map(str),
    st.sampled_from(
        [
            "null",
            "true",
            "NaN",
            "01",
            "1.",
            ".5",
            "-0",
            "-0.0",
            "1e5",
            "1E-7",
            "1e999",
            "9007199254740993",
            "1" * 25,
            "0.1234567890123456789012",
            "65536",
            "70000",
            "4294967296",
            "18446744073709551616",
            "12345678901234567.5",
        ]
    ),
)
ODD_LINES = st.sampled_from(
    [
        "",
        "] ",
        "Job completion times:",
        "Job 3: 1234.567",
        "Average job completion time: 60.000 seconds (0.02 hours)",
        "Cluster utilization: 0.250",
        "[0.1 0.2] 0.3",
        "scheduler:INFO [0] Resetting time run so far",
        "scheduler:INFO [0] [Micro-task succeeded]\tJob ID: 1\tWorker type: k80\tWorker ID(s): [1]",
        "scheduler:INFO [0] quoted] [Micro-task scheduled]\tJob ID: 1\tWorker type: k80\tWorker ID(s): 1",
        'scheduler:INFO [0] EVENT {"event": "schedule_round", "round": 3}',
        'scheduler:INFO [0] EVENT {"event": "note"}',
        "x] y] [z] TELEMETRY {}",
    ]
)
BROKEN_LINES = st.sampled_from(
    [
        "scheduler:INFO [0] [Micro-task scheduled]\tJob ID: 1",
        "scheduler:INFO [0] [Micro-task scheduled]\tJob ID: 1\tWorker kind: k80\tWorker ID(s): 1",
        "scheduler:INFO [0] [Micro-task scheduled]\tJob ID: 1\tWorker type: k80\tWorker ID(s): 1,",
        "scheduler:INFO [0] [Micro-task scheduled]\tJob ID: (1, \tWorker type: k80\tWorker ID(s): 1",
        "scheduler:INFO [0] [Micro-task scheduled]\tJob ID: 1\tWorker type: k80\tWorker ID(s): 99999999999",
        "scheduler:INFO [0] [Micro-task scheduled]\tJob ID: x\tWorker type: k80\tWorker ID(s): 1",
        'scheduler:INFO [0] TELEMETRY {"round": 1}',
        "scheduler:INFO [0] EVENT {",
    ]
)


@st.composite
def logs(draw: st.DrawFn) -> bytes:
    log = ReplicationLog()
    for job in draw(st.lists(JOBS, max_size=4, unique=True)):
        log.arrive(job, draw(st.integers(1, 3)), gpu_request=draw(st.sampled_from([1.0, 1.0, 1.0, 0.5])))
    for number in range(draw(st.integers(1, 12))):
        for _ in range(draw(st.integers(0, 3))):
            _add_placement(draw, log)
        kind = draw(st.integers(0, 9))
        if kind == 0:
            log.arrive(draw(JOBS), draw(st.integers(1, 3)))
        elif kind == 1:
            log.complete(draw(JOBS), draw(st.floats(0, 1e6)))
        elif kind == 2:
            log.lines.append(draw(ODD_LINES))
        elif kind == 3 and draw(st.integers(0, 5)) == 0:
            log.lines.append(draw(BROKEN_LINES))
        log.telemetry(number, draw(st.integers(0, 5)), draw(st.integers(0, 5)), k80=draw(st.integers(0, 2)))
        if draw(st.booleans()):
            key = draw(st.sampled_from(["utilization", "avg_jct", "windowed_completion_rate", "sim_time", "k80_used"]))
            _replace_value(log, key, draw(NUMBERS))
    end = draw(st.sampled_from(["\n", "", "\r\n"]))
    return ("\n".join(log.lines) + end).encode()


def _add_placement(draw: st.DrawFn, log: ReplicationLog) -> None:
    workers = draw(st.lists(st.integers(0, 5), min_size=1, max_size=3, unique=True))
    job: object = draw(JOBS)
    form = draw(st.integers(0, 9))
    if form == 0:
        log.allocate({str(job): workers})
        return
    if form <= 2:
        job = f"({job}, {draw(JOBS)})"
    log.schedule(job, ("k80", "p100", "v100")[min(workers) // 2], *workers)
    if form == 3:
        log.lines[-1] = log.lines[-1].partition("\tPriority")[0]


def _replace_value(log: ReplicationLog, key: str, text: str) -> None:
    prefix, _, json_text = log.lines[-1].partition("TELEMETRY ")
    record = json.loads(json_text)
    values = {name: json.dumps(value) for name, value in record.items()} | {key: text}
    log.lines[-1] = prefix + "TELEMETRY {" + ", ".join(f'"{name}": {value}' for name, value in values.items()) + "}"


def outcome(data: bytes) -> object:
    """The bytes of the three files, or the error."""
    with tempfile.TemporaryDirectory() as name:
        room = Path(name)
        (room / "a.log").write_bytes(data)
        try:
            result = convert_log(LogSource(room / "a.log", "a"), room / "out")
        except UsageError:
            # Of several numbers that do not fit, the first block's is named, and blocks end elsewhere.
            return "a number does not fit the format"
        except GavelDashError as error:
            return str(error).replace(name, "")
        return [path.read_bytes() for path in result.paths]


@settings(max_examples=300, deadline=None)
@given(logs(), st.sampled_from([64, 1000, 1 << 18]), st.sampled_from([2, 1024]))
def test_the_kernel_changes_nothing(data: bytes, block_bytes: int, rounds_per_block: int) -> None:
    if load_kernel() is None:
        pytest.skip("no compiler here, so there is one path only")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lines, "BLOCK_BYTES", block_bytes)
        patch.setattr(rounds_module, "ROUNDS_PER_BLOCK", rounds_per_block)
        for name, value in (("ROUNDS_PER_BLOCK", rounds_per_block), ("_PLACEMENTS", 8), ("_TELEMETRY_BYTES", 700)):
            patch.setattr(scan, name, value)
        fast = outcome(data)
        patch.setenv("GAVEL_DASH_KERNEL", "off")
        assert read_log.load_kernel() is None
        assert outcome(data) == fast
