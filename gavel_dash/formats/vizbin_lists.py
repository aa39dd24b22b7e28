"""The sections of a `.viz.bin` file that hold a list for every round: queues, and GPUs that several jobs share."""

from __future__ import annotations

import numpy as np

from gavel_dash.errors import VizFormatError
from gavel_dash.formats.vizbin_layout import SHARING_ENTRY_DTYPE
from gavel_dash.formats.vizbin_open import Section


class RoundLists:
    """A section of u16 lengths and items, and the index that says where the list of each round begins.

    Parameters
    ----------
    data : ndarray of uint8
        All bytes of the file; lists are views of it.
    section : Section
    index : ndarray of u8, shape (n_rounds,)
        Bytes from the start of the section.
    dtype : dtype
        Of an item.
    name : str
        What error messages call the file.
    """

    def __init__(self, data: np.ndarray, section: Section, index: np.ndarray, dtype: np.dtype, name: str) -> None:
        self._data, self._section, self._index, self._dtype, self._name = data, section, index, dtype, name

    def items(self, i: int) -> np.ndarray:
        """The items of round record `i`. View; raises `VizFormatError` where they are not inside the section."""
        section = self._section
        start = section.start + int(self._index[i])
        if start + 2 > section.end:
            expected = f"the {section.name} of round record {i} before byte {section.end}"
            raise VizFormatError(self._name, start, expected, f"index {int(self._index[i])} points behind it")
        length = int.from_bytes(self._data[start : start + 2].tobytes(), "little")
        stop = start + 2 + length * self._dtype.itemsize
        if stop > section.end:
            expected = f"{length} entries of {section.name} for round record {i} before byte {section.end}"
            raise VizFormatError(self._name, start, expected, f"an end at byte {stop}")
        return self._data[start + 2 : stop].view(self._dtype)

    def spans(self, start: int = 0, stop: int | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Byte position in the file of the first item, and number of items, of round records `start` to `stop`: int64.

        Raises `VizFormatError` where one of them is not inside the section, or where they overlap.
        """
        section, offsets = self._section, self._index[start:stop]
        outside = offsets > max(section.room - 2, 0)
        if outside.any() or (len(offsets) and section.room < 2):
            self.items(start + int(np.argmax(outside)))
        positions = section.start + offsets.astype(np.int64)
        lengths = self._data[positions] + 256 * self._data[positions + 1].astype(np.int64)
        too_long = positions + 2 + self._dtype.itemsize * lengths > section.end
        if too_long.any():
            self.items(start + int(np.argmax(too_long)))
        item_bytes = self._dtype.itemsize * int(lengths.sum())
        if item_bytes > section.room:  # an index that repeats one long list could ask for any time and memory
            expected = f"at most {section.room} bytes of {section.name} in all lists together"
            raise VizFormatError(self._name, section.start, expected, str(item_bytes))
        return positions + 2, lengths


class SharedGpus:
    """The sharing section: GPUs with the stored ids (offset included, 0 = idle) in their quarters.

    Parameters
    ----------
    data, section, index, name
        As those of `RoundLists`.
    n_gpus : int
    """

    def __init__(self, data: np.ndarray, section: Section, index: np.ndarray, name: str, n_gpus: int) -> None:
        self._lists = RoundLists(data, section, index, SHARING_ENTRY_DTYPE, name)
        self._data, self._start, self._index, self._name, self._n_gpus = data, section.start, index, name, n_gpus

    def entries(self, i: int) -> np.ndarray:
        """The entries of round record `i`: structured view of `SHARING_ENTRY_DTYPE`."""
        entries = self._lists.items(i)
        if len(entries) and entries["gpu"].max() >= self._n_gpus:
            at, worst = self._start + int(self._index[i]), int(entries["gpu"].max())
            expected = f"GPU indices below {self._n_gpus} in round record {i}"
            raise VizFormatError(self._name, at, expected, str(worst))
        return entries

    def entries_of(self, start: int, stop: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The entries of round records `start` to `stop`; see `VizFile.sharing_entries`."""
        starts, lengths = self._lists.spans(start, stop)
        if lengths.max(initial=0) > self._n_gpus:
            i = int(np.argmax(lengths))
            expected = f"at most {self._n_gpus} shared GPUs in round record {start + i}"
            raise VizFormatError(self._name, int(starts[i]) - 2, expected, str(lengths[i]))
        nth = np.arange(lengths.sum()) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        positions = np.repeat(starts, lengths) + SHARING_ENTRY_DTYPE.itemsize * nth
        entries = self._data[positions[:, None] + np.arange(SHARING_ENTRY_DTYPE.itemsize)].view(SHARING_ENTRY_DTYPE)
        entries = entries.reshape(-1)
        record = np.repeat(np.arange(start, start + len(lengths)), lengths)
        if len(entries) and entries["gpu"].max() >= self._n_gpus:
            self.entries(int(record[np.argmax(entries["gpu"])]))
        return record, entries["gpu"].astype(np.int64), entries["job_ids"]
