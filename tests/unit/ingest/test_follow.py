"""A log that grows is converted as if it ended there, and only what is new is read."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from gavel_dash.errors import LogParseError, SourceError
from gavel_dash.formats.vizbin import VizFile
from gavel_dash.ingest import lines as lines_module
from gavel_dash.ingest.convert import convert_log
from gavel_dash.ingest.follow import LogFollower
from gavel_dash.ingest.sources import LogSource
from tests.unit.ingest.log_text import short_log
from tests.unit.ingest.test_upstream import ROUND_1, ROUND_2, ROUND_3


def content(path: Path) -> tuple[dict[str, object], bytes, bytes]:
    """Config without what is said of the log's length, the rounds, and the jobs."""
    viz = VizFile(path.read_bytes(), path.name)
    config = json.loads(json.dumps(viz.config))
    for key in ("origin", "bytes_read", "findings"):
        config["conversion"].pop(key)
    return config, viz.lanes(0, viz.n_rounds).tobytes() + viz.round_heads.tobytes(), viz.jobs.tobytes()


@pytest.mark.parametrize("kernel", ["on", "off"])
def test_at_every_length_it_is_what_a_whole_conversion_gives(
    kernel: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GAVEL_DASH_KERNEL", kernel)
    data = short_log().data
    grown, cut = tmp_path / "grown.log", tmp_path / "cut.log"
    grown.write_bytes(b"")
    follower = LogFollower(LogSource(grown, "run"))
    converted = 0
    for end in range(400, len(data) + 1, max(1, len(data) // 12)):
        with grown.open("ab") as file:
            file.write(data[grown.stat().st_size : end])
        cut.write_bytes(data[:end])
        try:
            expected = convert_log(LogSource(cut, "run"), tmp_path / f"cut{end}").paths
        except LogParseError as error:
            with pytest.raises(LogParseError, match=error.found.split(" in ")[0]):
                follower.convert(tmp_path / f"grown{end}")
            continue
        paths = follower.convert(tmp_path / f"grown{end}").paths
        assert content(paths[0]) == content(expected[0])
        assert paths[1].read_bytes() == expected[1].read_bytes()
        assert paths[2].read_bytes() == expected[2].read_bytes()
        converted += 1
    assert converted > 5
    follower.close()


def test_only_what_is_new_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = short_log().data
    log = tmp_path / "run.log"
    half = data.rindex(b"\n", 0, 2 * len(data) // 3) + 1
    log.write_bytes(data[: half + 10])  # ends inside a line
    starts = []
    whole = lines_module.LogLines.__init__

    def note(self: lines_module.LogLines, path: Path, start: int = 0) -> None:
        starts.append(start)
        whole(self, path, start)

    monkeypatch.setattr(lines_module.LogLines, "__init__", note)
    follower = LogFollower(LogSource(log, "run"))
    follower.convert(tmp_path / "a")
    log.write_bytes(data)
    follower.convert(tmp_path / "b")
    follower.close()
    assert starts == [0, half]


def test_a_log_that_is_replaced_or_shorter_is_read_anew(tmp_path: Path) -> None:
    data = short_log().data
    log = tmp_path / "run.log"
    log.write_bytes(data)
    follower = LogFollower(LogSource(log, "run"))
    whole = follower.convert(tmp_path / "a")
    half = data.rindex(b"\n", 0, 2 * len(data) // 3) + 1
    os.truncate(log, half)
    assert follower.convert(tmp_path / "b").rounds < whole.rounds
    other = tmp_path / "other"
    other.write_bytes(data)
    os.replace(other, log)
    assert follower.convert(tmp_path / "c").rounds == whole.rounds
    log.unlink()
    with pytest.raises(SourceError, match="a readable log"):
        follower.convert(tmp_path / "d")
    follower.close()


def test_a_damaged_line_is_one_error_and_the_next_try_begins_anew(tmp_path: Path) -> None:
    data = short_log().data
    log = tmp_path / "run.log"
    log.write_bytes(data + b"scheduler:INFO [99] EVENT {broken\n")
    follower = LogFollower(LogSource(log, "run"))
    for _ in range(2):
        with pytest.raises(LogParseError, match="an event of the simulator"):
            follower.convert(tmp_path / "a")
    assert not (tmp_path / "a").exists()
    log.write_bytes(data)
    assert follower.convert(tmp_path / "a").rounds
    follower.close()


def test_upstream_rounds_count_once_the_next_has_begun(tmp_path: Path) -> None:
    log = tmp_path / "lambda=9000.log"
    follower = LogFollower(LogSource(log, "run"))
    rounds = []
    for n, text in enumerate((ROUND_1 + ROUND_2, ROUND_3), 1):
        with log.open("a") as file:
            file.write(text)
        rounds.append(follower.convert(tmp_path / str(n)).rounds)
    follower.close()
    assert rounds == [1, 2]
