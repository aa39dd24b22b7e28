"""What a person does with the app, with pauses between, and how a user knows that an answer is theirs.

What is right is taken from the files themselves and from a table of the runs that the server had no part in: rows and
points must be of the runs that pass the user's own filters, bytes of rounds those of the user's own run.
"""

from __future__ import annotations

import io
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlencode

import pandas as pd

from benchmarks.soak.connection import Connection, Journal, WrongAnswer
from benchmarks.soak.tab import Tab, text_of
from gavel_dash.formats.vizbin_layout import HEADER, HEADER_BYTES, round_bytes

#: Seconds that a person takes before the next click.
THINK_S = (0.5, 5.0)
#: A page asks so often whether the sweep has changed, as in assets/live.js.
LIVE_PERIOD_S = 2.5
#: As the player's, in assets/player/: rounds per second at speed 1, and the most bytes of a chunk of rounds.
ROUNDS_PER_SECOND, MOST_CHUNK_BYTES = 5, 2**19
SPEED, PLAYED_S = 50, 12.0
#: While it plays, the player reads the queue of the round shown this often.
QUEUE_PERIOD_S = 0.6
MEASURES = ("mean_jct_h", "p95_jct_h", "mean_occupancy")
COLORS = ("category", "scale_factor", "job")


class _Over(Exception):
    """The time is over."""


@dataclass(frozen=True)
class Truth:
    """The sweep as its files have it: the folder of the `.viz.bin` files, and a table of the runs."""

    folder: Path
    runs: pd.DataFrame

    def passing(self, **texts: str) -> set[str]:
        """Names of the runs whose columns are these texts."""
        passes = pd.Series(True, self.runs.index)
        for column, text in texts.items():
            passes &= self.runs[column].astype(str) == text
        return set(self.runs["run"][passes])

    def read(self, run: str, start: int, stop: int) -> bytes:
        """Bytes ``[start, stop)`` of a run's file."""
        with (self.folder / f"{run}.viz.bin").open("rb") as file:
            file.seek(start)
            return file.read(stop - start)


def expect(is_right: bool, what: str, found: object) -> None:
    """Raise `WrongAnswer` unless an answer is right."""
    if not is_right:
        raise WrongAnswer(f"expected {what}, found {str(found)[:300]}")


class User:
    """One person with one tab, who does one thing after another until the time is over.

    Parameters
    ----------
    number : int
        Seeds what this user chooses and how long they think.
    port : int
    truth : Truth
    journal : Journal
    pace : float, optional
        Factor of the time to think.
    around : callable, optional
        See `Connection`.
    """

    def __init__(
        self,
        number: int,
        port: int,
        truth: Truth,
        journal: Journal,
        pace: float = 1.0,
        around: Callable[[str, bool], None] | None = None,
    ) -> None:
        self._random = random.Random(number)
        self._truth, self._journal, self._pace = truth, journal, pace
        self._tab = Tab(Connection(port, journal, around))
        self._here: list[tuple[str, str]] = []

    @property
    def visits(self) -> tuple[Callable[[], None], ...]:
        """All that a user does, one page at a time."""
        return self.browse, self.find_saturation, self.play, self.follow_telemetry, self.list_jobs, self.see_fragments

    def live(self) -> None:
        """Go from page to page until the time is over; a wrong answer is noted, and the user starts anew."""
        try:
            self.think()  # not all at once
            while True:
                # The first two pages are where most of the time is spent.
                [visit] = self._random.choices(self.visits, (4, 4, 3, 1, 1, 1))
                self.try_out(visit)
        except _Over:
            self._tab.connection.close()

    def try_out(self, visit: Callable[[], None]) -> None:
        """Do one thing; note what goes wrong."""
        try:
            visit()
        except (WrongAnswer, KeyError, IndexError, TypeError, ValueError) as error:
            self._journal.errors.append((visit.__name__, f"{type(error).__name__}: {error}"))
            self._tab = Tab(self._tab.connection)

    def think(self) -> None:
        """Do nothing for as long as a person does; meanwhile the page asks whether it is up to date."""
        until = time.monotonic() + self._pace * self._random.uniform(*THINK_S)
        if self._journal.over.is_set():
            raise _Over
        while (left_s := until - time.monotonic()) > 0:
            if self._journal.over.wait(min(left_s, LIVE_PERIOD_S)):
                raise _Over
            if left_s > LIVE_PERIOD_S:
                self._tab.connection.get("live", f"/api/live?{urlencode(self._here)}")

    def _visit(self, path: str, query: Sequence[tuple[str, str]] = ()) -> None:
        """Go to a page: by a link, or where there is no page yet by its address."""
        self._here = [(key, text) for key, text in query if key in ("run", "at")]
        values: dict[str, list[str]] = {}
        for key, text in query:
            values.setdefault(key, []).append(text)
        if self._tab.is_open and self._random.random() < 0.9:
            self._tab.go(path, values)
        else:
            self._tab.open(path, values)
        self.think()

    def _choose(self, n: int = 1) -> list[str]:
        return self._random.sample(self._truth.runs["run"].tolist(), n)

    def _row(self) -> pd.Series:
        runs = self._truth.runs
        return runs.iloc[self._random.randrange(len(runs))]

    def browse(self) -> None:
        """Sweep: filter twice, open a run, take the table away."""
        tab, row = self._tab, self._row()
        self._visit("/")
        chosen: dict[str, str] = {}
        for column in ("figure", "policy"):
            chosen[column] = str(row[column])
            passing = self._truth.passing(**chosen)
            tab.set({"sweep-filters.data": {key: [text] for key, text in chosen.items()}})
            rows = [shown["run"] for shown in tab.value("sweep-grid", "rowData")]
            expect(sorted(rows) == sorted(passing), f"the {len(passing)} runs with {chosen}", rows)
            counts = text_of(tab.value("sweep-counts", "children"))
            expect(f"{len(passing):,} of" in counts or len(passing) == len(self._truth.runs), f"{len(passing)}", counts)
            self.think()
        run = self._random.choice(sorted(passing))
        tab.set({"sweep-selected.data": run})
        expect(tab.value("sweep-drawer", "title") == run, run, tab.value("sweep-drawer", "title"))
        self.think()
        tab.set({"sweep-grid.virtualRowData": tab.value("sweep-grid", "rowData"), "sweep-csv.n_clicks": 1})
        self._check_runs(tab.value("sweep-download", "data")["content"], passing)
        self._check_runs(self._export("/api/runs.csv", chosen), passing)
        self.think()

    def find_saturation(self) -> None:
        """Saturation: click points, step through rounds, look at another measure, take the curves away."""
        tab, row = self._tab, self._row()
        chosen = {"figure": str(row["figure"]), "policy": str(row["policy"])}
        passing = self._truth.passing(**chosen)
        self._visit("/saturation", list(chosen.items()))
        for clicked in range(2):
            named = _named(tab.value("saturation-overlay-figure", "figure"))
            expect(bool(named) and named <= passing, f"points of {chosen}", named - passing or "no point")
            run = self._random.choice(sorted(named))
            tab.set({"saturation-click.data": {"runs": [run], "again": False, "count": clicked + 1}})
            selection = tab.value("saturation-selection", "data")
            expect(selection["run"] == run, run, selection)
            link = unquote(tab.value("saturation-open-cluster", "href"))
            expect(run in link, f"a link to {run}", link)
            self.think()
            tab.set({"saturation-selection.data": {**selection, "round": max(0, selection["round"] - 1)}})
            self.think()
            options = tab.value("saturation-options", "data")
            tab.set({"saturation-options.data": {**options, "measure": self._random.choice(MEASURES)}})
            self.think()
        body = self._tab.connection.get("csv curves", tab.value("saturation-curves-csv", "href"))
        policies = set(pd.read_csv(_lines(body))["policy"])
        expect(policies <= {chosen["policy"]}, chosen["policy"], policies)
        self.think()

    def play(self) -> None:
        """Cluster: open a run and play it; take its rounds away."""
        tab, [run] = self._tab, self._choose()
        self._visit("/cluster", [("run", run)])
        [info] = tab.value("cluster-info", "data")
        expect(info["name"] == run, run, info["name"])
        base, player = info["base"], f"{info['base']}/player/{info['version']}"
        head = HEADER.unpack(self._bytes(info, "run head", 0, HEADER_BYTES)[: HEADER.size])
        n_rounds, n_jobs, n_types, n_gpus = head[2:6]
        n_clock = len(tab.connection.get("player clock", f"{player}/clock"))
        expect(n_clock == 8 * n_rounds, f"a clock of {n_rounds} rounds", f"{n_clock} bytes")
        n_columns = len(tab.connection.get("player jobs", f"{player}/jobs"))
        expect(n_columns == 12 * n_jobs, f"columns of {n_jobs} jobs", f"{n_columns} bytes")
        tab.connection.get("player series", f"{player}/series?start=0&stop={n_rounds}&bins=1000")
        tab.set({"cluster-request.data": _frame_request(info, n_types, n_gpus, n_rounds)})
        frames = tab.value("cluster-frames", "data")["frames"]
        expect(list(frames) == [run], run, list(frames))
        self._play_rounds(info, head)
        tab.set({"cluster-color.value": self._random.choice(COLORS)})
        rows = tab.connection.get("csv rounds", f"{base}/rounds.csv").count(b"\n") - 1
        expect(rows == n_rounds, f"{n_rounds} rounds", rows)
        self.think()

    def _play_rounds(self, info: dict[str, Any], head: tuple[int, ...]) -> None:
        """As the player does: a chunk of rounds before it is due, and the queue of the round that is shown."""
        n_rounds, n_types, n_gpus = head[2], head[4], head[5]
        rounds_at, queues_at, index_at = head[7:10]
        n_bytes = round_bytes(n_types, n_gpus)
        size = 1
        while 2 * size * n_bytes <= MOST_CHUNK_BYTES:
            size *= 2
        loaded, began = info["index"] // size * size, time.monotonic()
        played_s = 0.0
        while played_s <= self._pace * PLAYED_S:
            shown = min(n_rounds - 1, info["index"] + int(played_s * ROUNDS_PER_SECOND * SPEED))
            while loaded < min(n_rounds, shown + size):
                stop = min(loaded + size, n_rounds)
                self._bytes(info, "round chunk", rounds_at + loaded * n_bytes, rounds_at + stop * n_bytes)
                loaded = stop
            index = self._bytes(info, "round queue", index_at + 8 * shown, index_at + 8 * min(shown + 2, n_rounds))
            start = queues_at + int.from_bytes(index[:8], "little")
            stop = queues_at + int.from_bytes(index[8:], "little") if len(index) > 8 else start + 2
            self._bytes(info, "round queue", start, stop)
            if self._journal.over.wait(QUEUE_PERIOD_S):
                raise _Over
            played_s = time.monotonic() - began

    def follow_telemetry(self) -> None:
        """Telemetry: two runs, and the lines of them as CSV."""
        tab, runs = self._tab, self._choose(2)
        self._visit("/telemetry", [("run", run) for run in runs])
        lines = {line["meta"][0] for line in tab.value("telemetry-figure", "figure")["data"] if line.get("meta")}
        expect(lines == set(runs), f"lines of {runs}", lines)
        tab.set({"telemetry-seen.data": {"x": "sim_time_h", "range": [10, 60]}})
        self.think()
        self._check_runs(tab.connection.get("csv telemetry", tab.value("telemetry-csv", "href")), set(runs))
        self.think()

    def list_jobs(self) -> None:
        """Jobs: their table, page by page, and the Gantt."""
        tab, runs = self._tab, self._choose(2)
        self._visit("/jobs", [("run", run) for run in runs])
        for start in (0, 200):
            request: dict[str, Any] = {"startRow": start, "endRow": start + 200, "filterModel": {}, "sortModel": []}
            tab.set({"jobs-grid.getRowsRequest": request})
            answer = tab.value("jobs-grid", "getRowsResponse")
            shown = {row["run"] for row in answer["rowData"]}
            expect(bool(shown) or answer["rowCount"] <= start, "rows", answer["rowCount"])
            expect(shown <= set(runs), f"jobs of {runs}", shown)
            self.think()
        tab.set({"jobs-gantt-view.data": {"run": runs[0], "x": None, "y": None, "width": 1100}})
        link = unquote(tab.value("jobs-gantt-csv", "href"))
        expect(runs[0] in link, f"a link to {runs[0]}", link)
        self.think()

    def see_fragments(self) -> None:
        """Fragmentation: over time, of one run."""
        tab, [run] = self._tab, self._choose()
        self._visit("/fragmentation", [("run", run)])
        while (progress := tab.value("fragmentation-progress", "data"))["done"] < progress["total"]:
            tab.set({"fragmentation-tick.data": progress["done"]})
        of = tab.value("fragmentation-of", "value")
        expect(of == run, run, of)
        self.think()

    def _export(self, path: str, query: dict[str, str]) -> bytes:
        return self._tab.connection.get(f"csv {Path(path).stem}", f"{path}?{urlencode(query)}")

    @staticmethod
    def _check_runs(csv: bytes | str, expected: set[str]) -> None:
        found = set(pd.read_csv(_lines(csv), usecols=["run"])["run"])
        expect(found == expected, f"the {len(expected)} runs asked for", sorted(found ^ expected))

    def _bytes(self, info: dict[str, Any], kind: str, start: int, stop: int) -> bytes:
        """Bytes ``[start, stop)`` of the run that is played, as in its file."""
        path = f"{info['base']}/viz/{info['version']}/{start}-{stop}"
        body = self._tab.connection.get(kind, path)
        expect(
            body == self._truth.read(info["name"], start, stop), f"the file's bytes of {path}", f"{len(body)} others"
        )
        return body


def _lines(csv: bytes | str) -> io.StringIO:
    return io.StringIO(csv if isinstance(csv, str) else csv.decode())


def _named(figure: dict[str, Any]) -> set[str]:
    """The runs behind the points of a chart."""
    return {name for trace in figure["data"] for name in trace.get("customdata") or () if name}


def _frame_request(info: dict[str, Any], n_types: int, n_gpus: int, n_rounds: int) -> dict[str, Any]:
    types = [{"name": f"type {t}", "count": n_gpus // n_types, "gpus_per_node": None} for t in range(n_types)]
    run = {"key": info["name"], "may_share": False, "width": 1200, "height": 500, "gpu_types": types}
    return {
        "serial": 1,
        "runs": [run],
        "categories": ["language", "vision"],
        "scale_factors": [1, 2, 4],
        "n_positions": n_rounds,
        "phases": info["phases"],
    }
