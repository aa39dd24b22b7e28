"""What is odd about a `.viz.bin` file: each check a full scan in blocks of rounds, each result a `Finding`.

Files of this package's own writer have none but those that its converter noticed in the log and left in the
config, under ``conversion.findings`` as ``[code, sentence, count]``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from gavel_dash.model import Finding

if TYPE_CHECKING:
    from gavel_dash.formats.vizbin import VizFile

_BLOCK_CELLS = 2**20
_MOST_FLAGS = 2**24


def find(viz: VizFile) -> tuple[Finding, ...]:
    """Run every check on `viz`, reading each round once."""
    return tuple(
        finding
        for check in (_conversion, _job_records, _round_numbers, _round_values, _type_order, _allocations, _queues)
        for finding in check(viz)
    )


def hidden_gpus(viz: VizFile, start: int, stop: int) -> np.ndarray:
    """GPUs that job 0 holds unseen in rounds `start` to `stop`: int64, shape (n,).

    Where ids are stored without offset, job 0 looks idle. It runs unseen where it is in the system, more GPUs
    are in use than show a job, at least as many as it needs, and exactly one running job shows nowhere. That
    last test matters: ``sharing_test`` counts 8 GPUs too many in every round, and its waiting job 0 asks for 8.
    """
    hidden = np.zeros(stop - start, np.int64)
    table = viz.jobs_by_id
    if viz.job_id_offset or not len(table) or table["job_id"][0] != 0:
        return hidden
    job = table[0]
    heads = viz.round_heads[start:stop]
    if stop - start > 1:
        shown = viz.gpus_shown[start:stop].sum(axis=1, dtype=np.int64)
    else:  # one round does not ask for all to be read
        shown = np.count_nonzero(viz.stored_allocations[start:stop], axis=1)
    missing = viz.gpus_used[start:stop].sum(axis=1, dtype=np.int64) - shown
    in_system = heads["round"] >= job["arrival_round"]
    if job["completed"]:
        in_system &= heads["round"] <= job["completion_round"]
    for row in np.flatnonzero(in_system & (missing >= max(1, int(job["scale_factor"])))):
        if int(heads["jobs_running"][row]) == viz.jobs_holding(start + int(row)) + 1:
            hidden[row] = max(1, int(job["scale_factor"]))
    return hidden


def _conversion(viz: VizFile) -> Iterator[Finding]:
    conversion = viz.config.get("conversion")
    noticed = conversion.get("findings") if isinstance(conversion, dict) else None
    for entry in noticed if isinstance(noticed, list) else ():
        match entry:
            case [str(code), str(sentence), int(count)]:  # no integer of a config is beyond 64 bits
                yield Finding(code, sentence, count)


def _job_records(viz: VizFile) -> Iterator[Finding]:
    if viz.n_jobs and viz.has_16_byte_jobs:
        sentence = f"The {viz.n_jobs} job records are of the 16-byte generation: no completions, no durations."
        yield Finding("job-records-16-byte", sentence, viz.n_jobs)
    jobs = viz.jobs
    repeated = viz.n_jobs - len(np.unique(jobs["job_id"]))
    if repeated:
        sentence = f"{repeated} job records have the id of another one; which of them is meant cannot be told."
        yield Finding("job-ids-repeated", sentence, repeated)
    if viz.impossible_durations:
        sentence = (
            f"{viz.impossible_durations} jobs have a duration that is negative or no number: not completed, here."
        )
        yield Finding("duration-impossible", sentence, viz.impossible_durations)
    early = int(np.count_nonzero((jobs["completion_round"] > 0) & (jobs["completion_round"] < jobs["arrival_round"])))
    if early:
        yield Finding(
            "completed-before-arrival", f"{early} jobs complete in a round before that of their arrival.", early
        )


def _round_numbers(viz: VizFile) -> Iterator[Finding]:
    numbers = viz.round_heads["round"].astype(np.int64)
    if not len(numbers):
        return
    backwards = int(np.count_nonzero(np.diff(numbers) <= 0))
    # Simulators number from 0; rounds derived from a log without numbers start at 1, as 0 is "before the first".
    first = 1 if numbers[0] == 1 else 0
    missing = int(numbers[-1]) + 1 - first - len(numbers)
    if backwards:
        sentence = (
            f"Round numbers do not increase at {backwards} of {len(numbers)} records; records are shown in order."
        )
        yield Finding("round-numbers-irregular", sentence, backwards)
    elif missing:
        rounds = numbers[-1] + 1 - first
        sentence = f"The file holds {len(numbers)} of the {rounds} rounds up to its last; {missing} are not in it."
        yield Finding("sampled-rounds", sentence, missing)


def _round_values(viz: VizFile) -> Iterator[Finding]:
    heads = viz.round_heads
    floats = [heads[field] for field in ("sim_time_s", "effective_utilization", "avg_jct_s", "completion_rate_jph")]
    unknown = np.logical_or.reduce([~(np.isfinite(values) & (values >= 0)) for values in floats])
    if unknown.any():
        n_unknown = int(np.count_nonzero(unknown))
        sentence = (
            f"{n_unknown} of {viz.n_rounds} round records hold a time, share or rate that is negative or no number."
        )
        yield Finding("round-values-impossible", sentence, n_unknown)
    for field, what, code in (
        ("sim_time_s", "Simulated time", "time-goes-back"),
        ("jobs_completed", "The number of completed jobs", "completed-count-falls"),
    ):
        falls = int(np.count_nonzero(heads[field][1:] < heads[field][:-1]))
        if falls:
            yield Finding(
                code, f"{what} is lower than in the record before at {falls} of {viz.n_rounds} records.", falls
            )


def _type_order(viz: VizFile) -> Iterator[Finding]:
    decision = viz.type_order
    listed = ", ".join(str(gpu_type["name"]) for gpu_type in viz.config["gpu_types"])
    if not decision.decided:
        sentence = (
            f"No order of the GPU types makes the allocations agree with the GPUs counted as in use; "
            f"the config's order ({listed}) is kept."
        )
        yield Finding("type-order-undecided", sentence, decision.rounds_tested)
    elif decision.order != tuple(range(len(decision.order))):
        followed = ", ".join(gpu_type.name for gpu_type in viz.cluster.gpu_types)
        sentence = (
            f"The config lists the GPU types as {listed}, but the allocations follow {followed}: of "
            f"{decision.rounds_tested} rounds that tell, {decision.agreement:.0%} agree with the GPUs in use, "
            f"in the listed order {decision.config_agreement:.0%}."
        )
        yield Finding("type-order-corrected", sentence, decision.rounds_tested)


def _allocations(viz: VizFile) -> Iterator[Finding]:
    n, visible, hidden = viz.n_rounds, viz.gpus_shown, hidden_gpus(viz, 0, viz.n_rounds)
    shown = visible.any(axis=1)
    silent = ~shown & viz.gpus_used.any(axis=1) & (viz.round_heads["jobs_running"] > 0)
    if silent.any() and not shown.any():
        sentence = f"GPUs are in use in {silent.sum()} of {n} rounds and no round says by which job: telemetry only."
        yield Finding("telemetry-only", sentence, int(silent.sum()))
        return
    unseen = hidden > 0
    if unseen.any():
        sentence = (
            f"Job 0 is stored as 0, which means idle: it holds {hidden.max()} GPUs in {unseen.sum()} rounds "
            f"and none of them shows."
        )
        yield Finding("hidden-job-0", sentence, int(unseen.sum()))
    if (silent & ~unseen).any():
        missing = int((silent & ~unseen).sum())
        sentence = f"GPUs are in use in {missing} of {n} rounds without a word about which job holds them."
        yield Finding("missing-allocations", sentence, missing)
    differs = (visible != viz.gpus_used).any(axis=1) & ~unseen & ~silent
    if differs.any():
        most = int(np.abs(visible - viz.gpus_used)[differs].max())
        sentence = (
            f"In {differs.sum()} of {n} rounds the GPUs counted as in use are not those that show a job, "
            f"by up to {most} GPUs of a type."
        )
        yield Finding("gpu-used-differs", sentence, int(differs.sum()))


def _queues(viz: VizFile) -> Iterator[Finding]:
    _, lengths = viz.queue_spans()
    wanted = viz.round_heads["jobs_queued"].astype(np.int64)
    cleaned = lengths.copy()
    for i in np.flatnonzero(_suspect_queues(viz, lengths != wanted)):
        cleaned[i] = len(viz.queue(int(i)))
    dropped = lengths - cleaned
    if dropped.any():
        rounds = int(np.count_nonzero(dropped))
        sentence = (
            f"{dropped.sum()} queue entries in {rounds} of {viz.n_rounds} rounds were jobs that run, have completed "
            f"or have not arrived; they were dropped."
        )
        yield Finding("queue-cleaned", sentence, rounds)
    differs = cleaned != wanted
    if differs.any():
        most = int(np.abs(cleaned - wanted).max())
        sentence = (
            f"In {differs.sum()} of {viz.n_rounds} rounds the queue lists another number of jobs than the round "
            f"counts as queued, by up to {most}."
        )
        yield Finding("queue-differs", sentence, int(differs.sum()))


def _suspect_queues(viz: VizFile, suspect: np.ndarray) -> np.ndarray:
    """Rounds whose queue may need cleaning: those in `suspect`, and those that list a job on a GPU or completed.

    The common case is a clean file with millions of entries, so the rounds are tested in blocks by flagging ids
    in a table. Where that is not possible (huge ids, lists out of order, shared GPUs) every queue is suspect.
    """
    positions, lengths = viz.queue_spans()
    waiting = lengths > 0
    contiguous = bool((positions[1:] == positions[:-1] + 4 * lengths[:-1] + 2).all())
    ids = viz.jobs["job_id"] + viz.job_id_offset
    width = int(ids.max(initial=0)) + 1
    if viz.has_sharing or not contiguous or width > _MOST_FLAGS // 64:
        return waiting
    last_round = np.full(width, np.iinfo(np.int64).max)
    last_round[ids[viz.jobs["completed"]]] = viz.jobs["completion_round"][viz.jobs["completed"]]
    numbers = viz.round_heads["round"].astype(np.int64)
    suspect = suspect.copy()
    step = max(1, min(_MOST_FLAGS // width, _BLOCK_CELLS // max(1, viz.n_gpus)))
    for start in range(0, viz.n_rounds, step):
        stop = min(start + step, viz.n_rounds)
        rows = np.repeat(np.arange(stop - start), lengths[start:stop])
        if not len(rows):
            continue
        words = viz.file_bytes(positions[start] - 2, positions[stop - 1] + 4 * lengths[stop - 1]).view("<u2")
        is_id = np.ones(len(words), bool)
        is_id[(positions[start:stop] - positions[start]) // 2] = False
        queued = words[is_id].view("<u4")
        cells = viz.stored_allocations[start:stop]
        if max(int(queued.max()), int(cells.max(initial=0))) >= width:
            suspect[start:stop] |= waiting[start:stop]
            continue
        holds = np.zeros((stop - start, width), bool)
        holds[np.arange(stop - start)[:, None], cells] = True
        holds[:, 0] = False
        wrong = holds[rows, queued] | (last_round[queued] < numbers[start:stop][rows])
        suspect[start:stop][rows[wrong]] = True
    return suspect
