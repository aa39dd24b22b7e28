"""HTTP as a browser speaks it: one connection that stays open, compressed answers, and what every request took."""

from __future__ import annotations

import gzip
import http.client
import select
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson
import zstandard

TIMEOUT_S = 60.0
#: Tries of a request while a worker restarts, and the rest between them.
MOST_TRIES, REST_S = 5, 0.1
#: How long after a worker has ended its connections may still be found broken.
GRACE_S = 1.0


class WrongAnswer(RuntimeError):
    """An answer that no user should get: an error, nothing, or what belongs to somebody else."""


@dataclass(frozen=True)
class Sample:
    """One request: its kind, when it was sent (on the clock of `time.monotonic`), seconds until all was here."""

    kind: str
    at_s: float
    took_s: float
    n_bytes: int


@dataclass
class Journal:
    """What all users saw. Threads only append to it.

    Attributes
    ----------
    samples : list of Sample
    errors : list of (kind, sentence)
    retried : list of str
        Kinds of the requests that were sent again because a worker was being restarted.
    reopened : list of str
        Kinds of those that found a connection which the server had closed while it was idle, as browsers do unseen.
    restarts : list of float
        When workers were told to end, and when all of those were gone; in turn.
    over : threading.Event
        Set when everybody is to go.
    """

    samples: list[Sample] = field(default_factory=list)
    errors: list[tuple[str, str]] = field(default_factory=list)
    retried: list[str] = field(default_factory=list)
    reopened: list[str] = field(default_factory=list)
    restarts: list[float] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)

    def in_restart(self) -> bool:
        """Whether workers are ending, or did within the last second: then a connection may break."""
        times = list(self.restarts)
        return len(times) % 2 == 1 or (bool(times) and time.monotonic() - times[-1] <= GRACE_S)


class Connection:
    """One user's connection to the server.

    Parameters
    ----------
    port : int
    journal : Journal
    around : callable, optional
        Called before and after each request with its kind; what it may measure besides the time.
    """

    def __init__(self, port: int, journal: Journal, around: Callable[[str, bool], None] | None = None) -> None:
        self.journal = journal
        self._around = around or (lambda _kind, _ended: None)
        self._port = port
        self._http: http.client.HTTPConnection | None = None

    def get(self, kind: str, path: str) -> bytes:
        """The body of an answer 200."""
        status, body = self.ask(kind, path)
        if status != 200:
            raise WrongAnswer(f"GET {path} answers {status}: {body[:300]!r}")
        return body

    def ask(self, kind: str, path: str, posted: Mapping[str, Any] | None = None) -> tuple[int, bytes]:
        """Status and plain body of an answer.

        Raises
        ------
        WrongAnswer
            When the connection breaks although no worker is being restarted.
        """
        body = None if posted is None else orjson.dumps(posted)
        self._around(kind, False)
        at_s = time.monotonic()
        for trial in range(MOST_TRIES):
            was_open = self._still_open()
            try:
                status, encoding, data = self._send(path, body)
                break
            except (OSError, http.client.HTTPException) as error:
                self.close()
                if was_open and isinstance(error, http.client.RemoteDisconnected | BrokenPipeError):
                    self.journal.reopened.append(kind)
                elif self.journal.in_restart() and trial + 1 < MOST_TRIES:
                    self.journal.retried.append(kind)
                    time.sleep(REST_S)
                else:
                    raise WrongAnswer(f"{path}: {type(error).__name__}: {error}") from error
        else:
            raise WrongAnswer(f"{path}: no answer in {MOST_TRIES} tries")
        self.journal.samples.append(Sample(kind, at_s, time.monotonic() - at_s, len(data)))
        self._around(kind, True)
        return status, _plain(encoding, data)

    def _still_open(self) -> bool:
        """Whether there is a connection that the server has not closed; a browser opens another one unseen."""
        if self._http is None or self._http.sock is None:
            return False
        if select.select([self._http.sock], [], [], 0)[0]:
            self.close()
            return False
        return True

    def _send(self, path: str, body: bytes | None) -> tuple[int, str, bytes]:
        if self._http is None:
            self._http = http.client.HTTPConnection("127.0.0.1", self._port, timeout=TIMEOUT_S)
        headers = {"Accept-Encoding": "gzip, deflate, br, zstd"}
        if body is not None:
            headers["Content-Type"] = "application/json"
        self._http.request("GET" if body is None else "POST", path, body, headers)
        response = self._http.getresponse()
        data = response.read()
        if response.will_close:
            self.close()
        return response.status, response.headers.get("Content-Encoding", "identity"), data

    def close(self) -> None:
        """Let go of the connection."""
        if self._http is not None:
            self._http.close()
        self._http = None


def _plain(encoding: str, data: bytes) -> bytes:
    if encoding == "zstd":
        return zstandard.ZstdDecompressor().decompressobj().decompress(data)
    if encoding == "gzip":
        return gzip.decompress(data)
    if encoding != "identity":
        raise WrongAnswer(f"expected zstd, gzip or identity, found {encoding}")
    return data
