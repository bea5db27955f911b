"""The vault: what goes in comes out, and nothing that was touched opens."""

import resource
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from console.shared.files import vault
from console.shared.files.vault import FRAME, TooLarge, VaultBroken, VaultMissing

KEY = bytes(range(32))
SIZES = [0, 1, FRAME - 1, FRAME, FRAME + 1, 3 * FRAME, 3 * FRAME + 17]


@pytest.fixture(autouse=True)
def folder(settings: object, tmp_path: Path) -> Path:
    settings.MEDIA_ROOT = tmp_path  # type: ignore[attr-defined]
    return tmp_path


def content(size: int) -> bytes:
    return bytes(index * 7 % 251 for index in range(size))


def opened(path: str = "a/file", key: bytes = KEY) -> bytes:
    return b"".join(vault.read(path, key))


@pytest.mark.parametrize("size", SIZES)
def test_it_gives_back_what_it_was_given(size: int) -> None:
    data = content(size)
    stored = vault.write("a/file", KEY, [data[:1000], data[1000:]])
    assert opened() == data
    assert stored.size == size


def test_it_stores_nothing_readable_and_for_its_owner_alone(folder: Path) -> None:
    vault.write("a/file", KEY, [b"DeviceSecret " * 1000])
    file = folder / "a" / "file"
    assert b"Secret" not in file.read_bytes()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_it_never_seals_two_files_alike(folder: Path) -> None:
    vault.write("one", KEY, [b"same"])
    vault.write("two", KEY, [b"same"])
    assert (folder / "one").read_bytes()[20:] != (folder / "two").read_bytes()[20:]


@pytest.mark.parametrize("size", SIZES)
def test_it_refuses_a_file_that_was_cut_short(folder: Path, size: int) -> None:
    vault.write("a/file", KEY, [content(size)])
    file = folder / "a" / "file"
    whole = file.read_bytes()
    for end in {len(whole) - 1, len(whole) - 16, 20 + (size // FRAME) * (FRAME + 16), 20, 10, 0}:
        if end < len(whole):
            file.write_bytes(whole[:end])
            with pytest.raises(VaultBroken):
                opened()


def test_it_refuses_frames_in_another_order(folder: Path) -> None:
    vault.write("a/file", KEY, [content(3 * FRAME)])
    file = folder / "a" / "file"
    whole, step = file.read_bytes(), FRAME + 16
    file.write_bytes(whole[:20] + whole[20 + step : 20 + 2 * step] + whole[20 : 20 + step] + whole[20 + 2 * step :])
    with pytest.raises(VaultBroken):
        opened()


def test_it_refuses_a_file_under_another_name_or_key(folder: Path) -> None:
    vault.write("a/file", KEY, [b"words"])
    (folder / "a" / "other").write_bytes((folder / "a" / "file").read_bytes())
    with pytest.raises(VaultBroken):
        opened("a/other")
    with pytest.raises(VaultBroken):
        opened(key=vault.new_key())


def test_it_keeps_the_old_file_when_a_new_one_breaks_off(folder: Path) -> None:
    def breaking() -> Iterator[bytes]:
        yield content(2 * FRAME)
        raise OSError

    vault.write("a/file", KEY, [b"old"])
    with pytest.raises(OSError):
        vault.write("a/file", KEY, breaking())
    assert opened() == b"old"
    assert [path.name for path in (folder / "a").iterdir()] == ["file"]


@contextmanager
def room_for(size: int) -> Iterator[None]:
    """No file of this process gets longer: a write that does not fit fails, and so does what waits in a buffer when its file is closed."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("size", [10, 100_000, 300_000])
def test_it_leaves_nothing_half_written_where_there_is_no_room(folder: Path, size: int) -> None:
    vault.write("a/file", KEY, [b"old"])
    with room_for(size), pytest.raises(OSError):
        vault.write("a/file", KEY, [content(FRAME)] * 6)
    assert [path.name for path in (folder / "a").iterdir()] == ["file"]
    assert opened() == b"old"


def test_it_refuses_more_than_the_limit(folder: Path) -> None:
    with pytest.raises(TooLarge):
        vault.write("a/file", KEY, [b"x" * 10, b"x"], limit=10)
    assert list((folder / "a").iterdir()) == []


def test_it_says_that_a_file_is_gone() -> None:
    vault.write("a/file", KEY, [b"words"])
    vault.delete("a/file")
    assert not vault.exists("a/file")
    with pytest.raises(VaultMissing):
        opened()


@pytest.mark.parametrize("path", ["", "/etc/passwd", "../outside", "a/../../outside"])
def test_it_refuses_paths_that_lead_out(path: str) -> None:
    with pytest.raises(ValueError):
        vault.write(path, KEY, [b"words"])


@pytest.mark.parametrize("skip", [0, 1, 4_999, 5_000, 10_000, 20_000])
def test_it_reads_lines_from_any_number_on(skip: int) -> None:
    lines = [b"line %d" % number for number in range(10_000)]
    vault.write("lines", KEY, [line + b"\n" for line in lines])
    assert list(vault.read_lines("lines", KEY, skip=skip)) == lines[skip:]
