"""From a number to a case: the files of a small sweep, at least one of which is damaged."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random

import zstandard

from tests.fuzz import bases, mutate
from tests.fuzz.bombs import bomb
from tests.fuzz.vizbin_cases import VIZBIN_DAMAGES

VIZ, RUN_LOG = "run.viz.bin", "logged/simulation.log"
_UPSTREAM_LOG = "v100=4.p100=2.k80=4/fifo/seed=0/lambda=9000.000000.log"


@dataclass(frozen=True)
class Case:
    """A damaged sweep.

    Attributes
    ----------
    number : int
    family : str
        What is damaged, and how.
    files : mapping of str to bytes
        By path in the sweep.
    unpacked_bytes : int
        Size of the files once they are unpacked; of those that no reader should unpack, nothing.
    """

    number: int
    family: str
    files: Mapping[str, bytes]
    unpacked_bytes: int


def make_case(seed: int, number: int, real: bool) -> Case:
    """The case of that number; `real` adds slices of the real files to what cases are made of."""
    rng = Random(f"{seed}:{number}")
    family = _ORDER[number % len(_ORDER)]
    made = _FAMILIES[family](rng, real)
    files, size = made if isinstance(made, tuple) else (made, sum(map(len, made.values())))
    return Case(number, family, files, size)


def sound_sweep() -> dict[str, bytes]:
    """One file of every kind, none of them damaged."""
    logs = {RUN_LOG: bases.replication_logs(False)[0], _UPSTREAM_LOG: bases.upstream_logs(False)[0]}
    viz = bases.vizbins(False)
    return {
        VIZ: viz[0],
        "shared.viz.bin": viz[1],
        "packed.viz.bin.packed": bases.packed_run(),
        **logs,
        **bases.side_files(),
    }


_Made = dict[str, bytes] | tuple[dict[str, bytes], int]


def _vizbin(damage: Callable[[bytes, Random], bytes]) -> Callable[[Random, bool], _Made]:
    return lambda rng, real: {VIZ: damage(rng.choice(bases.vizbins(real)), rng)}


def _packed(rng: Random, real: bool) -> _Made:
    how = rng.choice((".packed", ".zst", ".gz"))
    plain = rng.choice(bases.vizbins(real))
    data = bases.packed_run() if how == ".packed" else compressed(plain, how)
    damaged = mutate.damage(data, rng)
    if rng.random() < 0.3:  # sound packing around a damaged file
        damaged = compressed(mutate.damage(plain, rng), how) if how != ".packed" else repacked(data, rng)
    return {f"{VIZ}{how}": damaged}, 2 * len(plain)


def repacked(packed: bytes, rng: Random) -> bytes:
    """A packed run of damaged parts: sound xz around them."""
    import lzma

    magic, body = packed[:8], lzma.decompress(packed[8:])
    return magic + lzma.compress(mutate.damage(body, rng), preset=0)


def compressed(data: bytes, how: str) -> bytes:
    """A file as ``.gz`` or ``.zst``, or as it is."""
    return {".gz": lambda: gzip.compress(data, 1, mtime=0), ".zst": lambda: zstandard.compress(data), "": lambda: data}[
        how
    ]()


def _side(rng: Random, real: bool) -> _Made:
    files = bases.side_files()
    if rng.random() < 0.7:  # else the run is known from its side files alone
        files[VIZ] = bases.vizbins(False)[0]
    for name in rng.sample(sorted(files.keys() - {VIZ}), rng.choice((1, 1, 2, 5))):
        files[name] = _damaged_text(files[name], rng)
    packing = rng.choice(("", "", "", ".gz", ".zst"))
    for name in ("run_completions.json", "run_telemetry.json"):
        files[name + packing] = compressed(files.pop(name), packing)
    return files


_TEXT_DAMAGES: tuple[Callable[[bytes, Random], bytes], ...] = (
    mutate.damage,
    mutate.absurd_number,
    mutate.absurd_field,
    mutate.wrong_value,
    mutate.wrong_value,
    mutate.encoded_otherwise,
    mutate.shuffled_lines,
)


def _damaged_text(text: bytes, rng: Random) -> bytes:
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        text = rng.choice(_TEXT_DAMAGES)(text, rng)
    return text


def _csv(rng: Random, real: bool) -> _Made:
    header, *rows = bases.side_files()["results.csv"].splitlines()
    field = rng.choice(
        (b"x" * 200_000, b'"' + b"a," * 100 + b'"', b'"never ends', b"\0", b"=1+1", b"", b"1e999", b"nan")
    )
    fields = rows[rng.randrange(len(rows))].split(b",")
    fields[rng.randrange(len(fields))] = field
    headers = (header, header + b",name", header.replace(b"name", b""), header.replace(b"utilization", b"name"), b"")
    table = b"\n".join([rng.choice((header, *headers)), b",".join(fields), *rows]) + b"\n"
    return {"results.csv": table, "results_2.csv": mutate.damage(table, rng)}


def _log(how: Callable[[bytes, Random], bytes]) -> Callable[[Random, bool], _Made]:
    def make(rng: Random, real: bool) -> _Made:
        upstream = rng.random() < 0.4
        logs = bases.upstream_logs(real) if upstream else bases.replication_logs(real)
        text = how(rng.choice(logs), rng)
        return {_UPSTREAM_LOG if upstream else RUN_LOG: text}

    return make


def _mixed_logs(rng: Random, real: bool) -> _Made:
    """Two logs line by line in one, of the same or of both dialects."""
    logs = (*bases.replication_logs(real), *bases.upstream_logs(real))
    one, other = (rng.choice(logs).splitlines(keepends=True) for _ in range(2))
    lines = [line for pair in zip(one, other, strict=False) for line in pair if rng.random() < 0.9]
    return {RUN_LOG: b"".join(lines)}


def _packed_log(rng: Random, real: bool) -> _Made:
    text = rng.choice((*bases.replication_logs(real), *bases.upstream_logs(real)))
    how = rng.choice((".gz", ".zst"))
    packed = mutate.damage(compressed(text, how), rng)
    if rng.random() < 0.2:  # several members, and what is none
        packed = compressed(text[:2000], how) + rng.choice((b"", b"\0" * 8, b"tail")) + compressed(text[2000:], how)
    named = rng.choice((how, how, ".gz" if how == ".zst" else ".zst", ""))
    return {RUN_LOG + named: packed}, len(packed) + 2 * len(text)


def _long_line(text: bytes, rng: Random) -> bytes:
    lines = text.splitlines(keepends=True)
    at = rng.randrange(len(lines))
    filler = rng.choice((b"x", b"0", b"1,", b"] ", b"\0", b"{", b'"'))
    line = lines[at].rstrip(b"\n") + filler * (
        rng.choice((70_000, 300_000, 10_000_000 * (rng.random() < 0.02))) // len(filler)
    )
    return b"".join([*lines[:at], line, b"\n" * (rng.random() < 0.8), *lines[at + 1 :]])


_FAMILIES: dict[str, Callable[[Random, bool], _Made]] = {
    **{f"viz.bin, {name}": _vizbin(how) for name, how in VIZBIN_DAMAGES.items()},
    "packed viz.bin": _packed,
    "side files": _side,
    "results table": _csv,
    "bomb": lambda rng, real: bomb(rng),
    "log, any damage": _log(mutate.damage),
    "log, lines": _log(mutate.shuffled_lines),
    "log, numbers": _log(mutate.absurd_number),
    "log, fields": _log(mutate.absurd_field),
    "log, values": _log(mutate.wrong_value),
    "log, encoding": _log(mutate.encoded_otherwise),
    "log, long line": _log(_long_line),
    "log, mixed": _mixed_logs,
    "log, packed": _packed_log,
}
#: How often each family comes: side files and the cheap ones more often, bombs and long lines seldom.
_WEIGHTS = {"side files": 12, "bomb": 1, "log, long line": 1, "results table": 3, "log, mixed": 2, "log, fields": 8}
_ORDER = tuple(family for family in _FAMILIES for _ in range(_WEIGHTS.get(family, 5)))
FAMILIES = tuple(_FAMILIES)
