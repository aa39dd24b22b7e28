"""Who held which GPU from when to when: stretches of rounds in which a lane has one job.

A lane is a GPU; in files with shared GPUs it is a quarter of one, so that a GPU with four tenants has four lanes.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

#: Lanes x rounds that are looked at at once, but no fewer lanes than share a line of the processor's cache.
_BLOCK_CELLS, _LEAST_LANES = 2**18, 16


@dataclass(frozen=True)
class Segments:
    """Stretches ordered by lane, then start. All arrays have the shape (n_segments,).

    Attributes
    ----------
    lane : ndarray of int32
    start, stop : ndarray of int32
        Record indexes; the lane has the job in the records ``[start, stop)``.
    job_id : ndarray of int64
    """

    lane: np.ndarray
    start: np.ndarray
    stop: np.ndarray
    job_id: np.ndarray

    def __len__(self) -> int:
        return len(self.lane)

    @property
    def rounds(self) -> np.ndarray:
        """Rounds each stretch lasts: int32."""
        return self.stop - self.start

    def select(self, chosen: np.ndarray) -> Segments:
        """The stretches that a mask or an index array chooses."""
        return Segments(self.lane[chosen], self.start[chosen], self.stop[chosen], self.job_id[chosen])


def find_segments(stored: np.ndarray, first_record: int = 0, job_id_offset: int = 0) -> Segments:
    """Stretches of equal ids on each lane; idle ones are left out.

    Parameters
    ----------
    stored : ndarray of unsigned int, shape (n_rounds, n_lanes)
        Stored id of the job on each lane, 0 = idle.
    first_record : int
        Record index of the first row.
    job_id_offset : int
        What a stored id is above its job's id.
    """
    n_rounds, n_lanes = stored.shape
    nothing = np.empty(0, np.int32)
    parts = [Segments(nothing, nothing, nothing, np.empty(0, np.int64))]
    step = max(_LEAST_LANES, _BLOCK_CELLS // max(1, n_rounds))
    for first in range(0, n_lanes if n_rounds else 0, step):
        # Lane after lane, a change is where a value differs from the one before it, or a lane begins.
        cells = np.ascontiguousarray(stored[:, first : first + step].T)
        is_new = np.ones(cells.shape, bool)
        np.not_equal(cells[:, 1:], cells[:, :-1], out=is_new[:, 1:])
        start = np.flatnonzero(is_new)
        stop = np.append(start[1:], cells.size)
        lane = np.repeat(np.arange(len(cells)), np.count_nonzero(is_new, axis=1))
        stored_id = cells.ravel()[start]
        held = stored_id != 0
        # Records count from the start of each lane.
        shift = first_record - lane[held] * n_rounds
        parts.append(
            Segments(
                (lane[held] + first).astype(np.int32),
                (start[held] + shift).astype(np.int32),
                (stop[held] + shift).astype(np.int32),
                stored_id[held].astype(np.int64) - job_id_offset,
            )
        )
    names = [field.name for field in fields(Segments)]
    return Segments(**{name: np.concatenate([getattr(part, name) for part in parts]) for name in names})
