"""``timing.json``: what a replication run was asked to do, and the simulator's own summary of it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, BinaryIO

from gavel_dash.errors import SourceError
from gavel_dash.formats.json_source import is_number, read_json
from gavel_dash.formats.run_name import tidy_rate
from gavel_dash.model import Cluster, GpuType, JobWindow, RunKey

#: The order of the counts in ``cluster_spec``; it is not the worker-id order.
CLUSTER_SPEC_TYPES = ("v100", "p100", "k80")


@dataclass(frozen=True)
class Timing:
    """A run's identity and results. Every field is None where the file does not tell it.

    Attributes
    ----------
    name : str
    key : RunKey
    window : JobWindow
    cluster_spec : str
        GPUs of each type as written, ``V100:P100:K80``.
    mean_jct_s : float
        Seconds; None also where it is infinite: no job of the window completed.
    effective_utilization : float
        Fraction.
    left_early : bool
        The simulator's ``saturated``. It says that the run ended before its window did, which short runs at the
        lowest rates also do; it is no finding about saturation.
    """

    name: str | None
    key: RunKey
    window: JobWindow | None
    cluster_spec: str | None
    mean_jct_s: float | None
    effective_utilization: float | None
    left_early: bool | None


def read_timing(file: BinaryIO, name: str) -> Timing:
    """Read a ``timing.json``; bare ``Infinity`` and ``NaN`` are accepted.

    Parameters
    ----------
    file : binary file
        Opened at its beginning.
    name : str
        What errors call the file.

    Returns
    -------
    Timing

    Raises
    ------
    SourceError
        No JSON object, or a field of the wrong kind.
    """
    content = read_json(file, name, "a timing.json")
    experiment = content.get("experiment") if isinstance(content, dict) else None
    if not isinstance(experiment, dict):
        raise SourceError(name, "an object with an 'experiment' object", f"JSON of type {type(content).__name__}")

    def of(source: dict[str, Any], key: str, kind: str) -> Any:
        value = source.get(key)
        fits = {"text": isinstance(value, str), "number": is_number(value), "yes or no": isinstance(value, bool)}
        fits["whole number"] = isinstance(value, int) and not isinstance(value, bool)
        if value is not None and not fits[kind]:
            raise SourceError(name, f"a {kind} in {key!r}", repr(value))
        return value

    rate, gap_s = of(experiment, "jobs_per_hr", "number"), of(experiment, "lambda", "number")
    if rate is None and gap_s:
        rate = 3600 / gap_s
    multi = of(experiment, "multi_gpu", "yes or no")
    start, end = of(experiment, "window_start", "whole number"), of(experiment, "window_end", "whole number")
    spec = of(experiment, "cluster_spec", "text")
    mean_jct_s, utilization = of(content, "average_jct", "number"), of(content, "utilization", "number")
    return Timing(
        name=of(experiment, "name", "text"),
        key=RunKey(
            figure=of(experiment, "figure", "text"),
            policy=of(experiment, "policy", "text"),
            setting=None if multi is None else "multi" if multi else "single",
            arrival_rate_jph=tidy_rate(rate) if rate is not None and 0 < rate < math.inf else None,
            seed=of(experiment, "seed", "whole number"),
            cluster=None if spec is None else _cluster_name(spec, name),
        ),
        window=None if start is None or end is None else JobWindow(start, end),
        cluster_spec=spec,
        mean_jct_s=float(mean_jct_s) if mean_jct_s is not None and math.isfinite(mean_jct_s) else None,
        effective_utilization=float(utilization) if utilization is not None and math.isfinite(utilization) else None,
        left_early=of(content, "saturated", "yes or no"),
    )


def _cluster_name(spec: str, name: str) -> str:
    counts = spec.split(":")
    if len(counts) != len(CLUSTER_SPEC_TYPES) or not all(c.isascii() and c.isdigit() and len(c) < 6 for c in counts):
        raise SourceError(name, "a cluster_spec like '36:36:36' (V100:P100:K80)", repr(spec))
    types = zip(CLUSTER_SPEC_TYPES, counts, strict=True)
    return Cluster(tuple(GpuType(gpu_type, int(count)) for gpu_type, count in types if int(count))).name
