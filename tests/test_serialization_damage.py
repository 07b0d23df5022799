"""Files that are cut, changed, of another kind or hard to write are named, and never half there."""

from __future__ import annotations

import io
import os
import pickle
import stat
import struct
import subprocess
import sys
import zipfile

import numpy
import pytest
from pth_tools import CLEAR, EXPECTED, SCRIPT, TESTS, described, dumped, golden, loaded

import lantern
from lantern.serialization import container
from lantern.serialization.container import RecordWriter

# --- the old file stays until the new one is whole


class Explodes:
    def __reduce__(self):
        raise KeyboardInterrupt


def test_a_failure_while_saving_leaves_the_old_file(tmp_path):
    path = tmp_path / "x.pt"
    lantern.save([1], path)
    for value, error in ((Explodes(), KeyboardInterrupt), (lambda: 1, Exception)):
        with pytest.raises(error):
            lantern.save([lantern.ones(9), value], path)
        assert lantern.load(path) == [1] and os.listdir(tmp_path) == ["x.pt"]


def test_a_full_disk_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "x.pt"
    lantern.save([1], path)
    put = RecordWriter._put

    def full(self, data):
        if self._position > 500:
            raise OSError(28, "No space left on device")
        put(self, data)

    monkeypatch.setattr(RecordWriter, "_put", full)
    with pytest.raises(OSError, match="No space left"):
        lantern.save(lantern.ones(1000), path)
    assert lantern.load(path) == [1] and os.listdir(tmp_path) == ["x.pt"]


def test_the_new_file_keeps_mode_and_links(tmp_path):
    real, link = tmp_path / "real.pt", tmp_path / "link.pt"
    lantern.save([1], real)
    if os.name == "posix":
        real.chmod(0o640)
    link.symlink_to(real)
    lantern.save([2], link)
    assert link.is_symlink() and lantern.load(real) == [2]
    if os.name == "posix":
        assert stat.S_IMODE(real.stat().st_mode) == 0o640
        lantern.save(1, "/dev/null")
        assert stat.S_ISCHR(os.stat("/dev/null").st_mode)


KILLED = """
import os, random, signal, sys, time
import lantern

path, rounds = sys.argv[1], int(sys.argv[2])
values = [lantern.full((200_000,), float(i)) for i in range(2)]
lantern.save(values[0], path)
random.seed(0)
for _ in range(rounds):
    child = os.fork()
    if not child:
        while True:
            for value in values:
                lantern.save(value, path)
    time.sleep(random.uniform(0.001, 0.03))
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    found = lantern.load(path)
    assert found.shape == (200_000,) and found.min() == found.max(), "a partial file"
left = len(os.listdir(os.path.dirname(path)))
lantern.save(values[0], path)
assert os.listdir(os.path.dirname(path)) == [os.path.basename(path)], "a file was left"
print("whole", rounds, "left behind and removed", left - 1)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork to kill a saver mid-way")
def test_a_saver_killed_at_any_moment_never_leaves_a_partial_file(tmp_path):
    run = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", KILLED, str(tmp_path / "x.pt"), "200"],
        capture_output=True,
        text=True,
        timeout=120,
        cwd=TESTS.parent,
        check=False,
    )
    assert run.stdout.startswith("whole 200 "), run.stderr


# --- what is no checkpoint


@pytest.mark.parametrize("weights_only", [True, False])
@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"<!DOCTYPE html><html><body>Sign in</body></html>", "an HTML page"),
        (b"\n  <html lang=zh>", "an HTML page"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0", "a Git LFS pointer"),
        (b"\x1f\x8b\x08\0\0\0\0\0", "compressed with gzip"),
        (b"\x93NUMPY\1\0", "a NumPy array"),
        (b"\x10\0\0\0\0\0\0\0" + b'{"a":{}}' * 2, "a safetensors file"),
        (b"hello world", "a text that begins with 'hello world'"),
        (b"\0" * 100, "full of zero bytes"),
        (bytes(range(200, 256)), "of an unknown kind"),
        (b"\0" * 257 + b"ustar\0", "a tar archive"),
    ],
)
def test_files_of_other_kinds_are_named(content, words, weights_only):
    with pytest.raises(pickle.UnpicklingError, match="not a checkpoint that torch.save wrote") as e:
        loaded(content, weights_only=weights_only)
    assert words in str(e.value)
    assert str(e.value).startswith("Weights only load failed.") == weights_only


def test_an_empty_file_is_named(tmp_path):
    path = tmp_path / "empty.pt"
    path.write_bytes(b"")
    with pytest.raises(EOFError, match=r"empty\.pt' is empty \(0 bytes\)"):
        lantern.load(path)
    file = io.BytesIO()
    lantern.save(1, file)
    with pytest.raises(EOFError, match=r"f\.seek\(0\)"):
        lantern.load(file)


def test_zip_archives_of_other_kinds_are_named():
    def packed(**entries):
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w") as archive:
            for name, data in entries.items():
                archive.writestr(name, data)
        return file.getvalue()

    with pytest.raises(RuntimeError, match="looks like a NumPy .npz file"):
        loaded(packed(**{"weight.npy": b"1"}))
    with pytest.raises(RuntimeError, match="not a checkpoint that torch.save wrote"):
        loaded(packed(**{"folder/file.txt": b"1"}))


def test_a_plain_pickle_is_named():
    with pytest.raises(RuntimeError, match="Invalid magic number; corrupt file?"):
        loaded(pickle.dumps({"a": 1}, 2))


def test_versions_from_the_future_are_refused():
    content = SCRIPT.rewritten(dumped(1), lambda name, data: b"11\n" if name == "version" else data)
    with pytest.raises(RuntimeError, match="version 11, but the maximum supported version"):
        loaded(content)


# --- truncation and changed bytes


@pytest.mark.parametrize("name", ["views", "legacy_views", "containers", "model"])
def test_a_file_cut_anywhere_is_an_error(name):
    content = golden(name)
    all_of_the_ends = {*range(80), *range(len(content) - 80, len(content))}
    for size in all_of_the_ends | {*range(80, len(content), 37)}:
        with pytest.raises(CLEAR):
            loaded(content[:size])


def test_a_truncated_archive_says_so():
    with pytest.raises(RuntimeError, match="finding central directory, the file is truncated"):
        loaded(golden("views")[:900])
    with pytest.raises(pickle.UnpicklingError, match="truncated"):
        loaded(golden("legacy_views")[:300])


def outcome(content):
    """What a changed file comes to: its description, or the clear error it raises."""
    try:
        return described(loaded(content))
    except (*CLEAR, ValueError) as error:
        assert str(error)
        return "error"


@pytest.mark.parametrize("name", ["views", "containers", "first_zip_format"])
def test_a_changed_byte_in_an_archive_never_changes_a_value(name):
    content = bytearray(golden(name))
    detected = 0
    for position in range(0, len(content), 3):
        bit = 1 << position % 8
        content[position] ^= bit
        result = outcome(bytes(content))
        assert result == "error" or result == EXPECTED[name], position
        detected += result == "error"
        content[position] ^= bit
    assert detected > len(content) / 30


def test_a_changed_number_is_named_with_its_record():
    content = golden("views")
    at = content.index(numpy.arange(24, dtype="float32").tobytes())
    broken = content[: at + 5] + b"\xff" + content[at + 6 :]
    with pytest.raises(RuntimeError, match=r"data/0: its checksum \(CRC-32\) is"):
        loaded(broken)


# --- archives made by hand


def archive(entries, change=lambda content: content, method=zipfile.ZIP_STORED):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as packed:
        for name, data in entries:
            packed.writestr(zipfile.ZipInfo(name) if method == 0 else name, data)
    return change(file.getvalue())


def entries_of(value):
    with zipfile.ZipFile(io.BytesIO(dumped(value))) as packed:
        return [(info.filename, packed.read(info)) for info in packed.infolist()]


@pytest.mark.parametrize(
    "name",
    ["/etc/passwd", "a/../b", "archive/../../x", "archive//x", "archive/a\\b", "C:/x", "../x"],
)
def test_names_that_are_paths_elsewhere_are_refused(name):
    with pytest.raises(RuntimeError, match="a path outside the archive"):
        loaded(archive([*entries_of(1), (name, b"x")]))


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_doubled_names_are_refused():
    with pytest.raises(RuntimeError, match="two entries named 'data.pkl'"):
        loaded(archive([*entries_of(1), ("archive/data.pkl", b"x")]))


def test_more_than_one_top_folder_is_refused():
    with pytest.raises(RuntimeError, match="more than one top folder"):
        loaded(archive([*entries_of(1), ("other/data.pkl", b"x")]))


def test_compressed_and_encrypted_records_are_refused():
    bomb = archive([*entries_of(1), ("archive/data/0", bytes(10**6))], method=zipfile.ZIP_DEFLATED)
    with pytest.raises(RuntimeError, match="is compressed, which torch.save never does"):
        loaded(bomb)

    def encrypt(content):
        at = content.index(b"PK\1\2")
        return content[: at + 8] + b"\1" + content[at + 9 :]

    with pytest.raises(RuntimeError, match="is encrypted"):
        loaded(archive(entries_of(1), encrypt))


def with_central_field(content, entry, offset, value):
    """The archive with one number in one entry of its table of contents replaced."""
    at = -1
    for _ in range(entry + 1):
        at = content.index(b"PK\1\2", at + 1)
    return content[: at + offset] + struct.pack("<I", value) + content[at + offset + 4 :]


def test_sizes_and_places_that_can_not_be_are_refused():
    content = archive(entries_of(lantern.ones(3)))
    for value in (2**31, 2**32 - 2, len(content)):
        for offset in (20, 24, 42):  # packed size, size, place
            with pytest.raises(RuntimeError, match="does not fit in the file"):
                loaded(with_central_field(content, 0, offset, value))
    with pytest.raises(RuntimeError, match="zip64 sizes of .* are missing"):
        loaded(with_central_field(content, 0, 24, 2**32 - 1))
    with pytest.raises(RuntimeError, match="overlaps another"):
        loaded(with_central_field(content, 1, 42, 0))


def test_a_table_of_contents_with_false_counts_is_refused():
    content = archive(entries_of(1))
    end = content.rindex(b"PK\5\6")
    for value in (0, 1, 9, 0xFFFF):
        changed = content[: end + 8] + struct.pack("<2H", value, value) + content[end + 12 :]
        with pytest.raises(RuntimeError, match="table of contents"):
            loaded(changed)


def test_archives_above_four_gigabytes_have_wide_numbers(monkeypatch):
    monkeypatch.setattr(container, "LIMIT32", 3000)  # as if 32 bits ended there
    value = {"large": lantern.arange(1000.0), "small": lantern.ones(3), "after": lantern.arange(5)}
    content = dumped(value)
    assert struct.pack("<2HQQ", 1, 16, 4000, 4000) in content
    assert struct.pack("<2HQ", 1, 8, content.index(b"PK\3\4", 5000)) in content
    assert described(loaded(content)) == described(value)
