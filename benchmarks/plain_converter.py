"""The reference of the conversion benchmarks: what a careful person writes in an afternoon.

Regular expressions over every line of a dialect-A log, dictionaries and lists, `struct`; the standard library only.
It writes a valid `.viz.bin` with the same rounds, allocations, queues and jobs as `gavel-dash convert` does for a log
of whole GPUs; it checks nothing. Neither slow on purpose nor tuned::

    python -m benchmarks.plain_converter LOG OUT
"""

from __future__ import annotations

import json
import re
import struct
import sys
from array import array
from collections.abc import Sequence

LINE = re.compile(r"^scheduler:[A-Z]+ \[([\d.]+)\] (.*)$")
SCHEDULED = re.compile(r"\[Micro-task scheduled\]\tJob ID: (\d+)\tWorker type: (\w+)\tWorker ID\(s\): ([\d,]+)")
RECORD = re.compile(r"(EVENT|TELEMETRY) (\{.*\})$")


def align8(n: int) -> int:
    """The next multiple of 8."""
    return (n + 7) & ~7


def convert(log: str, out: str) -> int:
    """Convert a log; returns the number of rounds."""
    jobs: dict[int, dict] = {}
    worker_types: dict[int, str] = {}
    totals: dict[str, int] = {}
    rounds: list[tuple[dict, list]] = []
    placed: list[tuple[int, list[int]]] = []
    last_round = 0
    with open(log, encoding="utf-8") as lines:
        for line in lines:
            match = LINE.match(line)
            if not match:
                continue
            message = match[2]
            if scheduled := SCHEDULED.match(message):
                workers = [int(worker) for worker in scheduled[3].split(",")]
                for worker in workers:
                    worker_types[worker] = scheduled[2]
                placed.append((int(scheduled[1]), workers))
            elif record := RECORD.match(message):
                values = json.loads(record[2])
                if record[1] == "TELEMETRY":
                    if not totals:
                        names = [key[:-5] for key in values if key.endswith("_used")]
                        totals = {name: values[f"{name}_total"] for name in names}
                    rounds.append((values, placed))
                    placed = []
                    last_round = values["round"]
                elif values["event"] == "job_arrival":
                    job = {"type": values["job_type"], "scale": values["scale_factor"], "arrived": len(rounds)}
                    job |= {"arrival": last_round, "completed": None, "done": 0, "jct": 0.0}
                    jobs[int(values["job_id"])] = job
                elif values["event"] in ("job_complete", "job_completion"):
                    done = {"completed": len(rounds), "done": last_round, "jct": values["duration"]}
                    jobs[int(values["job_id"])].update(done)
    with open(out, "wb") as file:
        file.write(pack(jobs, sorted(totals), totals, rounds))
    return len(rounds)


def pack(jobs: dict[int, dict], names: Sequence[str], totals: dict[str, int], rounds: list) -> bytes:
    """The bytes of a `.viz.bin` of version 1; GPU types in sorted order, as the simulator numbers its workers."""
    n_gpus = sum(totals.values())
    type_names = list(dict.fromkeys(job["type"] for job in jobs.values()))
    config = {
        "gpu_types": [{"name": name, "count": totals[name]} for name in names],
        "job_types": [{"id": i, "name": name, "category": "other"} for i, name in enumerate(type_names)],
        "job_id_offset": 1,
    }
    config_bytes = json.dumps(config).encode()
    records = []
    for job_id, job in jobs.items():
        fields = job_id + 1, type_names.index(job["type"]), job["scale"], job["arrival"], job["done"], job["jct"]
        records.append(struct.pack("<IHBxIIfxxxx", *fields))
    job_bytes = b"".join(records)

    round_bytes = align8(28 + 2 * len(names) + 4 * n_gpus)
    sections, queues, queue_index = [], [], array("Q")
    queue_bytes = 0
    present: list[int] = []
    arrivals = list(jobs.items())
    next_arrival = 0
    for i, (values, placed) in enumerate(rounds):
        while next_arrival < len(arrivals) and arrivals[next_arrival][1]["arrived"] <= i:
            present.append(arrivals[next_arrival][0])
            next_arrival += 1
        present = [job_id for job_id in present if jobs[job_id]["completed"] is None or jobs[job_id]["completed"] > i]
        allocation = array("I", bytes(4 * n_gpus))
        running = set()
        for job_id, workers in placed:
            running.add(job_id)
            for worker in workers:
                allocation[worker] = job_id + 1
        head = struct.pack(
            "<IffHHIff",
            values["round"],
            values["sim_time"],
            values["utilization"],
            values["jobs_running"],
            values["jobs_queued"],
            values["jobs_completed_total"],
            values["avg_jct"] or 0.0,
            values["windowed_completion_rate"] or 0.0,
        )
        used = struct.pack(f"<{len(names)}H", *(values[f"{name}_used"] for name in names))
        sections.append((head + used + allocation.tobytes()).ljust(round_bytes, b"\0"))
        waiting = array("I", [job_id + 1 for job_id in present if job_id not in running])
        queue_index.append(queue_bytes)
        queues.append(struct.pack("<H", len(waiting)) + waiting.tobytes())
        queue_bytes += len(queues[-1])

    jobs_offset = 256 + align8(len(config_bytes))
    rounds_offset = jobs_offset + align8(len(job_bytes))
    queue_offset = rounds_offset + round_bytes * len(rounds)
    index_offset = queue_offset + align8(queue_bytes)
    counts = 1, len(rounds), len(jobs), len(names), n_gpus
    offsets = jobs_offset, rounds_offset, queue_offset, index_offset, 256, 0, 0
    header = struct.pack("<8sIIIBHxQQQQQQQ", b"GPUVIZ01", *counts, *offsets)
    parts = header.ljust(256, b"\0"), config_bytes.ljust(align8(len(config_bytes)), b"\0")
    job_section = job_bytes.ljust(align8(len(job_bytes)), b"\0")
    queue_section = b"".join(queues).ljust(align8(queue_bytes), b"\0")
    return b"".join([*parts, job_section, *sections, queue_section, queue_index.tobytes()])


if __name__ == "__main__":
    print(convert(sys.argv[1], sys.argv[2]), "rounds")
