"""The packed form of a run: bundled runs come back, what it cannot hold is refused, damage is one clear error."""

from __future__ import annotations

import io
import lzma
import struct
from pathlib import Path
from typing import Any

import pytest

from gavel_dash.errors import UsageError, VizFormatError
from gavel_dash.formats.packed_run import MAGIC, pack_run, unpack_run
from gavel_dash.formats.vizbin import VizFile
from gavel_dash.formats.vizbin_layout import HEADER, HEADER_BYTES
from tests.make import write_run

BUNDLED = Path(__file__).parents[3] / "experiments" / "fig10_max_min_fairness_perf_2.0jph_multi_s0.viz.bin.packed"


def unpacked(packed: bytes) -> bytes:
    out = io.BytesIO()
    unpack_run(io.BytesIO(packed), out, "run")
    return out.getvalue()


@pytest.fixture(scope="module")
def bundled() -> bytes:
    return BUNDLED.read_bytes()


def test_a_bundled_run_is_a_whole_run_and_packs_again_to_the_same_bytes(bundled: bytes) -> None:
    data = unpacked(bundled)
    viz = VizFile(data, "run")
    assert (viz.n_rounds, len(viz.jobs), viz.findings) == (6_142, 1_293, ())
    assert len(data) > 30 * len(bundled)
    assert unpacked(pack_run(data, "run")) == data


def test_every_cut_of_a_packed_run_is_one_error(bundled: bytes) -> None:
    for cut in [0, 5, 8, 20, 300, len(bundled) // 2, len(bundled) - 1]:
        with pytest.raises(VizFormatError) as error:
            unpacked(bundled[:cut])
        assert error.value.file == "run"


def test_a_changed_byte_is_found(bundled: bytes) -> None:
    for at in [0, 10, 40, len(bundled) // 2, len(bundled) - 100]:
        damaged = bytearray(bundled)
        damaged[at] ^= 0x55
        with pytest.raises(VizFormatError):
            unpacked(bytes(damaged))


@pytest.mark.parametrize(
    ("claims", "found"),
    [
        ({0: b"GPUVIZ02"}, "a header that is not"),
        ({1: 2}, "a header that is not"),
        ({2: 6_141}, "a header that is not"),
        ({2: 6_143, 8: +472}, "too early"),
        ({3: 2**32 - 1, 7: 24 * (2**32 - 1 - 1_293), 8: 24 * (2**32 - 1 - 1_293)}, "4294967295 jobs"),
        ({3: 2**17, 7: 24 * (2**17 - 1_293), 8: 24 * (2**17 - 1_293)}, "too early"),
        ({5: 109}, "109 GPUs"),
        ({5: 110, 8: 8 * 6_142}, "110 GPUs"),
        ({6: 2**62, 7: 2**62, 8: 2**62}, "too early"),
        ({6: -2_000, 7: -2_000, 8: -2_000}, "JSON|line 1"),
        ({6: -2_800, 7: -2_800, 8: -2_800}, "a header that is not"),
        ({9: 8}, "queues of another length"),
    ],
)
def test_a_header_that_claims_something_else_is_an_error(bundled: bytes, claims: dict[int, Any], found: str) -> None:
    """`claims` are by position in the header: values, of offsets (6 and up) what is added to them."""
    parts = lzma.decompress(bundled[len(MAGIC) :])
    fields = list(HEADER.unpack(parts[: HEADER.size]))
    for i, claim in claims.items():
        fields[i] = fields[i] + claim if i >= 6 else claim
    forged = HEADER.pack(*fields).ljust(HEADER_BYTES, b"\0") + parts[HEADER_BYTES:]
    with pytest.raises(VizFormatError, match=found):
        unpacked(MAGIC + lzma.compress(forged, preset=0))


def test_what_follows_the_last_round_is_an_error(bundled: bytes) -> None:
    with pytest.raises(VizFormatError, match="more behind the last round"):
        unpacked(MAGIC + lzma.compress(lzma.decompress(bundled[len(MAGIC) :]) + b"\0", preset=0))


def test_a_slot_that_no_job_has_is_an_error(bundled: bytes) -> None:
    parts = bytearray(lzma.decompress(bundled[len(MAGIC) :]))
    parts[-1] = 0xFF  # the high byte of the last cell
    with pytest.raises(VizFormatError, match="slot"):
        unpacked(MAGIC + lzma.compress(bytes(parts), preset=0))


def test_jobs_that_run_before_they_are_in_the_system_are_refused(tmp_path: Path) -> None:
    write_run(tmp_path / "run.viz.bin")  # starts jobs in the very round of their arrival
    with pytest.raises(UsageError, match="cannot be packed"):
        pack_run((tmp_path / "run.viz.bin").read_bytes(), "run")


def test_queues_with_room_behind_them_are_refused(bundled: bytes) -> None:
    data = bytearray(unpacked(bundled))
    queue_start, index_start = HEADER.unpack(data[: HEADER.size])[8:10]
    data[queue_start:index_start] = data[queue_start:index_start] + bytes(8)
    struct.pack_into("<Q", data, 48, index_start + 8)
    with pytest.raises(UsageError, match="cannot be packed"):
        pack_run(bytes(data), "run")


def test_shared_gpus_are_refused(bundled: bytes) -> None:
    data = bytearray(unpacked(bundled))
    struct.pack_into("<I", data, 8, 2)
    with pytest.raises(UsageError, match="shares GPUs"):
        pack_run(bytes(data), "run")
