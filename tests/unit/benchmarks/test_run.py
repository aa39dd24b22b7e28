"""The runner: rows as they come, failures that cost only their own area, and what it writes."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from benchmarks import run
from benchmarks.measure import Row

GOOD = Row("convert", "a log", 0.08, 1.12, "s", "a plain converter", 14.0, 12.0, at_least=True, note="a | b")
MISSED = Row("convert", "a log", 0.08, 0.02, "s", "C", 4.0, 2.5)
BYTES = Row("bundle", "a file", 2_000_000, 40_000_000, "B", "the raw file", 20.0, 9.0, at_least=True)


@pytest.fixture
def areas(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three areas: the second yields a row and then fails, and its neighbours do not."""

    def failing() -> Iterator[Row]:
        yield MISSED
        raise ValueError("no such\n  thing")

    modules = {"convert": lambda: iter([GOOD]), "index": failing, "bundle": lambda: iter([BYTES])}
    for name, rows in modules.items():
        module = ModuleType(f"benchmarks.{name}")
        module.rows = rows  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, f"benchmarks.{name}", module)
    monkeypatch.setattr(run, "AREAS", tuple(modules))
    monkeypatch.setenv("PYTHONPATH", "")  # `run` sets it; it is put back afterwards


@pytest.mark.usefixtures("areas")
def test_a_failure_keeps_the_rows_before_it_and_the_other_areas() -> None:
    assert list(run.measure(run.AREAS)) == [GOOD, MISSED, run.Failure("index", "ValueError: no such thing"), BYTES]


@pytest.mark.usefixtures("areas")
def test_failures_are_told_by_the_exit_code_and_missed_goals_are_not(capsys: pytest.CaptureFixture[str]) -> None:
    assert run.main([]) == 1
    out, error = capsys.readouterr()
    assert "index: failed: ValueError: no such thing" in out
    assert "2 of 3 goals reached" in out
    assert "Traceback" in error
    assert run.main(["--areas", "convert,bundle"]) == 0


@pytest.mark.usefixtures("areas")
def test_json_holds_machine_rows_and_failures(tmp_path: Path) -> None:
    path = tmp_path / "bench.json"
    run.main(["--json", str(path)])
    written = json.loads(path.read_text())
    assert written["machine"]["cores"] >= 1
    assert [row["reached"] for row in written["rows"]] == [True, False, True]
    assert written["rows"][0]["limit"] == 12.0
    assert written["failures"] == [{"area": "index", "reason": "ValueError: no such thing"}]


@pytest.mark.usefixtures("areas")
def test_the_table_goes_between_the_marks_and_the_prose_stays(tmp_path: Path) -> None:
    path = tmp_path / "benchmarks.md"
    start, end = run.MARKS
    path.write_text(f"# Before\n\n{start}\nold\n{end}\n\nAfter\n")
    run.main(["--areas", "convert", "--markdown", str(path)])
    text = path.read_text()
    assert text.startswith(f"# Before\n\n{start}\n")
    assert text.endswith(f"{end}\n\nAfter\n")
    assert "old" not in text
    assert "| convert: a log | 80 ms | 1.12 s | 14x | ≥ 12x | yes | a plain converter (a \\| b) |" in text


@pytest.mark.usefixtures("areas")
def test_a_markdown_file_without_marks_is_not_touched(tmp_path: Path) -> None:
    path = tmp_path / "prose.md"
    path.write_text("precious")
    with pytest.raises(SystemExit):
        run.main(["--areas", "convert", "--markdown", str(path)])
    assert path.read_text() == "precious"


def test_an_unknown_area_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as error:
        run.main(["--areas", "convert,nonsense"])
    assert error.value.code == 2
    assert "no area 'nonsense'; there are convert," in capsys.readouterr().err


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (1.234, "s", "1.23 s"),
        (0.0123, "s", "12.3 ms"),
        (4.5e-7, "s", "0.45 µs"),
        (1234.0, "s", "1234 s"),
        (77_100_000, "B", "77.1 MB"),
        (0.5, "B", "0.5 B"),
        (12.345, "x", "12.3"),
        (25_012.0, "x", "25012"),
    ],
)
def test_quantities_have_three_digits_and_a_unit(value: float, unit: str, text: str) -> None:
    assert run.shown_quantity(value, unit) == text


def test_ours_is_marked_where_it_misses() -> None:
    assert run.cells(MISSED)[3:6] == ("4x", "≤ 2.5x", "NO")
