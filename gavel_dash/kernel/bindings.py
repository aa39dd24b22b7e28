"""The structs and functions of the kernel as ctypes sees them."""

from __future__ import annotations

import ctypes
import struct

import numpy as np

_POINTER, _INT = ctypes.c_void_p, ctypes.c_int64

#: What `scan_lines` returns.
END_OF_TEXT, HAND_OVER, FULL, HAND_OVER_EVENT = range(4)
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

    #: Reads the fields from `lines` to `last_round` at once: one by one they would cost more than a line's parsing.
    progress = struct.Struct("5q")

    _fields_ = _fields(
        "*text length position lines handed_start handed_end n_rounds last_round "
        "*position_of n_ids *known_worker n_known_workers "
        "*keys *key_ends *key_columns n_keys n_columns *integers "
        "*jobs *sizes n_jobs max_jobs *workers n_workers max_workers "
        "*columns *placed *round_pairs max_rounds first_job pairs *telemetry n_telemetry max_telemetry"
    )


class Assemble(_Arguments):
    """Mirrors `Assemble` in assemble_rounds.c, which says what each field is."""

    _fields_ = _fields(
        "n_rounds first_round n_types record_bytes n_logged *heads *logged *placed *pairs *jobs *sizes *workers "
        "*gpu_of_worker n_gpu_of_worker *type_of_gpu *logged_columns *stored_ids *arrived *completed *whole "
        "*present n_present *ran *records *queue queue_bytes max_queue_bytes *queue_starts "
        "queue_disagrees use_disagrees strays pair_rounds"
    )


class Follow(_Arguments):
    """Mirrors `Follow` in follow_jobs.c, which says what each field is."""

    _fields_ = _fields(
        "*cells round_bytes n_rounds n_gpus lanes_per_gpu n_jobs n_types job_id_offset *job_ids *type_of_gpu *marks "
        "*edges_h *slots n_slots *before *row_of_lane *n_lanes *lanes_since *n_gpus_held *n_by_type *gpus_since "
        "*running_since *gpus_sum *last_gpus *last_types *lanes_seen *gpus_seen *changing "
        "*first_start *last_record *run_rounds *stops *migrations *type_migrations *type_rounds "
        "*lane_rounds *run_time_h *lane_hours *stretch_at *stretch_end *stretch_start *stretch_stop"
    )


class Kernel:
    """The compiled functions.

    Attributes
    ----------
    scan_lines : callable
        Reads on in the text of a `Scan`; returns `END_OF_TEXT`, `HAND_OVER`, `FULL` or `HAND_OVER_EVENT`.
    assemble_rounds : callable
        Lays out the rounds of an `Assemble`; returns `TAKEN`, `NOT_MINE` or `NO_ROOM`.
    follow_jobs : callable
        Walks over the allocation of a `Follow`.
    open_map, is_broken, close_map : callable
        Memory maps of guard_maps.c by their slot: `open_map` takes a file descriptor and a number of bytes, sets an
        address, and returns the slot or an errno below zero.
    """

    def __init__(self, path: str) -> None:
        library = ctypes.CDLL(path)
        self.scan_lines, self.assemble_rounds = library.scan_lines, library.assemble_rounds
        for function, arguments in ((self.scan_lines, Scan), (self.assemble_rounds, Assemble)):
            function.argtypes, function.restype = [ctypes.POINTER(arguments)], _INT
        self.follow_jobs = library.follow_jobs
        self.follow_jobs.argtypes, self.follow_jobs.restype = [ctypes.POINTER(Follow)], None
        self.open_map, self.is_broken, self.close_map = library.open_map, library.is_broken, library.close_map
        self.open_map.argtypes, self.open_map.restype = [_INT, _INT, ctypes.POINTER(_INT)], _INT
        self.is_broken.argtypes, self.is_broken.restype = [_INT], _INT
        self.close_map.argtypes, self.close_map.restype = [_INT], None
