"""The text of a cell: what, value with unit, since when. Built once per job, not once per GPU."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from gavel_dash.figures.heatmap_colors import category_label
from gavel_dash.figures.round_cells import CellJob, RoundCells
from gavel_dash.figures.theme import escape

_MOST_RANGES = 8


def hover_texts(cells: RoundCells, tenants: np.ndarray) -> np.ndarray:
    """Plotly text of every part of every GPU: ndarray of str objects, of the shape of `tenants`."""
    jobs = {job.job_id: job for job in cells.jobs}
    of_job = {job_id: job_text(job) for job_id, job in jobs.items()}
    of_job[-1] = "<b>Idle</b>"
    texts = np.empty(tenants.shape, dtype=object)
    flat, parts = texts.reshape(len(tenants), -1), tenants.reshape(len(tenants), -1)
    for gpu, (where, job_ids) in enumerate(zip(gpu_names(cells), parts.tolist(), strict=True)):
        shared = len({job_id for job_id in job_ids if job_id >= 0}) > 1
        if shared:
            where = f"{where}<br>{tenants_text(job_ids, jobs)}"
        flat[gpu] = [f"{of_job[job_id]}<br>{where}" for job_id in job_ids]
    return texts


def gpu_names(cells: RoundCells) -> list[str]:
    """Index and type of every GPU: GPU 41 (P100 5)."""
    return [
        f"GPU {first + i:,} ({escape(gpu_type.name.upper())} {i:,})"
        for gpu_type, first in zip(cells.cluster.gpu_types, cells.cluster.first_gpus, strict=True)
        for i in range(gpu_type.count)
    ]


def job_text(job: CellJob) -> str:
    """What is known about a job, one line each."""
    kind = " · ".join(part for part in (escape(job.job_type), escape(category_label(job.category))) if part)
    lines = [f"<b>Job {job.job_id:,}</b>", kind if job.job_type else "the file has no record of this job"]
    if job.scale_factor is not None:
        lines.append(f"Scale factor: {job.scale_factor}")
    lines.append(f"GPUs: {format_ranges(job.gpus)}")
    if job.since_round is not None:
        earlier = " or earlier" if job.since_is_bound else ""
        lines.append(f"On these since round {job.since_round:,}{earlier}")
    if job.arrival_round is not None:
        hours = "" if job.arrival_h is None else f", {job.arrival_h:,.1f} h"
        lines.append(f"Arrived: round {job.arrival_round:,}{hours}")
    return "<br>".join(lines)


def tenants_text(job_ids: list[int], jobs: dict[int, CellJob]) -> str:
    """Who shares a GPU, with quarters: "Shared: job 4 (ResNet-18) 2/4, job 9 (LM) 1/4, idle 1/4"."""
    shares = []
    for job_id in sorted(set(job_ids), key=lambda job_id: (job_id < 0, job_id)):
        quarters = job_ids.count(job_id) * 4 // len(job_ids)
        kind = jobs[job_id].job_type if job_id in jobs else ""
        name = "idle" if job_id < 0 else f"job {job_id:,}" + (f" ({escape(kind)})" if kind else "")
        shares.append(f"{name} {quarters}/4")
    return "Shared: " + "<br>   ".join(shares)


def format_ranges(numbers: np.ndarray) -> str:
    """Sorted distinct numbers as ranges: ``[0, 1, 2, 7]`` is "0-2, 7" (with an en dash); many ranges are cut short."""
    values = numbers.tolist()
    starts = [values[0]] + [b for a, b in pairwise(values) if b != a + 1] if values else []
    ends = [a for a, b in pairwise(values) if b != a + 1] + values[-1:]
    ranges = [f"{a:,}" if a == b else f"{a:,}–{b:,}" for a, b in zip(starts, ends, strict=True)]
    if len(ranges) > _MOST_RANGES:
        return f"{', '.join(ranges[:_MOST_RANGES])} and more ({len(values):,} in all)"
    return ", ".join(ranges)
