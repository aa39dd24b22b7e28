"""A sweep whose every text wants out of its place: HTML, Plotly's tags and templates, spreadsheet formulas."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from gavel_dash.formats.vizbin_write import RoundBlock, write_vizbin
from tests.make import simulate, write_completions

#: What is in all of them; whoever shows it literally shows it whole.
MARK = "<b>gdx"
HTML = f'{MARK}</b><a href="https://evil.invalid/">gdx</a><img src=x onerror=window.ranPayload=1>%{{x}}gdx'
#: A file's name has no slash.
FILE_PART = f"{MARK}<img src=x onerror=window.ranPayload=1>%{{x}}gdx"
#: The sound runs; a damaged one and a damaged table lie beside them.
RUNS = tuple(f"fig9_{sign}{FILE_PART}_{rate}jph_multi_s0" for sign in "=@" for rate in ("1.0", "2.0"))


def write_hostile_sweep(directory: Path) -> None:
    """Write the sweep's files into a directory."""
    for run in RUNS:
        simulated = simulate()
        config = {
            "policy": f"{run[5]}{HTML}",
            "gpu_types": [
                {"name": f"k80{HTML}", "count": 4, "gpus_per_node": 2},
                {"name": f"@v100{HTML}", "count": 4, "gpus_per_node": 2},
            ],
            "measurement_window": {"start_job": 2, "end_job": 8},
            "experiment": {"figure": f"fig9{HTML}", "policy": f"{run[5]}{HTML}", "notes": HTML},
            "job_types": [
                {"id": 0, "name": f"+ResNet{HTML} (batch size 64)", "category": f"-resnet{HTML}"},
                {"id": 1, "name": f"@LM{HTML} (batch size 5)", "category": f"\tlanguage{HTML}"},
            ],
        }
        flat = np.array([job for queue in simulated["queues"] for job in queue], dtype=np.int64)
        lengths = np.array([len(queue) for queue in simulated["queues"]])
        block = RoundBlock(simulated["heads"], simulated["used"], simulated["allocation"], lengths, flat)
        with (directory / f"{run}.viz.bin").open("wb") as file:
            write_vizbin(file, config, simulated["jobs"], [block], len(simulated["heads"]))
        write_completions(directory / f"{run}_completions.json", simulated)
    (directory / f"damaged_{FILE_PART}.viz.bin").write_bytes(b"GPUVIZ01 and nothing more")
    (directory / f"results_{FILE_PART}.csv").write_text(f"{HTML},=1\n{HTML},2\n")
