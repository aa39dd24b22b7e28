"""Which order of GPU types the allocation array follows.

Simulators register workers in sorted order of type names, so allocations run k80, p100, v100; some files list
v100 first in their config, and `gpus_used` follows the config. A reader that trusts the config would paint
K80 jobs on V100 rows. The order is therefore tested: the GPUs with a job, counted per type, should equal
`gpus_used`. In ``fgd_fifo_random_placement`` they do in 9 % of rounds in config order, in 100 % in name order.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import permutations

import numpy as np

from gavel_dash.analysis.node_counts import count_by_type
from gavel_dash.model import GpuType

SAMPLE_ROUNDS = 512
ENOUGH = 0.90
CLEARLY_BETTER = 0.10
_BLOCK_CELLS = 2**16
_MOST_TYPES_PERMUTED = 6  # 720 orders; beyond, only the sorted and the reversed order are tried


@dataclass(frozen=True)
class TypeOrder:
    """`order[b]` is the position in the config of the type of block `b` of the allocation array.

    Attributes
    ----------
    order : tuple of int
    rounds_tested : int
        Rounds of the sample that tell orders apart; of an undecided order without any, the whole sample.
    config_agreement, agreement : float
        Share of those in which the config's order, and `order`, agree with `gpus_used` in all types.
    decided : bool
        False where allocations exist and no order agrees; `order` is the config's then.
    """

    order: tuple[int, ...]
    rounds_tested: int
    config_agreement: float
    agreement: float
    decided: bool


def decide_type_order(gpu_types: Sequence[GpuType], gpus_used: np.ndarray, stored: np.ndarray) -> TypeOrder:
    """Test the config's order against `gpus_used`; take another only where it agrees clearly better.

    A round tells orders apart if some agree and some do not. Rounds in which the totals differ (an invisible
    job 0, GPUs counted although idle) say nothing about order. At most `SAMPLE_ROUNDS` rounds, evenly spaced,
    are looked at.

    Parameters
    ----------
    gpu_types : sequence of GpuType
        In config order.
    gpus_used : ndarray of int, shape (n_rounds, n_types)
        In config order.
    stored : ndarray of u4, shape (n_rounds, n_gpus)
        Allocations, 0 = idle.

    Returns
    -------
    TypeOrder
    """
    config_order = tuple(range(len(gpu_types)))
    # Types below each other: numpy adds up many rounds faster than many times a few types.
    total = np.ascontiguousarray(gpus_used.T).sum(axis=0, dtype=np.int64)
    candidates = np.flatnonzero((total > 0) & (total < stored.shape[1]))
    if len(gpu_types) < 2 or not len(candidates):
        return TypeOrder(config_order, 0, 1.0, 1.0, decided=True)
    sample = candidates[np.linspace(0, len(candidates) - 1, min(SAMPLE_ROUNDS, len(candidates))).astype(int)]
    orders = _orders(gpu_types)
    starts = [np.cumsum([0, *(gpu_types[t].count for t in order)]) for order in orders]
    # GPUs that show a job before every place at which a type can start, whatever the order.
    edges = np.unique(np.concatenate(starts))
    rows = max(1, _BLOCK_CELLS // stored.shape[1])
    blocks = (stored[sample[first : first + rows]] for first in range(0, len(sample), rows))
    between = np.concatenate([count_by_type(np.diff(edges).tolist(), block) for block in blocks])
    busy_before = np.cumsum(np.column_stack([np.zeros(len(sample), np.int32), between]), axis=1)
    used = gpus_used[sample]
    visible = busy_before[:, -1]
    usable = visible == used.sum(axis=1)
    if not usable.any():
        return TypeOrder(config_order, len(sample), 0.0, 0.0, decided=not visible.any())

    busy_before, used = busy_before[usable], used[usable]
    agrees = np.stack(
        [
            (np.diff(busy_before[:, np.searchsorted(edges, own)], axis=1) == used[:, list(order)]).all(axis=1)
            for order, own in zip(orders, starts, strict=True)
        ]
    )
    telling = ~agrees.all(axis=0)
    if not telling.any():
        return TypeOrder(config_order, 0, 1.0, 1.0, decided=True)
    shares = agrees[:, telling].mean(axis=1)
    best = int(np.argmax(shares))  # the first of equals: config, then sorted by name
    tested = int(telling.sum())
    if shares[best] < ENOUGH or shares[best] < shares[0] + CLEARLY_BETTER:
        best = 0
    return TypeOrder(orders[best], tested, float(shares[0]), float(shares[best]), decided=bool(shares[best] >= ENOUGH))


def _orders(gpu_types: Sequence[GpuType]) -> list[tuple[int, ...]]:
    """Orders to try: the config's, sorted by name, then the others, each once."""
    config_order = tuple(range(len(gpu_types)))
    by_name = tuple(sorted(config_order, key=lambda t: gpu_types[t].name))
    others = permutations(config_order) if len(gpu_types) <= _MOST_TYPES_PERMUTED else [config_order[::-1]]
    return list(dict.fromkeys([config_order, by_name, *others]))
