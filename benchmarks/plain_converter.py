"""The reference for conversions: what one writes in an afternoon with the standard library alone.

A regular expression over every line, `json` for events and telemetry, dicts and lists for who is there and who runs,
`struct` and `array` for the file. It is neither slow on purpose nor tuned, and writes what `gavel-dash convert` writes:
`NAME.viz.bin`, `NAME_completions.json` and `NAME_telemetry.json`. It reads plain dialect-A logs of whole GPUs; a job
pair of a packing policy ends it with a ValueError.

    python -m benchmarks.plain_converter LOG OUT
"""

from __future__ import annotations

import json
import re
import struct
import sys
from array import array
from collections.abc import Sequence
from pathlib import Path
from typing import Any

_MESSAGE = re.compile(r"scheduler:\w+ \[([^\]]+)\] (.*)")
_SCHEDULED = re.compile(r"\[Micro-task scheduled\]\tJob ID: ([^\t]+)\tWorker type: ([^\t]+)\tWorker ID\(s\): ([^\t]+)")
_RECORD = re.compile(r"(EVENT|TELEMETRY) (.*)")
_WINDOW_JOB = re.compile(r"Job (\d+): ([\d.]+)")
_HEADER = struct.Struct("<8sIIIBHxQQQQQQQ")
_HEADER_BYTES = 256
_JOB = struct.Struct("<IHBxIIfxxxx")
_ROUND = struct.Struct("<IffHHIff")
_ID_OFFSET = 1


def _padded(data: bytes) -> bytes:
    return data.ljust((len(data) + 7) // 8 * 8, b"\0")


class PlainConverter:
    """Reads a log line by line and keeps all of it in memory, as the bytes of the file's sections."""

    def __init__(self) -> None:
        self.jobs: dict[int, dict[str, Any]] = {}
        self.type_ids: dict[str, int] = {}
        self.gpu_types: dict[str, int] = {}
        self.waiting_or_running: dict[int, None] = {}  # a dict, as it keeps the order of arrival
        self.placed: dict[int, list[int]] = {}
        self.last_round = 0
        self.rounds: list[bytes] = []
        self.queues: list[bytes] = []
        self.completions: list[dict[str, Any]] = []
        self.telemetry: list[str] = []
        self.window: list[int] = []

    def read(self, path: Path) -> None:
        """Read every line of a log."""
        with path.open(encoding="utf-8") as file:
            for line in file:
                self._read_line(line)

    def _read_line(self, line: str) -> None:
        message = _MESSAGE.match(line)
        if message is None:
            if job := _WINDOW_JOB.match(line):
                self.window.append(int(job[1]))
            return
        text = message[2]
        if scheduled := _SCHEDULED.match(text):
            self.placed[int(scheduled[1])] = [int(worker) for worker in scheduled[3].split(",")]
        elif record := _RECORD.match(text):
            values = json.loads(record[2])
            if record[1] == "TELEMETRY":
                self._end_round(values)
                self.telemetry.append(record[2])
            else:
                self._event(values)

    def _event(self, event: dict[str, Any]) -> None:
        if event["event"] == "job_arrival":
            job_id, job_type = int(event["job_id"]), event["job_type"]
            self.jobs[job_id] = {
                "type_id": self.type_ids.setdefault(job_type, len(self.type_ids)),
                "scale_factor": event["scale_factor"],
                "arrival_round": self.last_round,
                "completion_round": 0,
                "duration_s": 0.0,
            }
            self.waiting_or_running[job_id] = None
        elif event["event"] in ("job_complete", "job_completion"):
            job_id = int(event["job_id"])
            self.jobs[job_id] |= {"completion_round": self.last_round, "duration_s": event["duration"]}
            del self.waiting_or_running[job_id]
            self.completions.append(
                {"job_id": event["job_id"], "sim_time": event["sim_time"], "duration": event["duration"]}
            )

    def _end_round(self, record: dict[str, Any]) -> None:
        if not self.gpu_types:
            # The simulator numbers its workers by type, in the order of the types' names.
            names = sorted(key.removesuffix("_total") for key in record if f"{key[:-6]}_used" in record)
            self.gpu_types = {name: record[f"{name}_total"] for name in names}
        allocation = array("I", bytes(4 * sum(self.gpu_types.values())))
        for job_id, workers in self.placed.items():
            for worker in workers:
                allocation[worker] = job_id + _ID_OFFSET
        queue = array("I", [job + _ID_OFFSET for job in self.waiting_or_running if job not in self.placed])
        head = _ROUND.pack(
            record["round"],
            record["sim_time"],
            record["utilization"],
            record["jobs_running"],
            record["jobs_queued"],
            record["jobs_completed_total"],
            record["avg_jct"] or 0,
            record["windowed_completion_rate"] or 0,
        )
        used = array("H", [record[f"{name}_used"] for name in self.gpu_types])
        self.rounds.append(_padded(head + used.tobytes() + allocation.tobytes()))
        self.queues.append(struct.pack("<H", len(queue)) + queue.tobytes())
        self.placed = {}
        self.last_round = record["round"]

    def write(self, path: Path) -> None:
        """Write the three files of a run; `path` is that of its `.viz.bin`."""
        config: dict[str, Any] = {
            "gpu_types": [{"name": name, "count": count} for name, count in self.gpu_types.items()],
            "job_types": [{"id": i, "name": name, "category": "other"} for name, i in self.type_ids.items()],
            "job_id_offset": _ID_OFFSET,
        }
        if self.window:
            config["measurement_window"] = {"start_job": min(self.window), "end_job": max(self.window) + 1}
        jobs = b"".join(
            _JOB.pack(
                job_id + _ID_OFFSET,
                job["type_id"],
                job["scale_factor"],
                job["arrival_round"],
                job["completion_round"],
                job["duration_s"],
            )
            for job_id, job in self.jobs.items()
        )
        queue_index, position = array("Q"), 0
        for queue in self.queues:
            queue_index.append(position)
            position += len(queue)
        sections = [
            _padded(json.dumps(config).encode()),
            _padded(jobs),
            b"".join(self.rounds),
            _padded(b"".join(self.queues)),
        ]
        offsets = [_HEADER_BYTES]
        for section in sections:
            offsets.append(offsets[-1] + len(section))
        config_offset, jobs_offset, rounds_offset, queue_offset, index_offset = offsets
        header = _HEADER.pack(
            b"GPUVIZ01",
            1,
            len(self.rounds),
            len(self.jobs),
            len(self.gpu_types),
            sum(self.gpu_types.values()),
            jobs_offset,
            rounds_offset,
            queue_offset,
            index_offset,
            config_offset,
            0,
            0,
        )
        name = path.name.removesuffix(".viz.bin")
        with path.open("wb") as file:
            file.write(header.ljust(_HEADER_BYTES, b"\0"))
            file.writelines(sections)
            file.write(queue_index.tobytes())
        with path.with_name(f"{name}_completions.json").open("w") as text_file:
            json.dump(self.completions, text_file)
        with path.with_name(f"{name}_telemetry.json").open("w") as text_file:
            text_file.writelines(f"{line}\n" for line in self.telemetry)


def convert(log: str, out: str) -> int:
    """Convert a log to `out`, a `.viz.bin`, with its two side files beside it; returns the number of rounds."""
    converter = PlainConverter()
    converter.read(Path(log))
    converter.write(Path(out))
    return len(converter.rounds)


def main(arguments: Sequence[str]) -> int:
    """Command line: LOG OUT."""
    log, out = arguments
    print(f"{out}: {convert(log, out)} rounds")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
