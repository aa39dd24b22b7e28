"""Who a run is: policy, rate, seed and the rest from the best source that tells, remembering which.

The order is: the `.viz.bin`'s config, `timing.json`, `manifest.json`, the path, the name, and last what the
data themselves show (a job that asks for several GPUs makes a run multi-GPU).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import fields
from typing import Any

from gavel_dash.formats.run_name import tidy_rate
from gavel_dash.model import Finding, JobWindow, RunKey

FIELDS = tuple(field.name for field in fields(RunKey))


def resolve_key(sources: Iterable[tuple[str, RunKey]]) -> tuple[RunKey, dict[str, str]]:
    """Each field from the first source that knows it.

    Parameters
    ----------
    sources : iterable of (source name, RunKey), best first

    Returns
    -------
    key : RunKey
    identity : dict of field name to source name, known fields only
    """
    values: dict[str, Any] = {}
    identity: dict[str, str] = {}
    for source, key in sources:
        for field in FIELDS:
            value = getattr(key, field)
            if value is not None and field not in values:
                values[field], identity[field] = value, source
    return RunKey(**values), identity


def contradictions(sources: Iterable[tuple[str, RunKey]], key: RunKey, identity: Mapping[str, str]) -> list[Finding]:
    """A finding for each field that a later source tells otherwise: a renamed or misplaced file looks like that."""
    findings = []
    for field in FIELDS:
        for source, other in sources:
            said, believed = getattr(other, field), getattr(key, field)
            if said is not None and said != believed and source != "jobs":
                sentence = (
                    f"The {source} says {field} {said}, the {identity[field]} {believed}: the latter is believed."
                )
                findings.append(Finding("identity-differs", sentence, 1))
                break
    return findings


def resolve_window(sources: Iterable[tuple[str, JobWindow | None]]) -> tuple[JobWindow | None, str | None]:
    """The window of the first source that has one, and that source's name."""
    for source, window in sources:
        if window is not None and window.n_jobs > 0:
            return window, source
    return None, None


def key_from_config(config: Mapping[str, Any]) -> RunKey:
    """What the config JSON of a `.viz.bin` says: our own `experiment` object, else its policy alone."""
    experiment = config.get("experiment")
    if not isinstance(experiment, dict):
        experiment = {}
    policy = experiment.get("policy") or config.get("policy")
    return RunKey(
        figure=_text(experiment.get("figure")),
        policy=_text(policy),
        setting=_text(experiment.get("setting")),
        arrival_rate_jph=_number(experiment.get("arrival_rate_jph")),
        seed=_integer(experiment.get("seed")),
    )


def key_from_path(parts: Iterable[str]) -> RunKey:
    """What directory names say: ``v100=36.p100=36.k80=36/POLICY/seed=0/lambda=9000`` (seconds between arrivals)."""
    text = "/".join(parts)
    seed = re.search(r"(?:^|/)seed=(\d+)(?:/|$)", text)
    gap = re.search(r"(?:^|/)lambda=(\d+(?:\.\d+)?)", text)
    seconds = float(gap[1]) if gap else 0.0
    return RunKey(seed=int(seed[1]) if seed else None, arrival_rate_jph=tidy_rate(3600 / seconds) if seconds else None)


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _number(value: object) -> float | None:
    return (
        tidy_rate(float(value))
        if isinstance(value, int | float) and not isinstance(value, bool) and value > 0
        else None
    )


def _integer(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
