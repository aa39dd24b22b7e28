"""How good are verdicts and saturation points? Tried on M/M/c queues, whose capacity is known.

    python -m benchmarks.queues            prints the tables
    python -m benchmarks.queues --write    puts them into docs/saturation.md

4 and 108 servers, loads of 0.5 to 1.3 times the capacity in steps of 0.025, three runs at each.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import optimize

from gavel_dash import schema
from gavel_dash.analysis.plateau_factor import DEFAULT_K
from gavel_dash.analysis.saturation import CAPACITY_FIT, METHODS, PLATEAU_FACTOR, STABILITY, summarize_saturation
from gavel_dash.analysis.stability import VERDICTS, judge
from tests.queues import LOADS, SERVICE_RATE_JPH, simulate_mmc, steady_jct_h, sweep_rows

DOCUMENT = Path(__file__).parents[1] / "docs" / "saturation.md"
BEGIN, END = "<!-- tables of benchmarks/queues.py -->", "<!-- end of the tables -->"
VERDICT_RUNS, SWEEPS = 200, 200
SERVERS = (4, 108)


def verdict_table() -> pd.DataFrame:
    """Share of runs with each verdict, and how often the intervals behind it hold the truth."""
    rows = []
    for servers in SERVERS:
        for n_jobs in (400, 1000, 2000, 6000):
            for load in (0.5, 0.9, 1.0, 1.05, 1.1, 1.2):
                rng = np.random.default_rng(1)
                rate = load * servers * SERVICE_RATE_JPH
                true_throughput = min(rate, servers * SERVICE_RATE_JPH)
                found, slopes, throughputs = [], 0, 0
                for _ in range(VERDICT_RUNS):
                    evidence = simulate_mmc(rng, rate, servers, n_jobs).evidence()
                    found.append(judge(evidence, rate))
                    if evidence:
                        slopes += _holds(evidence.slope.interval(), rate - true_throughput)
                        throughputs += _holds(evidence.throughput.interval(), true_throughput)
                row: dict[str, object] = {"servers": servers, "jobs": n_jobs, "load": load}
                row |= {verdict: f"{found.count(verdict) / VERDICT_RUNS:.1%}" for verdict in VERDICTS}
                row |= {"slope interval holds": f"{slopes / VERDICT_RUNS:.0%}"}
                rows.append(row | {"throughput interval holds": f"{throughputs / VERDICT_RUNS:.0%}"})
    return pd.DataFrame(rows)


def _holds(interval: tuple[float, float], truth: float) -> bool:
    return interval[0] <= truth <= interval[1]


def saturation_table() -> pd.DataFrame:
    """How often the intervals of a sweep's estimates hold the truth, and how far the estimates are from it."""
    rows = []
    for servers in SERVERS:
        capacity = servers * SERVICE_RATE_JPH
        truths = {STABILITY: capacity, PLATEAU_FACTOR: true_crossing(servers), CAPACITY_FIT: capacity}
        for n_jobs in (1000, 6000, 12_000):
            table = pd.concat([_one_sweep(seed, servers, n_jobs) for seed in range(SWEEPS)], ignore_index=True)
            for method, truth in truths.items():
                own = table[(table["method"] == method) & table["estimate_jph"].notna()]
                with_interval = own[own["low_jph"].notna()]
                high = with_interval["high_jph"].fillna(np.inf)  # open upwards
                held = (with_interval["low_jph"] <= truth) & (high >= truth)
                bracketed = (own["bracket_low_jph"] <= truth) & (own["bracket_high_jph"] >= truth)
                error = own["estimate_jph"] / truth - 1
                rows.append(
                    {
                        "servers": servers,
                        "jobs": n_jobs,
                        "method": METHODS[method],
                        "truth / capacity": f"{truth / capacity:.3f}",
                        "estimated": f"{len(own) / SWEEPS:.0%}",
                        "with interval": f"{len(with_interval) / SWEEPS:.0%}",
                        "of these it holds": f"{held.mean():.0%}",
                        "open upwards": f"{np.isinf(high).mean():.0%}",
                        "bracket holds": f"{bracketed.mean():.0%}" if method == STABILITY else "",
                        "within 5%": f"{(error.abs() <= 0.05).mean():.0%}",
                        "mean error": f"{error.mean():+.1%}",
                    }
                )
    return pd.DataFrame(rows)


def true_crossing(servers: int) -> float:
    """Arrival rate at which the mean JCT of an M/M/c queue crosses `DEFAULT_K` times the plateau of the sweep."""
    capacity = servers * SERVICE_RATE_JPH
    rates = LOADS * capacity
    low_load = rates[rates < rates[-1] / 2]
    plateau_h = np.median([steady_jct_h(rate, servers) for rate in low_load])
    return optimize.brentq(
        lambda rate: steady_jct_h(rate, servers) - DEFAULT_K * plateau_h, low_load[-1], capacity * (1 - 1e-6)
    )


def _one_sweep(seed: int, servers: int, n_jobs: int) -> pd.DataFrame:
    rows = sweep_rows(np.random.default_rng(seed), servers, n_jobs)
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
