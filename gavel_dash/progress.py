"""Progress on standard error: one line rewritten in place on a terminal, one line per kind of work elsewhere."""

from __future__ import annotations

import shutil
import sys


class ProgressLine:
    """A callable that shows what is being done; leaving its `with` block leaves a clean line for what comes next."""

    def __init__(self) -> None:
        self._kind = ""
        self._open = False

    def __call__(self, message: str) -> None:
        """Show a message such as ``unpacking run.viz.bin.packed``; its first word is the kind of work."""
        if sys.stderr.isatty():
            width = shutil.get_terminal_size().columns - 1
            print(f"\r\x1b[K{message[:width]}", end="", file=sys.stderr, flush=True)
            self._open = True
        elif (kind := message.partition(" ")[0]) != self._kind:
            self._kind = kind
            print(message, file=sys.stderr, flush=True)

    def __enter__(self) -> ProgressLine:
        return self

    def __exit__(self, *_error: object) -> None:
        """Remove the line from a terminal."""
        if self._open:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)
            self._open = False
