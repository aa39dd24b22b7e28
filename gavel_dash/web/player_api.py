"""The bytes the browser's player works on: pieces of a run's `.viz.bin`, and small tables made from it.

All addresses begin with ``/api/runs/<name>/`` and hold the `content_id` of the file, so that an answer never changes
and a browser may keep it. Numbers are little-endian, arrays follow each other without padding.

=============================================  ==================================================================
``viz/<version>/<start>-<stop>``               the file's bytes [start, stop), at most 8 MiB
``player/<version>/clock``                     u4 round number [n_rounds], f4 sim_time_s [n_rounds]
``player/<version>/jobs``                      f8 jct_s [n_jobs], NaN where not completed; i4 first_start [n_jobs],
                                               record index, -1 where seen on no GPU; in the order of the job records
``player/<version>/series?start=&stop=&bins=`` f8 matrix, rows as in `analysis.series.summarize_series`; by default
                                               of the whole run in 1000 bins
=============================================  ==================================================================

What cannot be answered is one sentence of plain text: 400 bad numbers, 404 no such run or a damaged one, 409 another
version, 416 outside the file.
"""

from __future__ import annotations

import gzip
import hashlib
import re
from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING

import flask
import zstandard

from gavel_dash.errors import GavelDashError, UsageError
from gavel_dash.web.failures import log_failure

if TYPE_CHECKING:
    from gavel_dash.sweep import LiveSweep, Run

MOST_CHUNK_BYTES = 8 * 2**20
DEFAULT_BINS, MOST_BINS = 1000, 4000
#: Smaller answers fit in a packet or two as they are.
COMPRESSED_FROM_BYTES = 1024
IMMUTABLE = "private, max-age=31536000, immutable"
REVALIDATED = "private, no-cache"


# In order of preference. A compressor of zstandard may not be shared by threads, so each call makes its own.
_ENCODERS: dict[str, Callable[[bytes], bytes]] = {
    "zstd": lambda body: zstandard.ZstdCompressor(level=3).compress(body),
    "gzip": lambda body: gzip.compress(body, compresslevel=1, mtime=0),
}


def register_player_api(server: flask.Flask, live: LiveSweep) -> None:
    """Add the routes described above to a server."""

    def route(path: str) -> Callable[[Callable[..., flask.Response]], None]:
        """Register a view of a run in the version that the address names."""

        def register(view: Callable[..., flask.Response]) -> None:
            @server.route(f"/api/runs/<path:name>/{path}", endpoint=f"player_{view.__name__}")
            @wraps(view)
            def answer(name: str, version: str, **rest: str) -> flask.Response:
                try:
                    run = live.now.in_version(name, version)
                    if run is None:
                        return _sentence(409, "the run was replaced; reload the page")
                    return view(run, **rest)
                except (GavelDashError, OSError) as error:
                    log_failure(error)
                    return _sentence(404, str(error))

        return register

    @route("viz/<version>/<span>")
    def viz(run: Run, span: str) -> flask.Response:
        numbers = re.fullmatch(r"([0-9]{1,20})-([0-9]{1,20})", span)
        if numbers is None:
            return _sentence(400, f"expected two byte positions as START-STOP, not {span!r}")
        start, stop = int(numbers[1]), int(numbers[2])
        if not 0 < stop - start <= MOST_CHUNK_BYTES:
            return _sentence(400, f"expected 1 to {MOST_CHUNK_BYTES} bytes, not {stop - start}")
        if stop > run.viz.n_bytes:
            return _sentence(416, f"the file has {run.viz.n_bytes} bytes: there are no bytes {start} to {stop}")
        tag = f"{run.viz.content_id}-{start}-{stop}"
        return _answer(tag, lambda: run.viz.file_bytes(start, stop).tobytes())

    @route("player/<version>/clock")
    def clock(run: Run) -> flask.Response:
        return _answer(f"{run.viz.content_id}-clock", lambda: b"".join(array.tobytes() for array in run.clock()))

    @route("player/<version>/jobs")
    def jobs(run: Run) -> flask.Response:
        # JCTs are of the completions file, which the version does not cover: a browser must ask whether it changed.
        body = run.jct_s.tobytes() + run.first_starts.tobytes()
        tag = hashlib.blake2b(body, digest_size=8).hexdigest()
        return _answer(f"{tag}-jobs", lambda: body, REVALIDATED)

    @route("player/<version>/series")
    def series(run: Run) -> flask.Response:
        try:
            start, stop, bins = _number("start", 0), _number("stop", run.n_rounds), _number("bins", DEFAULT_BINS)
            if bins > MOST_BINS:
                raise UsageError(f"bins must be at most {MOST_BINS}, not {bins}")
            tag = f"{run.viz.content_id}-series-{start}-{stop}-{bins}"
            return _answer(tag, lambda: run.series(start, stop, bins).tobytes())
        except UsageError as error:
            return _sentence(400, str(error))


def _answer(tag: str, body: Callable[[], bytes], cache_control: str = IMMUTABLE) -> flask.Response:
    """Bytes under an ETag, compressed where that pays; 304 without asking for `body` where the browser has them."""
    wanted = flask.request.accept_encodings
    encodings = [name for name in _ENCODERS if wanted.quality(name) > 0]
    tags = {name: f"{tag}-{name}" for name in ("identity", *encodings)}
    known = [name for name in tags if flask.request.if_none_match.contains_weak(tags[name])]
    encoding = known[0] if known else "identity"
    if known:
        response = flask.Response(status=304)
    else:
        data = body()
        if encodings and len(data) >= COMPRESSED_FROM_BYTES:
            packed = _ENCODERS[encodings[0]](data)
            if len(packed) <= len(data) * 7 // 8:
                encoding, data = encodings[0], packed
        response = flask.Response(data, mimetype="application/octet-stream")
        if encoding != "identity":
            response.headers["Content-Encoding"] = encoding
    response.headers["Cache-Control"] = cache_control
    response.headers["Vary"] = "Accept-Encoding"
    response.set_etag(tags[encoding])
    return response


def _sentence(status: int, text: str) -> flask.Response:
    return flask.Response(f"{text}\n", status=status, mimetype="text/plain")


def _number(name: str, default: int) -> int:
    text = flask.request.args.get(name, str(default))
    if not re.fullmatch("[0-9]{1,15}", text):
        raise UsageError(f"{name} must be a whole number from 0, not {text!r}")
    return int(text)
