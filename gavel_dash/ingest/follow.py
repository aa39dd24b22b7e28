"""A log that the simulator is still writing, converted again and again: only what is new is read."""

from __future__ import annotations

import shutil
import tempfile
import weakref
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO, cast

from gavel_dash.errors import SourceError
from gavel_dash.ingest.convert import Conversion, convert_reading
from gavel_dash.ingest.read_log import LogReader
from gavel_dash.ingest.sources import LogSource

# Rounds and telemetry wait in memory up to this, then in a file.
_SPOOL_BYTES = 8 << 20


class LogFollower:
    """Holds what has been read of a plain log that grows.

    Parameters
    ----------
    source : LogSource
    """

    def __init__(self, source: LogSource) -> None:
        self._source = source
        self._inode = -1
        self._files = ExitStack()
        weakref.finalize(self, self._files.close)

    def convert(self, out_dir: Path) -> Conversion:
        """Convert the complete rounds there are by now; files and errors are those of `convert_log`.

        A log that was replaced or has become shorter is read anew.
        """
        try:
            stat = self._source.path.stat()
        except OSError as error:
            raise SourceError(self._source.path, "a readable log", error.strerror or str(error)) from None
        if stat.st_ino != self._inode or stat.st_size < self._reader.bytes_of_lines:
            self._begin(stat.st_ino)
        try:
            self._reader.read_on()
            return convert_reading(self._source, self._reader.so_far(), out_dir, self._copy_telemetry)
        except BaseException:
            self.close()  # half a block may have been read
            raise

    def _begin(self, inode: int) -> None:
        self.close()
        with ExitStack() as files:
            spool = files.enter_context(tempfile.SpooledTemporaryFile(_SPOOL_BYTES))
            telemetry = files.enter_context(tempfile.SpooledTemporaryFile(_SPOOL_BYTES))
            self._files.push(files.pop_all())
        self._telemetry = cast(BinaryIO, telemetry)
        self._reader, self._inode = LogReader(self._source.path, spool, self._telemetry), inode

    def _copy_telemetry(self, target: BinaryIO) -> None:
        self._telemetry.seek(0)
        shutil.copyfileobj(self._telemetry, target)

    def close(self) -> None:
        """Forget what has been read."""
        self._files.close()
        self._inode = -1
