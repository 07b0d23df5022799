"""The zip container of a checkpoint, written byte for byte as PyTorch does and read with checks.

A checkpoint is a zip archive without compression: `data.pkl` holds the objects, `data/0`,
`data/1`, … the memory of the storages, each beginning at a multiple of 64 bytes so that it can be
mapped. PyTorch finds records by computing where its own writer would have put them, so the writer
here keeps to the same layout, padding and descriptors included.
"""

from __future__ import annotations

import struct
import sys
import zlib
from collections.abc import Callable
from typing import Any, BinaryIO, NamedTuple

ALIGNMENT = 64
WORTH_A_THREAD = 1 << 18  # bytes of a record whose checksum is computed in a thread
FORMAT_VERSION = 3  # what the record `version` says; readers refuse versions above MAX_VERSION
MAX_VERSION = 10
SERIALIZATION_ID = ".data/serialization_id"

LOCAL = struct.Struct("<4s5H3I2H")
CENTRAL = struct.Struct("<4s6H3I5H2I")
END = struct.Struct("<4s4H2IH")
END64 = struct.Struct("<4sQ2H2I4Q")
LOCATOR64 = struct.Struct("<4sIQI")

LIMIT32 = 0xFFFFFFFF  # sizes and offsets from here on go into a zip64 field
LIMIT16 = 0xFFFF
HAS_DESCRIPTOR, IS_UTF8, IS_ENCRYPTED = 0x0008, 0x0800, 0x0001
WRITTEN_AT_ONCE = 1 << 24
CHUNK = 1 << 20  # small enough to be in a cache still when its checksum is computed


class Record(NamedTuple):
    """One entry of the archive: its name below the top folder, and where it lies."""

    name: str
    size: int
    crc: int
    header: int
    full_name: bytes
    packed: int = -1  # bytes in the file where they are not `size`: a compressed record

    @property
    def length(self) -> int:
        """The number of bytes in the file."""
        return self.size if self.packed < 0 else self.packed


class RecordWriter:
    """Appends records to a stream that only needs `write`, then the table of contents.

    >>> import io
    >>> from lantern.serialization.container import RecordReader, RecordWriter, Source
    >>> stream = io.BytesIO()
    >>> writer = RecordWriter(stream, "archive")
    >>> writer.write("byteorder", b"little")
    >>> writer.close()
    >>> stream.seek(0)
    0
    >>> RecordReader(Source(stream)).read("byteorder")
    b'little'
    """

    def __init__(self, stream: BinaryIO, top: str, *, checksums: bool = True):
        self._stream = stream
        self._top = top
        self._checksums = checksums
        self._position = 0
        self._records: list[Record] = []
        self._beside = Beside()

    def write(self, name: str, data: bytes | memoryview) -> None:
        """Appends one record; `data` is bytes or a contiguous memoryview of bytes."""
        full_name = f"{self._top}/{name}".encode()
        size, header = len(data), self._position
        crc_beside = self._beside.start(data) if self._checksums else int
        fields64 = _fields64(size, header)
        extra = fields64 + _padding(header + LOCAL.size + len(full_name) + len(fields64))
        flags = IS_UTF8 | (HAS_DESCRIPTOR if size else 0)
        head = LOCAL.pack(b"PK\3\4", 0, flags, 0, 0, 0, 0, 0, 0, len(full_name), len(extra))
        self._put(head + full_name + extra)
        for start in range(0, size, WRITTEN_AT_ONCE):
            self._put(data[start : start + WRITTEN_AT_ONCE])
        crc = crc_beside()
        if size:
            self._put(struct.pack("<4sI2Q" if fields64 else "<4s3I", b"PK\7\10", crc, size, size))
        self._records.append(Record(name, size, crc, header, full_name))

    def close(self) -> None:
        """Writes the version, the fingerprint and the table of contents; the stream stays open."""
        self.write("version", b"%d\n" % FORMAT_VERSION)
        self.write(SERIALIZATION_ID, self._fingerprint())
        start = self._position
        for record in self._records:
            self._put(_central_entry(record))
        count, end = len(self._records), self._position
        self._put(
            END64.pack(
                b"PK\6\6", END64.size - 12, 0x031E, 45, 0, 0, count, count, end - start, start
            )
        )
        self._put(LOCATOR64.pack(b"PK\6\7", 0, end, 1))
        shown = min(count, LIMIT16)
        sizes = min(end - start, LIMIT32), min(start, LIMIT32)
        self._put(END.pack(b"PK\5\6", 0, 0, shown, shown, *sizes, 0))
        self._beside.close()

    def _fingerprint(self) -> bytes:
        """40 digits that depend on the names and on the contents, as PyTorch's readers expect."""
        import hashlib

        names = hashlib.sha256(b"\0".join(sorted(each.full_name for each in self._records)))
        contents = zlib.crc32(b"".join(each.crc.to_bytes(4, "little") for each in self._records))
        return b"%020d%020d" % (int.from_bytes(names.digest()[:8], "little"), contents)

    def _put(self, data: bytes | memoryview) -> None:
        written = self._stream.write(data)
        if written is not None and written != len(data):
            raise OSError(f"the stream took {written} of {len(data)} bytes: the file is incomplete")
        self._position += len(data)


class Beside:
    """Computes checksums of large pieces in a thread, while they are written or read."""

    def __init__(self) -> None:
        self._pool: Any = None

    def start(self, data: bytes | memoryview) -> Callable[[], int]:
        """Begins to compute the checksum of `data`; the result is a call away."""
        if len(data) < WORTH_A_THREAD:
            crc = zlib.crc32(data)
            return lambda: crc
        if self._pool is None:
            from concurrent.futures import ThreadPoolExecutor

            self._pool = ThreadPoolExecutor(1)
        return self._pool.submit(_checksum, data).result

    def close(self) -> None:
        """Ends the thread."""
        if self._pool is not None:
            self._pool.shutdown()


def _checksum(data: bytes | memoryview) -> int:
    crc = 0
    for start in range(0, len(data), CHUNK):
        crc = zlib.crc32(data[start : start + CHUNK], crc)
    return crc


def _fields64(size: int, header: int) -> bytes:
    """The zip64 field, which holds just the numbers that do not fit in 32 bits."""
    numbers = [size, size] if size >= LIMIT32 else []
    if header >= LIMIT32:
        numbers.append(header)
    if not numbers:
        return b""
    return struct.pack(f"<2H{len(numbers)}Q", 1, 8 * len(numbers), *numbers)


def _padding(start: int) -> bytes:
    """A field of letters that moves the data to the next multiple of ALIGNMENT."""
    fill = -(start + 4) % ALIGNMENT
    return struct.pack("<2sH", b"FB", fill) + b"Z" * fill


def _central_entry(record: Record) -> bytes:
    fields64 = _fields64(record.size, record.header)
    flags = IS_UTF8 | (HAS_DESCRIPTOR if record.size else 0)
    size, header = min(record.size, LIMIT32), min(record.header, LIMIT32)
    lengths = len(record.full_name), len(fields64), 0, 0, 0
    head = CENTRAL.pack(
        b"PK\1\2", 0, 0, flags, 0, 0, 0, record.crc, size, size, *lengths, 0, header
    )
    return head + record.full_name + fields64


class Source:
    """Random access to the bytes of an open file, from its present position to its end.

    Reads never ask for more than is there, so a size claimed by the file allocates nothing.
    """

    def __init__(self, file: BinaryIO, what: str = "the file"):
        self.file = file
        self.what = what
        self.start = file.tell()
        file.seek(0, 2)
        self.size = max(file.tell() - self.start, 0)
        file.seek(self.start)

    def read(self, offset: int, size: int) -> bytes:
        """Returns `size` bytes; raises RuntimeError where the file ends before."""
        self._check(offset, size)
        self.file.seek(self.start + offset)
        data = self.file.read(size)
        if len(data) != size:
            raise damaged(self.what, f"it ended {size - len(data)} bytes early while being read")
        return data

    def read_into(self, offset: int, buffer: memoryview) -> None:
        """Fills `buffer`; raises RuntimeError where the file ends before."""
        size = len(buffer)
        self._check(offset, size)
        self.file.seek(self.start + offset)
        fill = getattr(self.file, "readinto", None)
        done = 0
        while done < size:
            part = buffer[done : done + CHUNK]
            if fill is not None:
                count = fill(part)
            else:
                data = self.file.read(len(part))
                count = len(data)
                part[:count] = data
            if not count:
                raise damaged(self.what, f"it ended {size - done} bytes early while being read")
            done += count

    def _check(self, offset: int, size: int) -> None:
        if offset < 0 or size < 0 or offset + size > self.size:
            where = f"bytes {offset} to {offset + size} of {self.size}"
            raise damaged(self.what, f"{where} are missing, the file is truncated")


def damaged(what: str, how: str) -> RuntimeError:
    """The error for a checkpoint that was cut or changed, beginning as PyTorch's does."""
    return RuntimeError(
        f"PytorchStreamReader failed reading zip archive: {how}. There is a high likelihood that "
        f"{what} is corrupted: it was not saved to its end, or changed on the way here."
    )


class RecordReader:
    """Reads the records of an archive by name, once its table of contents is known to be possible.

    Every size and place is compared with the size of the file before it is used; encrypted,
    overlapping or doubled entries and names that are paths elsewhere are refused with RuntimeError,
    and so are compressed records when they are asked for.
    """

    def __init__(self, source: Source):
        self.source = source
        self.what = source.what
        self._beside = Beside()
        self._waiting: list[tuple[Record, Callable[[], int]]] = []
        count, start, end = self._find_directory()
        self.top, self.records = self._read_directory(count, start, end)
        self._check_places(start)
        # A writer told to leave checksums out stores 0 for all records; `version` alone rules
        # out that they all are 0 by accident.
        self._unchecked = not any(record.crc for record in self.records.values())
        self._data_ends = self._limits(start)

    def __contains__(self, name: str) -> bool:
        return name in self.records

    def size(self, name: str) -> int:
        """Returns the number of bytes of a record; raises RuntimeError for an unknown name."""
        return self._record(name).size

    def read(self, name: str) -> bytes:
        """Returns the bytes of a record, compared with their checksum."""
        record = self._record(name)
        data = self.source.read(self.offset(name), record.size)
        self._check_sum(record, zlib.crc32(data))
        return data

    def read_into(self, name: str, buffer: memoryview, *, check_later: bool = False) -> None:
        """Fills `buffer`, as long as the record, with its bytes, compared with their checksum.

        With `check_later` large records are compared while others are read, and at the latest in
        `check`; the buffer must not change before.
        """
        record = self._record(name)
        self.source.read_into(self.offset(name), buffer[: record.size])
        crc = self._beside.start(buffer[: record.size])
        if check_later:
            self._waiting.append((record, crc))
        else:
            self._check_sum(record, crc())

    def check(self) -> None:
        """Compares what `check_later` left; raises RuntimeError where bytes have changed."""
        waiting, self._waiting = self._waiting, []
        for record, crc in waiting:
            self._check_sum(record, crc())

    def close(self) -> None:
        """Ends the thread that computes checksums."""
        self._beside.close()

    def offset(self, name: str) -> int:
        """Returns where the bytes of a record begin, after checking the header before them."""
        record = self._record(name)
        if record.packed >= 0:
            raise RuntimeError(
                f"the record '{name}' of {self.what} is compressed, which torch.save never does "
                "and a decompression bomb would. Unpack it and save it again without compression."
            )
        head = LOCAL.unpack(self.source.read(record.header, LOCAL.size))
        signature, flags, method, name_size, extra_size = head[0], head[2], head[3], *head[-2:]
        written = self.source.read(record.header + LOCAL.size, name_size)
        agrees = signature == b"PK\3\4" and method == 0 and written == record.full_name
        if not flags & HAS_DESCRIPTOR and record.size < LIMIT32:
            agrees = agrees and head[7] == head[8] == record.size
        if not agrees:
            raise damaged(self.what, f"the header of '{name}' disagrees with the table of contents")
        offset = record.header + LOCAL.size + name_size + extra_size
        if offset + record.size > self._data_ends[record.header]:
            raise damaged(self.what, f"the record '{name}' runs into what follows it")
        return offset

    def _record(self, name: str) -> Record:
        try:
            return self.records[name]
        except KeyError:
            raise RuntimeError(
                f"PytorchStreamReader failed locating file {name}: file not found in {self.what}"
            ) from None

    def _check_sum(self, record: Record, crc: int) -> None:
        if crc != record.crc and not self._unchecked:
            raise RuntimeError(
                f"PytorchStreamReader failed reading file {record.name}: its checksum (CRC-32) is "
                f"{crc:08x}, but {record.crc:08x} was recorded when it was saved. Bytes of "
                f"{self.what} have changed since: it is corrupted and cannot be used."
            )

    def _find_directory(self) -> tuple[int, int, int]:
        """Finds the table of contents: the number of entries, its first byte and its end."""
        size = self.source.size
        tail_size = min(size, END.size + LIMIT16)
        tail = self.source.read(size - tail_size, tail_size)
        at = tail.rfind(b"PK\5\6")
        if at < 0 or len(tail) - at < END.size:
            raise damaged(self.what, "failed finding central directory, the file is truncated")
        _, disk, first_disk, here, count, length, start, comment = END.unpack_from(tail, at)
        end = size - tail_size + at
        if end + END.size + comment != size:
            raise damaged(self.what, "failed finding central directory, the end does not fit")
        locator_at = end - LOCATOR64.size
        if locator_at >= 0:
            locator = LOCATOR64.unpack(self.source.read(locator_at, LOCATOR64.size))
            if locator[0] == b"PK\6\7":
                head = END64.unpack(self.source.read(locator[2], END64.size))
                if head[0] != b"PK\6\6" or locator[2] + END64.size > locator_at:
                    raise damaged(self.what, "the zip64 end record is not where it should be")
                disk, first_disk, here, count, length, start = head[4:]
                end = locator[2]
        if disk or first_disk or here != count:
            raise damaged(self.what, "it claims to be one part of several")
        if start + length != end or count * CENTRAL.size > length:
            raise damaged(self.what, "the table of contents does not fit in the file")
        return count, start, end

    def _read_directory(self, count: int, start: int, end: int) -> tuple[str, dict[str, Record]]:
        table = self.source.read(start, end - start)
        position, records, tops = 0, {}, set()
        for _ in range(count):
            if position + CENTRAL.size > len(table):
                raise damaged(self.what, "the table of contents ends early")
            head = CENTRAL.unpack_from(table, position)
            name_end = position + CENTRAL.size + head[10]
            full_name = table[position + CENTRAL.size : name_end]
            extra = table[name_end : name_end + head[11]]
            position = name_end + head[11] + head[12]
            if head[0] != b"PK\1\2" or position > len(table):
                raise damaged(self.what, "an entry of the table of contents is broken")
            top, name = self._checked_name(full_name)
            size, packed, header = self._checked_entry(head, extra, full_name)
            if not name and not size:
                continue  # a folder, which archivers add when they pack an archive anew
            tops.add(top)
            if len(tops) > 1:
                raise damaged(self.what, "its entries lie in more than one top folder")
            if name in records:
                raise damaged(self.what, f"it holds two entries named '{name}'")
            length = packed if head[4] else -1
            records[name] = Record(name, size, head[7], header, full_name, length)
        if position != len(table):
            raise damaged(self.what, "the table of contents is longer than its entries")
        return (tops.pop() if tops else ""), records

    def _checked_name(self, full_name: bytes) -> tuple[str, str]:
        """Splits a name after its top folder; raises RuntimeError for names that lead elsewhere."""
        try:
            text = full_name.decode()
        except UnicodeDecodeError:
            raise damaged(self.what, f"an entry is named {full_name!r}, not UTF-8") from None
        top, slash, name = text.partition("/")
        parts = name.split("/")
        if name.endswith("/"):
            parts.pop()
            name = ""
        if not slash:
            raise RuntimeError(
                f"file in archive is not in a subdirectory: {text}. {self.what} is a zip archive, "
                f"but not one that torch.save wrote{_kind_of_zip(text)}"
            )
        if not top or any(part in ("", ".", "..") for part in parts if name) or top in (".", ".."):
            raise damaged(self.what, f"an entry is named '{text}', a path outside the archive")
        if "\\" in text or "\0" in text or ":" in top:
            raise damaged(self.what, f"an entry is named {text!r}, a path outside the archive")
        return top, name

    def _checked_entry(self, head: tuple, extra: bytes, full_name: bytes) -> tuple[int, int, int]:
        """Returns size, packed size and place of an entry; raises RuntimeError for false ones."""
        flags, method, packed, size = head[3], head[4], head[8], head[9]
        disk, header = head[13], head[16]
        name = full_name.decode()
        if flags & IS_ENCRYPTED:
            raise RuntimeError(f"the record '{name}' of {self.what} is encrypted: not readable")
        needed = [each == LIMIT32 for each in (size, packed, header)]
        if any(needed):
            wide = iter(self._wide_numbers(extra, sum(needed), name))
            size, packed, header = (
                next(wide) if need else narrow
                for need, narrow in zip(needed, (size, packed, header), strict=True)
            )
        fits = header + LOCAL.size + packed <= self.source.size and (method or size == packed)
        if disk or not fits:
            raise damaged(self.what, f"the record '{name}' does not fit in the file")
        return size, packed, header

    def _wide_numbers(self, extra: bytes, count: int, name: str) -> tuple[int, ...]:
        position = 0
        while position + 4 <= len(extra):
            kind, length = struct.unpack_from("<2H", extra, position)
            if kind == 1 and length >= 8 * count and position + 4 + 8 * count <= len(extra):
                return struct.unpack_from(f"<{count}Q", extra, position + 4)
            position += 4 + length
        raise damaged(self.what, f"the zip64 sizes of '{name}' are missing")

    def _check_places(self, directory: int) -> None:
        """Raises RuntimeError where two records, or a record and the table, share bytes."""
        ordered = sorted(self.records.values(), key=lambda record: record.header)
        free = 0
        for record in ordered:
            if record.header < free:
                raise damaged(self.what, f"the record '{record.name}' overlaps another")
            free = record.header + LOCAL.size + len(record.full_name) + record.length
        if free > directory:
            raise damaged(self.what, "a record overlaps the table of contents")

    def _limits(self, directory: int) -> dict[int, int]:
        """Where the bytes of the record with a given header must have ended."""
        places = sorted(record.header for record in self.records.values())
        return dict(zip(places, [*places[1:], directory], strict=True))


def _kind_of_zip(name: str) -> str:
    if name.endswith(".npy"):
        return ": it looks like a NumPy .npz file (numpy.load reads it)."
    if name == "[Content_Types].xml":
        return ": it looks like an office document."
    return "."


def check_version(reader: RecordReader) -> None:
    """Raises RuntimeError for archives newer than this reader, and for those without a version."""
    name = next((each for each in (".data/version", "version") if each in reader), None)
    if name is None:
        raise RuntimeError(
            f"PytorchStreamReader failed locating file version: {reader.what} is a zip archive, "
            "but not a checkpoint that torch.save wrote."
        )
    text = reader.read(name) if reader.size(name) < 32 else b""
    if not text.strip().isdigit():
        raise damaged(reader.what, f"its version is {text!r}, not a number")
    version = int(text)
    if version > MAX_VERSION:
        raise RuntimeError(
            f"Attempted to read a PyTorch file with version {version}, but the maximum supported "
            f"version for reading is {MAX_VERSION}. Your Lantern installation may be too old."
        )


def byte_order(reader: RecordReader, default: str | None) -> str:
    """Returns 'little' or 'big': the order of the file's numbers; raises ValueError for others.

    Files from before the order was recorded were written on little-endian machines unless the
    caller says otherwise with `default` ('native' stands for this machine's own).
    """
    if "byteorder" in reader:
        text = reader.read("byteorder") if reader.size("byteorder") < 32 else b"?"
        if text not in (b"little", b"big"):
            raise ValueError(f"Unknown endianness type: {text.decode(errors='replace')}")
        return text.decode()
    return sys.byteorder if default == "native" else default or "little"
