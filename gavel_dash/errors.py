"""The errors a user can meet. Each says where, what was expected and what was found."""

from __future__ import annotations

import re

_NOT_UTF8 = re.compile("[\ud800-\udfff]")


def legible(text: object) -> str:
    """Text that can be shown and sent; a byte of a file name that is not UTF-8 becomes U+FFFD and its hex digits."""
    return _NOT_UTF8.sub(lambda found: f"\ufffd{ord(found[0]) & 0xFF:02x}", str(text))


class GavelDashError(Exception):
    """Base of every error this package raises on bad input or bad usage."""


class UsageError(GavelDashError):
    """A command or a call was given something it cannot work with."""


class SourceError(GavelDashError):
    """A file or directory cannot be read as what it claims to be."""

    def __init__(self, path: object, expected: str, found: str) -> None:
        self.path, self.expected, self.found = legible(path), expected, found
        super().__init__(f"{self.path}: expected {expected}, found {found}")

    def __reduce__(self) -> tuple[type, tuple[object, ...]]:
        # Exceptions cross process borders in a parallel conversion; the default pickles only args.
        return type(self), (self.path, self.expected, self.found)


class FileChangedError(SourceError):
    """A file was cut short or written to in its place while it was being read: trying again may do."""


class VizFormatError(SourceError):
    """A `.viz.bin` file breaks its format at a byte offset."""

    def __init__(self, path: object, offset: int, expected: str, found: str) -> None:
        super().__init__(f"{path} at byte {offset}", expected, found)
        self.file, self.offset = str(path), offset

    def __reduce__(self) -> tuple[type, tuple[object, ...]]:
        return type(self), (self.file, self.offset, self.expected, self.found)


class LogParseError(SourceError):
    """A simulator log cannot be understood at a line."""

    def __init__(self, path: object, line_number: int, expected: str, found: str) -> None:
        super().__init__(f"{path} line {line_number}", expected, found)
        self.file, self.line_number = str(path), line_number

    def __reduce__(self) -> tuple[type, tuple[object, ...]]:
        return type(self), (self.file, self.line_number, self.expected, self.found)
