"""Opening files as memory maps; what becomes of them when they change is in tests/reliability."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from gavel_dash import kernel
from gavel_dash.errors import FileChangedError, VizFormatError
from gavel_dash.kernel import mapped_files
from gavel_dash.kernel.mapped_files import map_file


@pytest.fixture(params=["kernel", "off"])
def switch(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "off":
        monkeypatch.setenv(kernel.SWITCH, "off")


@pytest.mark.usefixtures("switch")
def test_the_bytes_are_the_files_and_cannot_be_written(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(bytes(range(256)) * 100)
    open_files = len(os.listdir("/proc/self/fd"))
    data = map_file(path, path)
    assert data == path.read_bytes()
    assert data.readonly
    del data
    assert len(os.listdir("/proc/self/fd")) == open_files


@pytest.mark.usefixtures("switch")
def test_what_cannot_be_mapped_stays_open_nowhere(tmp_path: Path) -> None:
    open_files = len(os.listdir("/proc/self/fd"))
    (tmp_path / "empty").touch()
    with pytest.raises(VizFormatError, match=r"^shown at byte 0: .* an empty file"):
        map_file(tmp_path / "empty", Path("shown"))
    for path in (tmp_path, tmp_path / "missing"):
        with pytest.raises(OSError):
            map_file(path, path)
    assert len(os.listdir("/proc/self/fd")) == open_files


def test_a_file_written_to_while_it_is_read_into_memory_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "file"
    path.write_bytes(bytes(100))
    monkeypatch.setenv(kernel.SWITCH, "off")
    fstat = os.fstat

    def written_after(file: int) -> os.stat_result:
        stat = fstat(file)
        path.write_bytes(bytes(stat.st_size + 1))
        return stat

    monkeypatch.setattr(mapped_files.os, "fstat", written_after)
    with pytest.raises(FileChangedError, match="one that was written to"):
        map_file(path, path)
