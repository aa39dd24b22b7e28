"""The structs and functions of the kernel as ctypes sees them."""

from __future__ import annotations

import ctypes

import numpy as np

_POINTER, _INT = ctypes.c_void_p, ctypes.c_int64

#: What `scan_lines` returns.
END_OF_TEXT, HAND_OVER, FULL = 0, 1, 2
#: What `assemble_rounds` returns.
TAKEN, NOT_MINE, NO_ROOM = 0, 1, 2


class _Arguments(ctypes.Structure):
    """A struct whose pointers are set from arrays, which it keeps alive."""

    def point(self, **arrays: np.ndarray) -> None:
        """Set pointer fields to the memory of contiguous arrays."""
        kept = self.__dict__.setdefault("kept", {})
        for name, array in arrays.items():
            if not array.flags.c_contiguous:
                raise ValueError(f"{name} is not contiguous")
            kept[name] = array
            setattr(self, name, array.ctypes.data)


def _fields(names: str) -> list[tuple[str, type]]:
    """``"*text length"`` as fields: a star marks a pointer, all others are 64-bit integers."""
    return [(name.lstrip("*"), _POINTER if name.startswith("*") else _INT) for name in names.split()]


class Scan(_Arguments):
    """Mirrors `Scan` in scan_lines.c, which says what each field is."""

    _fields_ = _fields(
        "*text length position line_end lines *position_of n_ids *known_worker n_known_workers "
        "*keys *key_ends *key_columns n_keys n_columns *integers "
        "*jobs *sizes n_jobs max_jobs *workers n_workers max_workers "
        "*columns *placed *round_pairs n_rounds max_rounds first_job pairs *telemetry n_telemetry max_telemetry"
    )


class Assemble(_Arguments):
    """Mirrors `Assemble` in assemble_rounds.c, which says what each field is."""

    _fields_ = _fields(
        "n_rounds first_round n_types record_bytes n_logged *heads *logged *placed *pairs *jobs *sizes *workers "
        "*gpu_of_worker n_gpu_of_worker *type_of_gpu *logged_columns *stored_ids *arrived *completed *whole "
        "*present n_present *ran *records *queue queue_bytes max_queue_bytes *queue_starts "
        "queue_disagrees use_disagrees strays pair_rounds"
    )


class Kernel:
    """The compiled functions."""

    def __init__(self, path: str) -> None:
        library = ctypes.CDLL(path)
        for function, struct in ((library.scan_lines, Scan), (library.assemble_rounds, Assemble)):
            function.argtypes, function.restype = [ctypes.POINTER(struct)], _INT
        self._library = library

    def scan_lines(self, scan: Scan) -> int:
        """Read on in `scan.text`; returns `END_OF_TEXT`, `HAND_OVER` or `FULL`."""
        return int(self._library.scan_lines(scan))

    def assemble_rounds(self, assemble: Assemble) -> int:
        """Lay out the rounds; returns `TAKEN`, `NOT_MINE` or `NO_ROOM`."""
        return int(self._library.assemble_rounds(assemble))
