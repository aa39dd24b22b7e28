"""Who a run is: policy, rate, seed and the rest from the best source that tells, remembering which.

The order is: the `.viz.bin`'s config, `timing.json`, `manifest.json`, the path, the name, and last what the
data themselves show (a job that asks for several GPUs makes a run multi-GPU).

Placement and trace are believed only where a source says them in a field of their own. A name such as
``fgd_alibaba_gavel_random`` does not tell which of its words is which, and ``fifo_random`` may well be a policy.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from typing import Any

from gavel_dash.formats.run_name import tidy_rate
from gavel_dash.model import Finding, JobWindow, RunKey

FIELDS = tuple(field.name for field in fields(RunKey))
#: The rate in a config's policy that is none: ``gavel_random_60jph_s0 (Gavel (random))``, ``FGD+Migration 360jph``.
_LABEL = re.compile(r"(?:^|[\W_])(?P<rate>\d{1,9}(?:\.\d+)?) ?jph(?:_s(?P<seed>\d{1,18}))?(?!\w)", re.IGNORECASE)


def resolve_key(sources: Sequence[tuple[str, RunKey]]) -> tuple[RunKey, dict[str, str]]:
    """Each field from the first source that knows it.

    A policy that only joins what another source tells apart, policy and placement, is taken apart as that one does:
    ``fifo_random`` is ``fifo`` beside a manifest that says scheduler fifo and placement random.

    Parameters
    ----------
    sources : sequence of (source name, RunKey), best first

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
    for source, key in sources:
        apart = RunKey(policy=key.policy, placement=values.get("placement"))
        if key.policy and key.placement == apart.placement and _joins(values["policy"], apart):
            values["policy"], identity["policy"] = key.policy, source
            break
    return RunKey(**values), identity


def _joins(policy: str, apart: RunKey) -> bool:
    """Whether a policy is policy and placement in one word, possibly behind a prefix: ``fgd_alibaba_gavel_random``."""
    return bool(apart.placement) and f"_{policy}".endswith(f"_{apart.policy}_{apart.placement}")


def contradictions(sources: Sequence[tuple[str, RunKey]], key: RunKey, identity: Mapping[str, str]) -> list[Finding]:
    """A finding for each field that a later source tells otherwise: a renamed or misplaced file looks like that."""
    findings = []
    for field in FIELDS:
        for source, other in sources:
            said, believed = getattr(other, field), getattr(key, field)
            agrees = said == believed or (field == "policy" and said is not None and _joins(said, key))
            if said is not None and not agrees and source != "jobs":
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
    """What the config JSON of a `.viz.bin` says: our own `experiment` object, else its policy alone.

    A policy outside of `experiment` that names a rate is no policy but a label for people: runs of one policy would
    each have another. Its rate and seed are believed, and the policy is left to the manifest and the run's name.
    """
    experiment = config.get("experiment")
    if not isinstance(experiment, dict):
        experiment = {}
    policy = _text(config.get("policy"))
    label = _LABEL.search(policy) if policy else None
    rate = _number(experiment.get("arrival_rate_jph"))
    seed = _integer(experiment.get("seed"))
    if label is not None:
        policy = None
        rate = rate if rate is not None else _number(float(label["rate"]))
        seed = seed if seed is not None or label["seed"] is None else int(label["seed"])
    return RunKey(
        figure=_text(experiment.get("figure")),
        policy=_text(experiment.get("policy")) or policy,
        setting=_text(experiment.get("setting")),
        arrival_rate_jph=rate,
        seed=seed,
        placement=_text(experiment.get("placement")),
        trace=_text(experiment.get("trace")),
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
