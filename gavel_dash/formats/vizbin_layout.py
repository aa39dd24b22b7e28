"""The `.viz.bin` layout: every struct and dtype in one place, for reader and writer alike.

All little-endian; sections start on 8-byte boundaries; offsets come from the header, in any order.

======  =======  ==========================================
offset  type     header field (256 bytes, zero padded)
======  =======  ==========================================
0       8 bytes  magic ``GPUVIZ01``
8       u32      version, 1 or 2
12      u32      number of rounds
16      u32      number of jobs
20      u8       number of GPU types
21      u16      number of GPUs
24      u64      offset of the job records
32      u64      offset of the round records
40      u64      offset of the queue data
48      u64      offset of the queue index
56      u64      offset of the config JSON
64      u64      version 2: offset of the sharing data, else 0
72      u64      version 2: offset of the sharing index, else 0
======  =======  ==========================================

A round record is ``<IffHHIff`` (`ROUND_HEAD_DTYPE`), then one u16 of GPUs in use per type, then one u32
job id per GPU (0 = idle), padded to 8 bytes. Queue data: per round a u16 length and that many u32 ids; the
index holds one u64 per round, relative to the queue data. Sharing data: per round a u16 count and
18-byte entries (u16 GPU, four u32 ids, one per quarter, 0 = idle), indexed the same way.

Ids are stored with ``config["job_id_offset"]`` added (1 in files of this package, so that job 0 is
visible; 0 where the key is missing).
"""

from __future__ import annotations

import struct

import numpy as np

MAGIC = b"GPUVIZ01"
HEADER_BYTES = 256
HEADER = struct.Struct("<8sIIIBHxQQQQQQQ")
MAX_GPUS = 65_535

_ARRIVAL_FIELDS = ["job_id", "type_id", "scale_factor", "arrival_round"]
JOB_1A_DTYPE = np.dtype(
    {
        "names": _ARRIVAL_FIELDS,
        "formats": ["<u4", "<u2", "u1", "<u4"],
        "offsets": [0, 4, 6, 8],
        "itemsize": 16,
    }
)
JOB_1B_DTYPE = np.dtype(
    {
        "names": [*_ARRIVAL_FIELDS, "completion_round", "duration_s"],
        "formats": ["<u4", "<u2", "u1", "<u4", "<u4", "<f4"],
        "offsets": [0, 4, 6, 8, 12, 16],
        "itemsize": 24,
    }
)
ROUND_HEAD_DTYPE = np.dtype(
    [
        ("round", "<u4"),
        ("sim_time_s", "<f4"),
        ("effective_utilization", "<f4"),
        ("jobs_running", "<u2"),
        ("jobs_queued", "<u2"),
        ("jobs_completed", "<u4"),
        ("avg_jct_s", "<f4"),
        ("completion_rate_jph", "<f4"),
    ]
)
#: `ROUND_HEAD_DTYPE` for one round without NumPy.
ROUND_HEAD = struct.Struct("<IffHHIff")
SHARING_ENTRY_DTYPE = np.dtype([("gpu", "<u2"), ("job_ids", "<u4", (4,))])


def align8(n: int) -> int:
    """The next multiple of 8 at or above `n` bytes."""
    return (n + 7) & ~7


def round_bytes(n_types: int, n_gpus: int) -> int:
    """Bytes of one round record, padding included."""
    return align8(28 + 2 * n_types + 4 * n_gpus)


def round_dtype(n_types: int, n_gpus: int) -> np.dtype:
    """Dtype of one round record, padding included."""
    head = ROUND_HEAD_DTYPE
    assert head.names is not None
    assert head.fields is not None
    return np.dtype(
        {
            "names": [*head.names, "gpus_used", "allocation"],
            "formats": [*(head.fields[n][0] for n in head.names), ("<u2", (n_types,)), ("<u4", (n_gpus,))],
            "offsets": [*(head.fields[n][1] for n in head.names), 28, 28 + 2 * n_types],
            "itemsize": round_bytes(n_types, n_gpus),
        }
    )
