"""Who held which GPU from when to when: stretches of rounds in which a lane has one job.

A lane is a GPU; in files with shared GPUs it is a quarter of one, so that a GPU with four tenants has four lanes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


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
    if not n_rounds or not n_lanes:
        nothing = np.empty(0, np.int32)
        return Segments(nothing, nothing, nothing, np.empty(0, np.int64))
    row, lane = np.nonzero(stored[1:] != stored[:-1])
    row = np.concatenate([np.zeros(n_lanes, np.int32), row.astype(np.int32) + 1])
    lane = np.concatenate([np.arange(n_lanes), lane])
    # Rows are in order already. A stable sort of at most 65,535 x 4 lanes is a radix sort where they fit 16 bits.
    order = np.argsort(lane.astype(np.uint16 if n_lanes <= 2**16 else np.uint32), kind="stable")
    row, lane = row[order], lane[order].astype(np.int32)
    stop = np.append(row[1:], np.int32(n_rounds))
    stop[np.append(lane[1:] != lane[:-1], True)] = n_rounds
    ids = stored[row, lane]
    held = ids != 0
    return Segments(
        lane[held],
        row[held] + np.int32(first_record),
        stop[held] + np.int32(first_record),
        ids[held].astype(np.int64) - job_id_offset,
    )
