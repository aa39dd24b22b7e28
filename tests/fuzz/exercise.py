"""What a user causes with a file: opening it, converting it, looking at every page of it. And what must hold then."""

from __future__ import annotations

import math
import os
import shutil
import struct
from itertools import pairwise
from pathlib import Path

import numpy as np

from gavel_dash.errors import GavelDashError
from gavel_dash.formats.vizbin import VizFile
from gavel_dash.ingest.convert import convert_log
from gavel_dash.ingest.sources import find_logs
from gavel_dash.kernel import SWITCH
from gavel_dash.sweep import open_sweep
from gavel_dash.sweep.check import check_paths
from gavel_dash.sweep.headers import list_headers
from gavel_dash.sweep.run import Run
from tests.fuzz.cases import VIZ, Case
from tests.plain_vizbin import HEADER, SECTIONS

#: Tables of a sweep cost more than all else that is done with a case.
_TABLES_EVERY = 20


class WrongNumberError(AssertionError):
    """A result that is not what the file says, and no finding that says so."""


def exercise(case: Case, directory: Path) -> bool:
    """Do with a case in an empty directory what users do; True where all of it ended in results.

    Raises
    ------
    Exception
        Anything but a `GavelDashError` that was to be had for the damage.
    """
    for name, data in case.files.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    sound = True
    if VIZ in case.files:
        sound &= _open(case.files[VIZ], directory / VIZ)
    if any(".log" in name for name in case.files):
        sound &= _convert(directory, case.number)
    return _look_at_sweep(directory, case.number) and sound


def _open(data: bytes, path: Path) -> bool:
    try:
        viz = VizFile(data, str(path))
    except GavelDashError:
        return False
    sound = True
    for look in (_touch_rounds, _touch_lists, _check_numbers):
        try:
            look(viz, data)
        except GavelDashError:
            sound = False
    return sound


def _touch_rounds(viz: VizFile, data: bytes) -> None:
    assert viz.round_heads.shape == (viz.n_rounds,)
    viz.gpus_used.sum(), viz.jobs_by_id, viz.records_without_allocation(), viz.content_id
    assert viz.allocations(0, 3).shape == (min(3, viz.n_rounds), viz.n_gpus)
    for i in _some(viz.n_rounds):
        assert viz.allocation(i).min(initial=-1) >= -1
        viz.has_allocation(i)


def _touch_lists(viz: VizFile, data: bytes) -> None:
    for i in _some(viz.n_rounds):
        viz.queue(i), viz.sharing(i), viz.jobs_holding(i)
    viz.sharing_entries(0, min(viz.n_rounds, 50))
    viz.lanes(0, 3)


def _some(n: int) -> list[int]:
    return sorted({i for i in (0, 1, n // 2, n - 1) if 0 <= i < n})


def _check_numbers(viz: VizFile, data: bytes) -> None:
    """Without a finding every number is what the bytes say, and they agree with each other."""
    if viz.findings:
        assert all(finding.sentence and finding.code for finding in viz.findings)
        return
    _, _, n_rounds, n_jobs, n_types, n_gpus, *offsets = struct.unpack_from(HEADER, data)
    at = dict(zip(SECTIONS, offsets, strict=True))
    _require(viz.n_rounds == n_rounds and viz.n_jobs == n_jobs and viz.n_gpus == n_gpus, "the header's counts")
    size = (28 + 2 * n_types + 4 * n_gpus + 7) // 8 * 8
    edges = np.cumsum([0, *(gpu_type.count for gpu_type in viz.cluster.gpu_types)]).tolist()
    last_s = -math.inf
    for i in range(n_rounds):
        start = at["rounds"] + i * size
        number, time_s, utilization, _, queued, _, jct_s, rate = struct.unpack_from("<IffHHIff", data, start)
        cells = struct.unpack_from(f"<{n_gpus}I", data, start + 28 + 2 * n_types)
        used = struct.unpack_from(f"<{n_types}H", data, start + 28)
        _require(int(viz.round_heads["round"][i]) == number, f"the number of record {i}")
        _require(all(map(math.isfinite, (time_s, utilization, jct_s, rate))), f"the numbers of record {i}")
        _require(time_s >= last_s, f"the time of record {i}")
        last_s = time_s
        (index,) = struct.unpack_from("<Q", data, at["queue_index"] + 8 * i)
        _require(struct.unpack_from("<H", data, at["queue"] + index) == (queued,), f"the queue of record {i}")
        shown = sorted(sum(cell > 0 for cell in cells[a:b]) for a, b in pairwise(edges))
        _require(shown == sorted(used), f"the GPUs in use in record {i}")


def _require(holds: bool, what: str) -> None:
    if not holds:
        raise WrongNumberError(f"no finding says that {what} cannot be believed")


def _convert(directory: Path, number: int) -> bool:
    """With the kernel and without it: equal files, or an error both times."""
    ends = []
    for source in find_logs([directory]):
        made: list[object] = []
        for switch in ("on", "off")[:: 1 - 2 * (number % 2)]:
            os.environ[SWITCH] = switch
            out = directory / f"out-{switch}"
            try:
                paths = convert_log(source, out).paths
                made.append([path.read_bytes() for path in paths])
            except GavelDashError as error:
                made.append(str(error).replace(str(out), "out"))
            finally:
                os.environ.pop(SWITCH)
        _require(made[0] == made[1], f"{source.name} is another with the kernel than without")
        ends.append(isinstance(made[0], list))
    shutil.rmtree(directory / "out-off", ignore_errors=True)
    return all(ends)


def _look_at_sweep(directory: Path, number: int) -> bool:
    sweep = open_sweep(directory)
    sound = not sweep.problems
    for name in sweep.names:
        sweep.identity(name)
        sound &= "damaged" not in {finding.code for finding in sweep.findings(name)}
        if sweep.has_rounds(name):
            sound &= _look_at_run(sweep[name])
    if number % _TABLES_EVERY == 0:
        list(check_paths([directory])), list_headers(directory, lambda _message: None)
        sweep.runs(), sweep.curves(), sweep.saturation()
    return sound


def _look_at_run(run: Run) -> bool:
    try:
        _ = run.viz
    except GavelDashError:
        return False
    sound = True
    for look in (
        run.rounds,
        run.jobs,
        run.fragmentation,
        run.segments,
        lambda: run.series(0, run.n_rounds, 20),
        run.blocked_demand,
        lambda: run.queue_table(run.representative_round()) if run.n_rounds else None,
        lambda: run.wall_time_s,
    ):
        try:
            look()
        except GavelDashError:
            sound = False
    return sound
