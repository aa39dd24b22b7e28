"""How many GPUs of each node are marked, in blocks of rounds, and sums and maxima of nodes by GPU type.

Nodes are counted as bytes, up to eight GPUs at once. Sums run along the longer side of a block: few GPUs are laid out
by rounds, many as they lie.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import gcd

import numpy as np

#: Cells to look at at once: what is made of them comes from memory that the process already has.
_BLOCK_CELLS = 2**17
_MOST_IN_BYTE = 255


class NodeCounts:
    """The nodes of all GPU types of a cluster, side by side.

    Parameters
    ----------
    types : sequence of (GPUs, GPUs per node)
        In the order of the allocation array; the last node of a type holds what is left. `any_size` gives a size where
        only the sums are wanted.

    Attributes
    ----------
    sizes : ndarray of uint8 or uint16
        GPUs of each node, in a shape that goes with that of `count`.
    bytes_per_round : int
        What counting a round needs: the marks, turned where they are, and what is counted of them.
    """

    def __init__(self, types: Sequence[tuple[int, int]]) -> None:
        self._n_types = len(types)
        self._types: list[int] = []  # those that have GPUs, and where their nodes start
        self._starts: list[int] = []
        self._spans: list[tuple[int, int, int]] = []  # first GPU, GPUs, GPUs per node
        sizes: list[int] = []
        first = 0
        for t, (gpus, size) in enumerate(types):
            if not gpus:
                continue
            self._types.append(t)
            self._starts.append(len(sizes))
            rest = gpus % size
            for its_gpus, its_size in ((gpus - rest, size), (rest, rest)):
                if its_gpus:
                    self._add_span(first, its_gpus, its_size)
                    sizes += [its_size] * (its_gpus // its_size)
                    first += its_gpus
        self._dtype = np.uint8 if max(sizes, default=0) <= _MOST_IN_BYTE else np.uint16
        # A sum of bytes is a byte where no type has more GPUs than that.
        self._by_round = max((gpus for gpus, _ in types), default=0) <= _MOST_IN_BYTE
        self._ends = [*self._starts[1:], len(sizes)]
        in_words = sum(gpus // gcd(size, 8) for _, gpus, size in self._spans)
        self.bytes_per_round = first * (2 if self._by_round else 1) + in_words + len(sizes) * self._dtype().itemsize
        self.sizes = np.array(sizes, self._dtype)[(slice(None), None) if self._by_round else slice(None)]

    def _add_span(self, first: int, gpus: int, size: int) -> None:
        """Count `gpus` GPUs from `first` on in nodes of `size`; together with the span before where that goes on."""
        if self._spans and self._spans[-1][2] == size:
            first, before, _ = self._spans.pop()
            gpus += before
        self._spans.append((first, gpus, size))

    def count(self, marked: np.ndarray) -> np.ndarray:
        """Marked GPUs of each node.

        Parameters
        ----------
        marked : ndarray of bool, shape (n, n_gpus), each row contiguous
            A block of rounds of a cluster with at least one GPU.

        Returns
        -------
        ndarray of uint8 or uint16, for `sum` and `max`: shape (n_nodes, n) of few GPUs, (n, n_nodes) of many.
        """
        counts = []
        for first, gpus, size in self._spans:
            width = gcd(size, 8)
            words = marked[:, first : first + gpus].view(f"u{width}")
            of_words = np.bitwise_count(np.ascontiguousarray(words.T) if self._by_round else words)
            # Words of a node are added to each other one by one: numpy takes far longer over many short sums.
            step = size // width
            total = (of_words[::step] if self._by_round else of_words[:, ::step]).astype(self._dtype, copy=False)
            for j in range(1, step):
                total += of_words[j::step] if self._by_round else of_words[:, j::step]
            counts.append(total)
        return counts[0] if len(counts) == 1 else np.concatenate(counts, axis=0 if self._by_round else 1)

    def sum(self, values: np.ndarray) -> np.ndarray:
        """Sum over the nodes of each type: ndarray of unsigned int, shape (n_types, n).

        `values` has the layout of `count`: bool, or at most `sizes`.
        """
        return self._reduce(np.add, values)

    def max(self, values: np.ndarray) -> np.ndarray:
        """Maximum over the nodes of each type, else as `sum`."""
        return self._reduce(np.maximum, values)

    def _reduce(self, how: np.ufunc, values: np.ndarray) -> np.ndarray:
        values = values.view(np.uint8) if values.dtype == bool else values
        if not self._by_round:
            result = np.zeros((self._n_types, len(values)), np.uint16)
            dtype = np.uint16 if how is np.add else values.dtype
            result[self._types] = how.reduceat(values, self._starts, axis=1, dtype=dtype).T
            return result
        result = np.zeros((self._n_types, values.shape[1]), np.uint8)
        for t, start, end in zip(self._types, self._starts, self._ends, strict=True):
            how.reduce(values[start:end], axis=0, dtype=np.uint8, out=result[t])
        return result


def any_size(gpus: int) -> int:
    """A number of GPUs per node that divides `gpus` and is counted at once: 8, 4, 2 or 1."""
    return gcd(gpus, 8)


def count_by_type(gpus: Sequence[int], stored: np.ndarray) -> np.ndarray:
    """GPUs of each type that show a job: int32, shape (n_rounds, n_types).

    Parameters
    ----------
    gpus : sequence of int
        GPUs of each type, in the order of the columns of `stored`.
    stored : ndarray of unsigned int, shape (n_rounds, n_gpus)
        Stored id of the job on each GPU, 0 = idle. May be a view of a file; it is read once, in blocks.
    """
    n_rounds, n_gpus = stored.shape
    nodes_of = NodeCounts([(count, any_size(count)) for count in gpus])
    shown = np.zeros((len(gpus), n_rounds), np.int32)
    rows = max(1, _BLOCK_CELLS // max(1, n_gpus))
    for start in range(0, n_rounds if n_gpus else 0, rows):
        shown[:, start : start + rows] = nodes_of.sum(nodes_of.count(stored[start : start + rows] != 0))
    return shown.T
