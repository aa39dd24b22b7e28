"""What a run's name says: ``fig11_finish_time_fairness_perf_0.4jph_multi_s0`` and its relatives.

A rate (``0.4jph``) is what makes a name readable: what stands before it is the figure and the policy
(``det_fgd_110jph``), what follows the setting and the seed. Of a name without a rate (``fig10_mmf_high``) only
the figure is believed: where the policy ends there is anybody's guess.
"""

from __future__ import annotations

import re

from gavel_dash.model import RunKey

_NAME = re.compile(
    r"^(?:(?P<figure>fig\d+[a-z]?)(?:_|$))?(?:(?P<policy>.+?)_)?(?P<rate>\d+(?:\.\d+)?(?:e[+-]?\d+)?)jph"
    r"(?:_(?P<setting>single|multi))?(?:_(?P<cluster>\d+[A-Za-z]\w*?(?:-\d+[A-Za-z]\w*?)*))?(?:_s(?P<seed>\d{1,18}))?$"
)
_FIGURE = re.compile(r"^(fig\d+[a-z]?)(?:_|$)")


def tidy_rate(rate_jph: float) -> float:
    """A rate without float dust: 0.6000000000000001 and 3600 / 6000 are 0.6."""
    return float(f"{rate_jph:.9g}")


def tidy_name(name: str) -> str:
    """A run's name with its rate spelled without float dust: ``..._2.4000000000000004jph_...`` becomes ``2.4jph``."""
    return re.sub(r"\d+\.\d+(?=jph)", lambda rate: str(tidy_rate(float(rate[0]))), name)


def parse_run_name(name: str) -> RunKey:
    """Parse a run's name; a leading ``gavel_repl_`` is ignored, a field is None where the name does not tell it."""
    text = name.removeprefix("gavel_repl_")
    match = _NAME.match(text)
    if match is None:
        figure = _FIGURE.match(text)
        return RunKey(figure=figure[1] if figure else None)
    rate = tidy_rate(float(match["rate"]))
    return RunKey(
        figure=match["figure"],
        policy=match["policy"],
        setting=match["setting"],
        arrival_rate_jph=rate if 0 < rate < float("inf") else None,
        seed=int(match["seed"]) if match["seed"] else None,
        cluster=match["cluster"],
    )
