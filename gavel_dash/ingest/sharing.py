"""GPUs that hold more than one job, or part of one, in quarters."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

QUARTERS = 4


def fill_quarters(requests: Sequence[int]) -> list[int]:
    """The tenant in each of four quarters.

    Requests that fit get what they ask for and the rest stays idle (-1). Others, such as the pair of a
    packing policy (4 + 4), are scaled down in proportion, at least one quarter each; of more than four
    tenants the first four are shown.

    Parameters
    ----------
    requests : sequence of int
        Quarters each tenant asks for, 1 to 4, in the log's order.

    Returns
    -------
    list of int, length 4
        Indexes into `requests`, -1 where idle.
    """
    tenants = requests[:QUARTERS]
    shares = list(tenants)
    while sum(shares) > QUARTERS:
        # Take from whoever is furthest above the proportional share; the later one where equal.
        excess = [
            (have - QUARTERS * ask / sum(tenants), i)
            for i, (have, ask) in enumerate(zip(shares, tenants, strict=True))
            if have > 1
        ]
        shares[max(excess)[1]] -= 1
    filled = [i for i, share in enumerate(shares) for _ in range(share)]
    return filled + [-1] * (QUARTERS - len(filled))


def share_gpus(cells: np.ndarray, jobs: np.ndarray, quarters: np.ndarray) -> tuple[np.ndarray, np.ndarray, int]:
    """The cells (a GPU in a round) that need quarters.

    Parameters
    ----------
    cells : ndarray of int64, shape (m,)
        Cell of each placement; equal where jobs share.
    jobs : ndarray of int64, shape (m,)
        Job of each placement.
    quarters : ndarray of int64, shape (m,)
        Quarters the job asks for.

    Returns
    -------
    shared : ndarray of int64, shape (k,)
        Cells with several jobs or less than a whole one.
    tenants : ndarray of int64, shape (k, 4)
        Job per quarter, -1 idle.
    crowded : int
        Cells with more tenants than quarters, whose later tenants are not shown.
    """
    order = np.argsort(cells, kind="stable")
    grouped, starts = np.unique(cells[order], return_index=True)
    stops = np.append(starts[1:], len(cells))
    partial = np.zeros(len(grouped), bool)
    partial[np.searchsorted(grouped, cells[quarters < QUARTERS])] = True
    chosen = np.flatnonzero((stops - starts > 1) | partial)
    shared, tenants, crowded = [], [], 0
    for group in chosen.tolist():
        asked: dict[int, int] = {}
        for i in order[starts[group] : stops[group]].tolist():
            asked.setdefault(int(jobs[i]), int(quarters[i]))
        if asked == {next(iter(asked)): QUARTERS}:
            continue  # the same job listed twice
        ids = [*asked, -1]
        shared.append(int(grouped[group]))
        tenants.append([ids[i] for i in fill_quarters(list(asked.values()))])
        crowded += len(asked) > QUARTERS
    return np.array(shared, np.int64), np.array(tenants, np.int64).reshape(-1, QUARTERS), crowded
