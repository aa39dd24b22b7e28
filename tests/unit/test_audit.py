"""What pip-audit says becomes one exit code: only a known vulnerability fails."""

from __future__ import annotations

import json

from tests.audit import verdict

SOUND = {"name": "blinker", "version": "1.9.0", "vulns": []}
UNKNOWN = {"name": "flask", "skip_reason": "Dependency not found on PyPI and could not be audited: flask (3.1.3)"}
VULNERABLE = {"name": "flask", "version": "0.1", "vulns": [{"id": "PYSEC-1", "fix_versions": ["0.2"], "aliases": []}]}


def verdict_of(*packages: dict) -> tuple[int, str]:
    return verdict(json.dumps({"dependencies": packages, "fixes": []}), "")


def test_a_known_vulnerability_fails() -> None:
    code, sentence = verdict_of(SOUND, VULNERABLE)
    assert code == 1
    assert "flask 0.1: PYSEC-1, fixed in 0.2" in sentence


def test_nothing_known_passes_and_says_what_was_not_looked_up() -> None:
    sentence = "1 of 2 packages were looked up in the advisories, no known vulnerabilities; not found there: flask"
    assert verdict_of(SOUND, UNKNOWN) == (0, sentence)


def test_a_package_index_without_advisories_is_not_taken_for_an_answer() -> None:
    code, sentence = verdict_of(UNKNOWN, UNKNOWN)
    assert code == 0
    assert sentence.startswith("NOT AUDITED")


def test_no_answer_is_said_and_does_not_fail() -> None:
    code, sentence = verdict("", "Traceback ...\nConnectionError: no such host\n")
    assert code == 0
    assert sentence.startswith("NOT AUDITED")
    assert sentence.endswith("ConnectionError: no such host")
