"""How a loader and its workers talk: messages, whose arrays lie in memory that both see.

A message is an object pickled with its arrays beside it (pickle's protocol 5). A long one is
written into a segment of memory that has no name, and only the segment's file descriptor goes
through the channel: nothing is left behind when either side is killed, and the memory goes back
to the system, once, when the last array in it is gone. Where the system cannot pass descriptors
(Windows), everything goes through a pipe.
"""

from __future__ import annotations

import io
import mmap
import multiprocessing.connection
import os
import pickle
import queue
import select
import socket
import struct
import tempfile
import threading
import weakref
from collections import deque
from collections.abc import Iterable, Sequence
from typing import Any

from lantern.tensor import Tensor

SHORT = 1500  # bytes that a socket takes without waiting, wherever `select` calls it writable
ALIGNMENT = 64
LENGTH = struct.Struct("<I")
# Python keeps a descriptor open for each mapped segment. Beyond so many, contents are copied into
# memory of their own, so that a program may keep as many batches as it likes.
MOST_MAPPED = 200

PASSES_DESCRIPTORS = hasattr(socket, "send_fds") and hasattr(socket, "AF_UNIX")

_mapped = 0
_ours: weakref.WeakSet = weakref.WeakSet()


class Closed(Exception):
    """The other side is gone, or has closed the channel."""


def channel_pair() -> tuple[Any, Any]:
    """The loader's end and the worker's end of a new channel."""
    kind: Any = SocketChannel if PASSES_DESCRIPTORS else PipeChannel
    ours, theirs = socket.socketpair() if PASSES_DESCRIPTORS else multiprocessing.connection.Pipe()
    ends = kind(ours), kind(theirs)
    _ours.add(ends[0])
    return ends


def wait_for(channels: Sequence[Any], others: Sequence[Any], timeout: float | None) -> list[Any]:
    """The channels that have a message or have ended, and the `others` that are ready."""
    early = [channel for channel in channels if channel.early]
    return early or multiprocessing.connection.wait([*channels, *others], timeout)


class SocketChannel:
    """One end of a channel over a socket, which passes descriptors of segments along."""

    def __init__(self, end: socket.socket) -> None:
        self._end = end
        self.early: deque = deque()  # messages that came while one was being sent

    def fileno(self) -> int:
        """The descriptor to wait for."""
        return self._end.fileno()

    def send(self, message: Any) -> None:
        """Send a message, taking in what the other side sends meanwhile: neither waits for ever.

        Raises Closed where nobody can read it, and whatever pickling raises.
        """
        parts = _encode(message)
        size = sum(len(part) for part in parts)
        segment = _write_segment(parts) if size > SHORT else None
        frame = LENGTH.pack(0) if segment else LENGTH.pack(size) + b"".join(parts)
        try:
            while not self._has_room():
                self.early.append(self._read())
            socket.send_fds(self._end, [frame], [segment.fileno()] if segment else [])
        except (BrokenPipeError, ConnectionResetError) as error:
            raise Closed from error
        finally:
            if segment:
                segment.close()

    def _has_room(self) -> bool:
        """Wait for something to read or for room to write; True where there is nothing to read."""
        place = select.poll()
        place.register(self._end, select.POLLIN | select.POLLOUT)
        return not place.poll()[0][1] & select.POLLIN

    def receive(self) -> Any:
        """The next message. Raises Closed at the end of the channel."""
        return self.early.popleft() if self.early else self._read()

    def _read(self) -> Any:
        try:
            # The descriptor comes with the first byte of its message.
            head, descriptors, _, _ = socket.recv_fds(self._end, LENGTH.size, 1)
            head += self._exactly(LENGTH.size - len(head))
            if descriptors:
                return _decode(_map_segment(descriptors[0]))
            return _decode(bytearray(self._exactly(LENGTH.unpack(head)[0])))
        except ConnectionResetError as error:
            raise Closed from error

    def _exactly(self, count: int) -> bytes:
        parts = []
        while count:
            part = self._end.recv(count)
            if not part:
                raise Closed
            parts.append(part)
            count -= len(part)
        return b"".join(parts)

    def close(self) -> None:
        """Close this end: the other side reads the end of the channel."""
        self._end.close()


class PipeChannel:
    """One end of a channel over a pipe, for systems that cannot pass descriptors.

    A thread of its own writes, so that this side goes on reading while the pipe is full.
    """

    early = ()

    def __init__(self, end: Any) -> None:
        self._end = end
        self._outbox: queue.SimpleQueue | None = None

    def __reduce__(self) -> tuple[Any, ...]:
        return PipeChannel, (self._end,)

    def fileno(self) -> int:
        """The descriptor, on Windows the handle, to wait for."""
        return self._end.fileno()

    def send(self, message: Any) -> None:
        """Send a message. Raises whatever pickling raises."""
        content = b"".join(_encode(message))
        if self._outbox is None:
            self._outbox = queue.SimpleQueue()
            threading.Thread(target=self._write, args=(self._outbox,), daemon=True).start()
        self._outbox.put(content)

    def _write(self, outbox: queue.SimpleQueue) -> None:
        while (content := outbox.get()) is not None:
            try:
                self._end.send_bytes(content)
            except OSError:  # nobody reads any more, which the reading side here will see as well
                return

    def receive(self) -> Any:
        """The next message. Raises Closed at the end of the channel."""
        try:
            return _decode(bytearray(self._end.recv_bytes()))
        except (EOFError, OSError) as error:
            raise Closed from error

    def close(self) -> None:
        """Close this end: the other side reads the end of the channel."""
        if self._outbox is not None:
            self._outbox.put(None)
        self._end.close()


class _Pickler(pickle.Pickler):
    def reducer_override(self, value: Any) -> Any:
        # Of a view into larger memory, only what it shows is sent.
        if type(value) is Tensor and value.untyped_storage().nbytes() > value.nbytes:
            return value.clone().__reduce_ex__(5)
        return NotImplemented


def _encode(message: Any) -> list[Any]:
    """The content of a message in parts: a table of sizes, then pickle and arrays, aligned."""
    buffers: list[pickle.PickleBuffer] = []
    stream = io.BytesIO()
    _Pickler(stream, protocol=5, buffer_callback=buffers.append).dump(message)
    blocks: list[Any] = [stream.getbuffer(), *(buffer.raw() for buffer in buffers)]
    table = struct.pack(f"<{len(blocks) + 1}Q", len(blocks), *(len(block) for block in blocks))
    parts: list[Any] = []
    for block in (table, *blocks):
        parts += [block, bytes(-len(block) % ALIGNMENT)]
    return parts


def _decode(content: Any) -> Any:
    """The message in `content`, whose arrays stay where they are."""
    view = memoryview(content)
    (count,) = struct.unpack_from("<Q", view)
    sizes = struct.unpack_from(f"<{count}Q", view, 8)
    place, blocks = 8 * (count + 1), []
    for size in sizes:
        place += -place % ALIGNMENT
        blocks.append(view[place : place + size])
        place += size
    return pickle.loads(blocks[0], buffers=blocks[1:])


def _write_segment(parts: Iterable[Any]) -> Any:
    """An open file without a name, in memory where the system has such files, with `parts`."""
    if hasattr(os, "memfd_create"):
        segment = open(os.memfd_create("lantern"), "w+b", buffering=0)
    else:
        segment = tempfile.TemporaryFile(buffering=0)
    try:
        for part in parts:
            view = memoryview(part)
            while len(view):
                view = view[segment.write(view) :]
    except BaseException:
        segment.close()
        raise
    return segment


def _map_segment(descriptor: int) -> Any:
    """The memory of a segment, kept as long as anything refers to it."""
    global _mapped
    try:
        flags = mmap.MAP_SHARED | getattr(mmap, "MAP_POPULATE", 0)
        segment = mmap.mmap(descriptor, 0, flags=flags)
    finally:
        os.close(descriptor)
    if _mapped >= MOST_MAPPED:
        with segment:
            return bytearray(segment)
    _mapped += 1
    weakref.finalize(segment, _unmapped).atexit = False
    return segment


def _unmapped() -> None:
    global _mapped
    _mapped -= 1


def _close_in_child() -> None:
    # A process that was forked while a loader had workers would otherwise keep their channels
    # open, and they would not see the loader go.
    for channel in list(_ours):
        channel.close()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_close_in_child)
