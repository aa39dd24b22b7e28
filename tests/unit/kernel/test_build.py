"""The kernel: compiled once, and done without where that cannot be."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from gavel_dash import kernel
from gavel_dash.kernel import build

needs_compiler = pytest.mark.skipif(build.find_compiler() is None, reason="no C compiler here")


@pytest.fixture(autouse=True)
def fresh_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("GAVEL_DASH_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv(kernel.SWITCH, raising=False)
    kernel._load.cache_clear()
    yield
    kernel._load.cache_clear()


def _compiler_that_fails(directory: Path) -> str:
    script = directory / "cc"
    script.write_text("#!/bin/sh\necho 'no such standard header' >&2\nexit 1\n")
    script.chmod(0o755)
    return str(script)


@needs_compiler
def test_it_is_compiled_once_and_leaves_nothing_else_behind(tmp_path: Path) -> None:
    first = build.built_kernel()
    before = first.stat().st_mtime_ns
    assert build.built_kernel() == first
    assert first.stat().st_mtime_ns == before
    assert os.listdir(tmp_path / "cache" / "kernel") == [first.name]
    assert kernel.load_kernel() is not None
    assert kernel.why_no_kernel() == ""


@needs_compiler
def test_another_source_is_compiled_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = build.built_kernel()
    copies = []
    for source in build.SOURCES:
        copies.append(tmp_path / source.name)
        copies[-1].write_bytes(source.read_bytes() + b"\n/* changed */\n")
    monkeypatch.setattr(build, "SOURCES", tuple(copies))
    assert build.built_kernel() != first


def test_without_a_compiler_the_reason_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CC", raising=False)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert kernel.load_kernel() is None
    assert "no C compiler" in kernel.why_no_kernel()


def test_a_compiler_that_fails_is_named_with_its_last_word(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CC", _compiler_that_fails(tmp_path))
    assert kernel.load_kernel() is None
    assert kernel.why_no_kernel().endswith("cc failed: no such standard header")


def test_a_cache_that_cannot_be_written_costs_the_kernel_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("GAVEL_DASH_CACHE", str(tmp_path / "file"))
    monkeypatch.setenv("CC", _compiler_that_fails(tmp_path))
    assert kernel.load_kernel() is None
    assert "NotADirectoryError" in kernel.why_no_kernel() or "FileExistsError" in kernel.why_no_kernel()


def test_a_damaged_kernel_is_not_loaded_but_compiled_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    compiler = tmp_path / "cc"
    compiler.write_text('#!/bin/sh\nwhile [ "$1" != -o ]; do shift; done\necho compiled > "$2"\n')
    compiler.chmod(0o755)
    monkeypatch.setenv("CC", str(compiler))
    path = build.built_kernel()
    path.write_bytes(b"\x7fELF and no more")
    assert build.built_kernel() == path
    assert path.read_text() == "compiled\n"
    assert os.listdir(path.parent) == [path.name]


def test_it_can_be_switched_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(kernel.SWITCH, "off")
    assert kernel.load_kernel() is None
    assert kernel.why_no_kernel() == "GAVEL_DASH_KERNEL is off"
