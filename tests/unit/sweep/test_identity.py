"""Who a run is: what each source tells, which is believed, and what is no contradiction."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from gavel_dash.model import RunKey
from gavel_dash.sweep import open_sweep
from gavel_dash.sweep.identity import contradictions, key_from_config, resolve_key
from tests.make import write_run

Sources = list[tuple[str, RunKey]]


class TestConfig:
    @pytest.mark.parametrize(
        ("config", "key"),
        [
            ({"policy": "fifo_random"}, RunKey(policy="fifo_random")),
            ({"policy": "gavel_random_60jph_s0 (Gavel (random))"}, RunKey(arrival_rate_jph=60, seed=0)),
            ({"policy": "FGD+Migration 360jph"}, RunKey(arrival_rate_jph=360)),
            ({"policy": "fgd_2.4jph_s12"}, RunKey(arrival_rate_jph=2.4, seed=12)),
            ({"policy": "0jph"}, RunKey()),
            ({"policy": "v2jphx"}, RunKey(policy="v2jphx")),
            ({"policy": ["fifo"], "experiment": 3}, RunKey()),
        ],
    )
    def test_a_policy_that_names_a_rate_is_a_label_and_no_policy(self, config: dict[str, Any], key: RunKey) -> None:
        assert key_from_config(config) == key

    def test_our_own_fields_are_believed_before_a_label(self) -> None:
        experiment = {"policy": "fifo", "arrival_rate_jph": 50, "seed": 3, "placement": "random", "trace": "alibaba"}
        config = {"policy": "gavel_random_60jph_s0", "experiment": experiment}

        key = key_from_config(config)

        assert key == RunKey(policy="fifo", arrival_rate_jph=50, seed=3, placement="random", trace="alibaba")


class TestPolicyAndPlacement:
    def test_one_word_is_taken_apart_where_a_source_tells_the_two(self) -> None:
        sources: Sources = [
            ("config", RunKey(policy="fifo_random")),
            ("manifest.json", RunKey(policy="fifo", placement="random")),
        ]

        key, identity = resolve_key(sources)

        assert key == RunKey(policy="fifo", placement="random")
        assert identity == {"policy": "manifest.json", "placement": "manifest.json"}
        assert contradictions(sources, key, identity) == []

    def test_a_name_that_holds_both_behind_a_prefix_contradicts_nothing(self) -> None:
        sources: Sources = [
            ("manifest.json", RunKey(policy="gavel", placement="random")),
            ("name", RunKey(policy="fgd_alibaba_gavel_random")),
        ]
        key, identity = resolve_key(sources)
        assert key.policy == "gavel"
        assert contradictions(sources, key, identity) == []

    @pytest.mark.parametrize(
        ("policy", "other"),
        [
            ("fifo_best", RunKey(policy="fifo", placement="random")),  # another placement
            ("lififo_random", RunKey(policy="fifo", placement="random")),  # another policy
            ("fifo_random", RunKey(policy="fifo")),  # nobody says that random is a placement
            ("fifo_random", RunKey(placement="random")),  # nobody says that fifo is the policy
        ],
    )
    def test_it_is_never_guessed(self, policy: str, other: RunKey) -> None:
        assert resolve_key([("config", RunKey(policy=policy)), ("manifest.json", other)])[0].policy == policy

    def test_two_sources_that_tell_one_half_each_do_not_take_it_apart(self) -> None:
        sources: Sources = [
            ("config", RunKey(policy="fifo_random", placement="random")),
            ("name", RunKey(policy="fifo")),
        ]
        assert resolve_key(sources)[0].policy == "fifo_random"

    def test_another_policy_is_still_a_finding(self) -> None:
        sources: Sources = [
            ("manifest.json", RunKey(policy="gavel", placement="random")),
            ("name", RunKey(policy="fifo_random")),
        ]
        key, identity = resolve_key(sources)
        (finding,) = contradictions(sources, key, identity)
        assert "name says policy fifo_random, the manifest.json gavel" in finding.sentence


def test_a_sweep_tells_curves_apart_by_the_placement_of_its_manifest(tmp_path: Path) -> None:
    experiments = []
    for placement in ("random", "best_fit"):
        for rate in (60, 180):
            name = f"x_{placement}_{rate}.viz.bin"
            write_run(tmp_path / name)  # its config says policy fifo
            filters = {"scheduler": "fifo", "placement": placement, "trace": "alibaba", "load": f"{rate}jph"}
            experiments.append({"file": f"dir/{name}", "filters": filters})
    (tmp_path / "manifest.json").write_text(json.dumps({"experiments": experiments}))

    sweep = open_sweep(tmp_path)

    runs = sweep.runs()
    assert set(runs["policy"]) == {"fifo"}
    assert set(runs["trace"]) == {"alibaba"}
    assert sweep.identity("x_random_60")["placement"] == "manifest.json"
    curves = sweep.curves()
    assert curves.groupby("curve")["placement"].agg(list).to_dict() == {
        "fifo multi random": ["random", "random"],
        "fifo multi best_fit": ["best_fit", "best_fit"],
    }
