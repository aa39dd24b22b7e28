"""`python -m tests.audit`: known vulnerabilities in the packages that are installed, by pip-audit.

Fails on one. Where the advisories cannot be reached it says so and does not fail: the network is not the code's fault.
pip-audit itself calls a package "not found" and finds "no known vulnerabilities" where nothing answers but a package
index, so what it did look up is counted here. Arguments are handed on, such as ``-s osv`` for another service.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

#: pip-audit's answer to a service that does not answer takes as long as the service lets it.
MOST_S = 120


def verdict(report: str, complaint: str) -> tuple[int, str]:
    """Exit code and what to say of pip-audit's report (JSON, or nothing where it failed) and its last words."""
    try:
        packages: list[dict[str, Any]] = json.loads(report)["dependencies"]
    except ValueError:
        return 0, f"NOT AUDITED for known vulnerabilities, the advisories cannot be reached: {_last_line(complaint)}"
    found = [
        f"{package['name']} {package['version']}: {vulnerability['id']}, fixed in {_fixed_in(vulnerability)}"
        for package in packages
        for vulnerability in package.get("vulns", [])
    ]
    skipped = [package["name"] for package in packages if "skip_reason" in package]
    n_audited = len(packages) - len(skipped)
    said = f"{n_audited} of {len(packages)} packages were looked up in the advisories"
    if found:
        return 1, "\n".join(["KNOWN VULNERABILITIES:", *found, said])
    if not n_audited:
        return (
            0,
            f"NOT AUDITED for known vulnerabilities, the advisories cannot be reached: {packages[0]['skip_reason']}",
        )
    missing = f"; not found there: {', '.join(skipped)}" if skipped else ""
    return 0, f"{said}, no known vulnerabilities{missing}"


def _fixed_in(vulnerability: dict[str, Any]) -> str:
    return ", ".join(vulnerability.get("fix_versions", [])) or "no version yet"


def _last_line(text: str) -> str:
    return (text.strip().splitlines() or ["pip-audit said nothing"])[-1]


def main(arguments: Sequence[str]) -> int:
    """Audit this interpreter's packages and say what came of it."""
    command = [sys.executable, "-m", "pip_audit", "--skip-editable", "--progress-spinner", "off", "--format", "json"]
    try:
        done = subprocess.run([*command, *arguments], capture_output=True, text=True, timeout=MOST_S, check=False)
        code, sentence = verdict(done.stdout, done.stderr)
    except subprocess.TimeoutExpired:
        code, sentence = verdict("", f"no answer within {MOST_S} s")
    print(f"audit: {sentence}", file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
