"""``manifest.json``: which experiment each `.viz.bin` file of a collection is.

An object whose ``experiments`` is a list of ``{"file": "dir/name.viz.bin", "filters": {...}}``, or that list alone.
Filters in use: date, trace, figure, algorithm, scheduler, placement, policy, load (``"0.4jph"``), seed (``"s0"``).
"""

from __future__ import annotations

import re
from typing import Any, BinaryIO

from gavel_dash.errors import SourceError
from gavel_dash.formats.json_source import is_number, read_json
from gavel_dash.formats.run_name import tidy_rate
from gavel_dash.model import RunKey

_FILE_KEYS = ("file", "path", "filename", "name")
_POLICY_KEYS = ("policy", "algorithm", "scheduler")
_RATE = re.compile(r"^(\d{1,9}(?:\.\d+)?) ?(?:jph)?$")
_SEED = re.compile(r"^(?:s|seed[ =_]?)?(\d{1,18})$")


def read_manifest(file: BinaryIO, name: str) -> dict[str, RunKey]:
    """Read a manifest: what it says of each file, by file name without directories.

    The policy is ``policy``, else ``algorithm``, else ``scheduler``. Only what an entry says is returned, not what its
    file's name says. Entries without a file, and unreadable fields, are passed over.

    Parameters
    ----------
    file : binary file
        Opened at its beginning.
    name : str
        What errors call the file.

    Returns
    -------
    dict of str to RunKey

    Raises
    ------
    SourceError
        No JSON, or no list of experiments.
    """
    content = read_json(file, name, "a manifest")
    experiments = content.get("experiments") if isinstance(content, dict) else content
    if not isinstance(experiments, list):
        raise SourceError(name, "a list of experiments", f"{type(experiments).__name__} in its place")
    keys: dict[str, RunKey] = {}
    for entry in experiments:
        if not isinstance(entry, dict):
            continue
        file_name = next((entry[key] for key in _FILE_KEYS if isinstance(entry.get(key), str) and entry[key]), None)
        if file_name is None:
            continue
        file_name = file_name.replace("\\", "/").rsplit("/", 1)[-1]
        if ".viz.bin" not in file_name:
            file_name += ".viz.bin"
        filters = entry["filters"] if isinstance(entry.get("filters"), dict) else {}
        keys[file_name] = _key({**entry, **filters})
    return keys


def _key(said: dict[str, Any]) -> RunKey:
    figure = _text(said.get("figure"))
    if figure and figure.isdigit():
        figure = f"fig{figure}"
    told: dict[str, Any] = {
        "figure": figure,
        "policy": next(filter(None, (_text(said.get(name)) for name in _POLICY_KEYS)), None),
        "arrival_rate_jph": _number(_RATE, said.get("load")),
        "seed": _number(_SEED, said.get("seed")),
        "placement": _text(said.get("placement")),
        "trace": _text(said.get("trace")),
    }
    if told["seed"] is not None:
        told["seed"] = int(told["seed"])
    return RunKey(**told)


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _number(form: re.Pattern[str], value: object) -> float | None:
    match = form.match(str(value).strip()) if isinstance(value, str) or is_number(value) else None
    return tidy_rate(float(match[1])) if match else None
