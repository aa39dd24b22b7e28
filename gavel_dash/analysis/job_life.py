"""One job's life: stretches in which it waits, runs on the same GPUs or is preempted; and who was on its GPUs then."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd

from gavel_dash import schema
from gavel_dash.analysis.segments import Segments
from gavel_dash.model import Cluster
from gavel_dash.schema.job_stretches import JOB_STRETCHES

WAITING, RUNNING, PREEMPTED, UNKNOWN = "waiting", "running", "preempted", "unknown"
ARRIVED, STARTED, RESUMED = "arrived", "started", "resumed"
MIGRATED, TYPE_MIGRATED, SHARE_CHANGED = "migrated", "migrated to other types", "other share of its GPUs"


@dataclass(frozen=True)
class Stretch:
    """Records ``[start, stop)`` in which a job keeps its state and its GPUs.

    `event` is what the stretch begins with; empty where the file does not say what was before. `lanes` are those held,
    in order; none unless it runs.
    """

    start: int
    stop: int
    state: str
    event: str
    lanes: tuple[int, ...] = ()


@dataclass(frozen=True)
class Neighbor:
    """Who held a lane of the job before it came and after it left; a job id, or None where the lane was idle.

    `before` and `after` are stretches of that holder directly beside the job's own ``[start, stop)``. At the run's
    ends, and beside records without allocations, `before_known` and `after_known` are False.
    """

    lane: int
    start: int
    stop: int
    before: int | None
    after: int | None
    before_known: bool
    after_known: bool


def find_life(
    own: Segments, since: int, until: int, unknown: np.ndarray, types: np.ndarray, lanes_per_gpu: int = 1
) -> list[Stretch]:
    """Stretches of a job, without gaps, from its first record in the system to its last.

    Parameters
    ----------
    own : Segments
        Those of the job.
    since, until : int
        Records ``[since, until)`` in which it is in the system; see `timeline.records_in_system`.
    unknown : ndarray of bool, shape (n_rounds,)
        Records in which the file does not say who holds the GPUs.
    types : ndarray of int, shape (n_gpus,)
        Index of the type of each GPU.
    lanes_per_gpu : int
    """
    since, until = min([since, *own.start.tolist()]), max([until, *own.stop.tolist()])
    comes: dict[int, list[int]] = {}
    goes: dict[int, list[int]] = {}
    for lane, start, stop in zip(own.lane.tolist(), own.start.tolist(), own.stop.tolist(), strict=True):
        comes.setdefault(start, []).append(lane)
        goes.setdefault(stop, []).append(lane)
    turns = since + np.flatnonzero(np.diff(unknown[since:until].astype(np.int8))) + 1
    edges = sorted({since, until, *comes, *goes, *turns.tolist()})
    held: set[int] = set()
    stretches: list[Stretch] = []
    last_run: Stretch | None = None
    for start, stop in pairwise(edges):
        held.difference_update(goes.get(start, ()))
        held.update(comes.get(start, ()))
        lanes = tuple(sorted(held))
        if lanes:
            event = _running_event(lanes, stretches[-1:] == [last_run], last_run, types, lanes_per_gpu)
            stretch = last_run = Stretch(start, stop, RUNNING, event, lanes)
        else:
            stretch = _idle(start, stop, bool(unknown[start]), last_run is not None, stretches)
        stretches.append(stretch)
    return stretches


def _idle(start: int, stop: int, is_unknown: bool, has_run: bool, before: Sequence[Stretch]) -> Stretch:
    if is_unknown:
        return Stretch(start, stop, UNKNOWN, "")
    if not has_run:
        return Stretch(start, stop, WAITING, "" if before else ARRIVED)
    return Stretch(start, stop, PREEMPTED, PREEMPTED if before[-1].state == RUNNING else "")


def _running_event(
    lanes: tuple[int, ...], ran_until_now: bool, last_run: Stretch | None, types: np.ndarray, lanes_per_gpu: int
) -> str:
    """What a running stretch begins with; moved is who is on other GPUs than when it last ran."""
    if last_run is None:
        return STARTED
    gpus, last_gpus = ({lane // lanes_per_gpu for lane in held} for held in (lanes, last_run.lanes))
    if {int(types[gpu]) for gpu in gpus} != {int(types[gpu]) for gpu in last_gpus}:
        return TYPE_MIGRATED
    if gpus != last_gpus:
        return MIGRATED
    return SHARE_CHANGED if ran_until_now else RESUMED


def count_events(stretches: Sequence[Stretch], ends_well: bool) -> tuple[int, int, int]:
    """Preemptions, migrations, and of them those to other GPU types, as `timeline.JobTimelines` counts them.

    `ends_well`: the last loss of all GPUs is the job's end, or the run's, and no preemption.
    """
    events = [stretch.event for stretch in stretches]
    preemptions = events.count(PREEMPTED) - (ends_well and stretches[-1].event == PREEMPTED if stretches else False)
    types = events.count(TYPE_MIGRATED)
    return preemptions, events.count(MIGRATED) + types, types


def find_neighbors(segments: Segments, job_id: int, stretch: Stretch, unknown: np.ndarray) -> list[Neighbor]:
    """Who held each lane of a running stretch before the job took it, and after it gave it back.

    Parameters
    ----------
    segments : Segments
        All those of the run.
    stretch : Stretch
        One in which the job runs.
    unknown : ndarray of bool, shape (n_rounds,)
    """
    found = []
    beside = segments.select(np.isin(segments.lane, stretch.lanes))
    here = (beside.job_id == job_id) & (beside.start <= stretch.start) & (beside.stop > stretch.start)
    for lane, start, stop in zip(
        *(values[here].tolist() for values in (beside.lane, beside.start, beside.stop)), strict=True
    ):
        before = beside.job_id[(beside.lane == lane) & (beside.stop == start)]
        after = beside.job_id[(beside.lane == lane) & (beside.start == stop)]
        found.append(
            Neighbor(
                lane,
                start,
                stop,
                int(before[0]) if len(before) else None,
                int(after[0]) if len(after) else None,
                start > 0 and not bool(unknown[start - 1]),
                stop < len(unknown) and not bool(unknown[stop]),
            )
        )
    return found


def find_sharers(segments: Segments, job_id: int, stretch: Stretch, group_of_lane: np.ndarray) -> dict[int, list[int]]:
    """Jobs that were on the job's groups of lanes (a GPU's quarters, a node's GPUs) while it ran there, by group.

    Parameters
    ----------
    segments : Segments
        All those of the run.
    group_of_lane : ndarray of int, shape (n_lanes,)
    """
    groups = sorted(set(group_of_lane[list(stretch.lanes)].tolist()))
    at_once = (segments.start < stretch.stop) & (segments.stop > stretch.start) & (segments.job_id != job_id)
    others = segments.select(at_once & np.isin(group_of_lane[segments.lane], groups))
    return {group: sorted(set(others.job_id[group_of_lane[others.lane] == group].tolist())) for group in groups}


def stretches_table(
    stretches: Sequence[Stretch], cluster: Cluster, lanes_per_gpu: int, edges_h: np.ndarray, round_numbers: np.ndarray
) -> pd.DataFrame:
    """The stretches as a table: `schema.job_stretches.JOB_STRETCHES`.

    Parameters
    ----------
    edges_h : ndarray of float64, shape (n_rounds + 1,), simulated hours
    round_numbers : ndarray of int, shape (n_rounds,)
    """
    type_of_gpu = [gpu_type.name for gpu_type in cluster.gpu_types for _ in range(gpu_type.count)]
    rows = []
    for stretch in stretches:
        gpus = sorted({lane // lanes_per_gpu for lane in stretch.lanes})
        start_h, stop_h = float(edges_h[stretch.start]), float(edges_h[stretch.stop])
        rows.append(
            {
                "start_round_index": stretch.start,
                "stop_round_index": stretch.stop,
                "start_round": int(round_numbers[stretch.start]),
                "start_time_h": start_h,
                "stop_time_h": stop_h,
                "duration_h": stop_h - start_h,
                "state": stretch.state,
                "event": stretch.event,
                "gpu_types": " ".join(dict.fromkeys(type_of_gpu[gpu] for gpu in gpus)),
                "n_gpus": len(stretch.lanes) / lanes_per_gpu if stretch.state != UNKNOWN else None,
                "gpus": " ".join(str(gpu) for gpu in gpus),
            }
        )
    return schema.build_frame(rows, JOB_STRETCHES)
