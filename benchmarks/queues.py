"""How good are verdicts and saturation points? Tried on M/M/c queues, whose capacity is known.

    python -m benchmarks.queues            prints the tables
    python -m benchmarks.queues --write    puts them into docs/saturation.md

4 and 108 servers, loads of 0.7 to 1.3 times the capacity in steps of 0.025, three runs at each.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
import pandas as pd

from gavel_dash import schema
from gavel_dash.analysis.saturation import METHODS, summarize_saturation
from gavel_dash.analysis.stability import VERDICTS, judge
from tests.queues import LOADS, SERVICE_RATE_JPH, simulate_mmc, sweep_rows

DOCUMENT = Path(__file__).parents[1] / "docs" / "saturation.md"
BEGIN, END = "<!-- tables of benchmarks/queues.py -->", "<!-- end of the tables -->"
VERDICT_RUNS, SWEEPS = 200, 200
SERVERS = (4, 108)


def verdict_table() -> pd.DataFrame:
    """Share of runs with each verdict, and how often the slope's interval holds the true slope."""
    rows = []
    for servers in SERVERS:
        for n_jobs in (400, 1000, 2000, 6000):
            for load in (0.5, 0.9, 1.0, 1.05, 1.1, 1.2):
                rng = np.random.default_rng(1)
                rate = load * servers * SERVICE_RATE_JPH
                true_slope = max(0.0, rate - servers * SERVICE_RATE_JPH)
                found, held = [], 0
                for _ in range(VERDICT_RUNS):
                    evidence = simulate_mmc(rng, rate, servers, n_jobs).evidence()
                    found.append(judge(evidence, rate))
                    low, high = evidence.slope.interval() if evidence else (np.nan, np.nan)
                    held += low <= true_slope <= high
                row: dict[str, object] = {"servers": servers, "jobs": n_jobs, "load": load}
                row |= {verdict: f"{found.count(verdict) / VERDICT_RUNS:.1%}" for verdict in VERDICTS}
                rows.append(row | {"slope interval holds": f"{held / VERDICT_RUNS:.0%}"})
    return pd.DataFrame(rows)


def saturation_table() -> pd.DataFrame:
    """How often the estimates of a sweep hold the capacity, and how far they are from it."""
    rows = []
    for servers in SERVERS:
        capacity = servers * SERVICE_RATE_JPH
        for n_jobs in (1000, 6000, 12_000):
            sweeps = [_one_sweep(seed, servers, n_jobs) for seed in range(SWEEPS)]
            table = pd.concat(sweeps, ignore_index=True)
            for method in (name for name in METHODS if name != "plateau_factor"):
                own = table[table["method"] == method]
                held = (own["low_jph"].fillna(-1) <= capacity) & (own["high_jph"].fillna(1e9) >= capacity)
                bracketed = (own["bracket_low_jph"] <= capacity) & (own["bracket_high_jph"] >= capacity)
                error = own["estimate_jph"] / capacity - 1
                rows.append(
                    {
                        "servers": servers,
                        "jobs": n_jobs,
                        "method": METHODS[method],
                        "estimated": f"{own['estimate_jph'].notna().mean():.0%}",
                        "interval holds": f"{(held & own['estimate_jph'].notna()).mean():.0%}",
                        "bracket holds": f"{bracketed.mean():.0%}" if method == "stability" else "",
                        "within 5%": f"{(error.abs() <= 0.05).mean():.0%}",
                        "mean error": f"{error.mean():+.1%}",
                    }
                )
    return pd.DataFrame(rows)


def _one_sweep(seed: int, servers: int, n_jobs: int) -> pd.DataFrame:
    rows = sweep_rows(np.random.default_rng(seed), servers, n_jobs, LOADS[LOADS >= 0.7])
    return summarize_saturation(schema.build_frame(rows, schema.RUNS))


def as_markdown(table: pd.DataFrame) -> str:
    """A table as Markdown."""
    lines = [list(table.columns), ["---"] * len(table.columns), *table.astype(str).to_numpy().tolist()]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def main() -> None:
    """Print the tables, or write them into the document."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="put the tables into docs/saturation.md")
    write = parser.parse_args().write
    started = time.monotonic()
    text = (
        f"{VERDICT_RUNS} runs per row:\n\n{as_markdown(verdict_table())}\n\n"
        f"{SWEEPS} sweeps per row:\n\n{as_markdown(saturation_table())}"
    )
    if write:
        document = DOCUMENT.read_text(encoding="utf-8")
        head, tail = document.split(BEGIN)[0], document.split(END)[1]
        DOCUMENT.write_text(f"{head}{BEGIN}\n\n{text}\n\n{END}{tail}", encoding="utf-8")
    else:
        print(text)
    print(f"took {time.monotonic() - started:.0f} s")


if __name__ == "__main__":
    main()
