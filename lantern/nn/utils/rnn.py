"""Sequences of different lengths: padded to one tensor, or packed without padding.

A packed batch holds the first steps of all sequences, then the second steps of those that have
one, and so on; `batch_sizes[t]` says how many sequences reach step t. Longer ones come first.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import lantern
from lantern.autograd.mode import active
from lantern.compat.missing import missing
from lantern.tensor import Tensor

__all__ = [
    "PackedSequence",
    "invert_permutation",
    "pack_padded_sequence",
    "pack_sequence",
    "pad_packed_sequence",
    "pad_sequence",
    "unpack_sequence",
    "unpad_sequence",
]


class PackedSequence_(NamedTuple):
    """The fields of a `PackedSequence`."""

    data: Tensor
    batch_sizes: Tensor
    sorted_indices: Tensor | None
    unsorted_indices: Tensor | None


class PackedSequence(PackedSequence_):
    """A batch of sequences without padding, as `pack_padded_sequence` makes it.

    `sorted_indices` says in which order the sequences were packed, `unsorted_indices` how to get
    the order that they had; both are None where they came sorted.
    """

    def __new__(
        cls,
        data: Any,
        batch_sizes: Tensor | None = None,
        sorted_indices: Tensor | None = None,
        unsorted_indices: Tensor | None = None,
    ) -> PackedSequence:
        """Takes the fields, or a pair `(data, batch_sizes)` for the first two."""
        if batch_sizes is None:
            if not isinstance(data, (list, tuple)) or len(data) != 2:
                raise AssertionError("Expected data to be a list or tuple of length 2")
            data, batch_sizes = data
        if unsorted_indices is None:
            unsorted_indices = invert_permutation(sorted_indices)
        return super().__new__(cls, data, batch_sizes, sorted_indices, unsorted_indices)

    def _with(self, data: Tensor) -> PackedSequence:
        return self if data is self.data else type(self)(data, *self[1:])

    def to(self, *args: Any, **kwargs: Any) -> PackedSequence:
        """Returns the sequence with its data converted as `Tensor.to` does it."""
        return self._with(self.data.to(*args, **kwargs))

    def cpu(self) -> PackedSequence:
        """Returns the sequence with its data in the memory of the CPU."""
        return self._with(self.data.cpu())

    def cuda(self, *args: Any, **kwargs: Any) -> PackedSequence:
        """Returns the sequence with its data on the GPU."""
        return self._with(self.data.cuda(*args, **kwargs))

    def double(self) -> PackedSequence:
        """Returns the sequence with data of float64."""
        return self.to(lantern.float64)

    def float(self) -> PackedSequence:
        """Returns the sequence with data of float32."""
        return self.to(lantern.float32)

    def half(self) -> PackedSequence:
        """Returns the sequence with data of float16."""
        return self.to(lantern.float16)

    def long(self) -> PackedSequence:
        """Returns the sequence with data of int64."""
        return self.to(lantern.int64)

    def int(self) -> PackedSequence:
        """Returns the sequence with data of int32."""
        return self.to(lantern.int32)

    def short(self) -> PackedSequence:
        """Returns the sequence with data of int16."""
        return self.to(lantern.int16)

    def char(self) -> PackedSequence:
        """Returns the sequence with data of int8."""
        return self.to(lantern.int8)

    def byte(self) -> PackedSequence:
        """Returns the sequence with data of uint8."""
        return self.to(lantern.uint8)

    def pin_memory(self) -> PackedSequence:
        """Returns the sequence itself: there is no memory to be pinned."""
        return self

    def is_pinned(self) -> bool:
        """Says no."""
        return False

    @property
    def is_cuda(self) -> bool:
        """Whether the data lies on a GPU."""
        return self.data.is_cuda


def invert_permutation(permutation: Tensor | None) -> Tensor | None:
    """Returns the order that undoes an order.

    >>> import lantern
    >>> lantern.nn.utils.rnn.invert_permutation(lantern.tensor([2, 0, 1]))
    tensor([1, 2, 0])
    """
    return None if permutation is None else permutation.argsort()


def refuse_while_recording() -> None:
    """Raises TraceError in a function that is being compiled: shapes follow from the lengths."""
    active.refuse(
        "how long packed sequences are",
        "Give the layer padded sequences and leave the padding out of the loss by a mask.",
    )


def pack_padded_sequence(
    input: Tensor,
    lengths: Tensor | list[int],
    batch_first: bool = False,
    enforce_sorted: bool = True,
) -> PackedSequence:
    """Takes the padding out of `(T, B, *)`, or `(B, T, *)` if `batch_first`.

    The lengths must fall unless `enforce_sorted` is False; then the batch is sorted. Raises
    RuntimeError for lengths that do not fit the batch.

    >>> import lantern
    >>> from lantern.nn.utils.rnn import pack_padded_sequence
    >>> padded = lantern.tensor([[1, 2, 3], [4, 5, 0]])
    >>> packed = pack_padded_sequence(padded, [3, 2], batch_first=True)
    >>> packed.data, packed.batch_sizes
    (tensor([1, 4, 2, 5, 3]), tensor([2, 2, 1]))
    """
    refuse_while_recording()
    found = lengths if isinstance(lengths, Tensor) else lantern.as_tensor(lengths)
    found = found.to(lantern.int64)
    order = None
    if not enforce_sorted:
        order = lantern.argsort(found, descending=True)
        found = found[order]
        input = input.index_select(0 if batch_first else 1, order)
    if batch_first:
        input = input.transpose(0, 1)
    _check_lengths(input, found)
    sizes = found.tolist()
    counts = [sum(size > step for size in sizes) for step in range(sizes[0])]
    batch = input.shape[1]
    rows = [step * batch + i for step, count in enumerate(counts) for i in range(count)]
    flat = input.reshape(input.shape[0] * batch, *input.shape[2:])
    data = flat.index_select(0, lantern.tensor(rows, device=flat.device))
    return PackedSequence(data, lantern.tensor(counts), order)


def _check_lengths(input: Tensor, lengths: Tensor) -> None:
    if lengths.dim() != 1:
        raise RuntimeError(
            f"'lengths' argument should be a 1D CPU int64 tensor, but got {lengths.dim()}D cpu "
            "Long tensor"
        )
    if not input.numel():
        raise RuntimeError("Cannot pack empty tensors.")
    steps, batch = input.shape[:2]
    sizes = lengths.tolist()
    if len(sizes) != batch:
        raise RuntimeError(
            f"Expected `len(lengths)` to be equal to batch_size, but got {len(sizes)} "
            f"(batch_size={batch})"
        )
    if min(sizes) <= 0:
        raise RuntimeError(
            "Length of all samples has to be greater than 0, but found an element in 'lengths' "
            "that is <= 0"
        )
    if any(one < two for one, two in zip(sizes, sizes[1:], strict=False)):
        raise RuntimeError(
            "`lengths` array must be sorted in decreasing order when `enforce_sorted` is True. You "
            "can pass `enforce_sorted=False` to pack_padded_sequence and/or pack_sequence to "
            "sidestep this requirement if you do not need ONNX exportability."
        )
    if sizes[0] > steps:
        raise RuntimeError(
            f"a length of {sizes[0]} was given, but the padded sequences have {steps} steps"
        )


def pad_packed_sequence(
    sequence: PackedSequence,
    batch_first: bool = False,
    padding_value: float = 0.0,
    total_length: int | None = None,
) -> tuple[Tensor, Tensor]:
    """Returns padded sequences `(T, B, *)` and their lengths: undoes `pack_padded_sequence`.

    Raises ValueError for a `total_length` that is too short.

    >>> import lantern
    >>> from lantern.nn.utils.rnn import pack_sequence, pad_packed_sequence
    >>> packed = pack_sequence([lantern.tensor([1, 2, 3]), lantern.tensor([4, 5])])
    >>> pad_packed_sequence(packed, batch_first=True)
    (tensor([[1, 2, 3],
            [4, 5, 0]]), tensor([3, 2]))
    """
    sizes = sequence.batch_sizes.tolist()
    steps = len(sizes)
    if total_length is not None:
        if total_length < steps:
            raise ValueError(
                "Expected total_length to be at least the length of the longest sequence in input, "
                f"but got total_length={total_length} and max sequence length being {steps}"
            )
        steps = total_length
    data, batch = sequence.data, sizes[0]
    padding = data.new_full((1, *data.shape[1:]), padding_value)
    rows, start = [], 0
    for size in [*sizes, *(0 for _ in range(steps - len(sizes)))]:
        rows += [start + i if i < size else data.shape[0] for i in range(batch)]
        start += size
    flat = lantern.cat([data, padding])
    flat = flat.index_select(0, lantern.tensor(rows, device=flat.device))
    padded = flat.reshape(steps, batch, *data.shape[1:])
    lengths = lantern.tensor([sum(size > i for size in sizes) for i in range(batch)])
    if batch_first:
        padded = padded.transpose(0, 1)
    if sequence.unsorted_indices is not None:
        order = sequence.unsorted_indices
        return padded.index_select(0 if batch_first else 1, order), lengths[order]
    return padded, lengths


def pad_sequence(
    sequences: Any,
    batch_first: bool = False,
    padding_value: float = 0.0,
    padding_side: str = "right",
) -> Tensor:
    """Stacks tensors `(L, *)` of different lengths to `(T, B, *)`, or `(B, T, *)`.

    Raises RuntimeError for no sequence, and where the other sizes differ.

    >>> import lantern
    >>> lantern.nn.utils.rnn.pad_sequence([lantern.ones(1), lantern.ones(2)], batch_first=True)
    tensor([[1., 0.],
            [1., 1.]])
    """
    if not isinstance(sequences, Iterable):
        raise RuntimeError(
            "pad_sequence: Expected iterable for input sequences, but got arg of type: "
            f"{type(sequences)}"
        )
    sequences = tuple(sequences)
    if not sequences:
        raise RuntimeError("received an empty list of sequences")
    if padding_side not in ("left", "right"):
        raise RuntimeError(
            f"Expected padding_side to be one of left or right, but got {padding_side}."
        )
    longest = max(each.size(0) for each in sequences)
    padded = []
    for each in sequences:
        missing_steps = longest - each.size(0)
        if missing_steps:
            filling = each.new_full((missing_steps, *sequences[0].shape[1:]), padding_value)
            pair = (each, filling) if padding_side == "right" else (filling, each)
            each = lantern.cat(pair)
        padded.append(each)
    return lantern.stack(padded, 0 if batch_first else 1)


def unpad_sequence(
    padded_sequences: Tensor, lengths: Tensor, batch_first: bool = False
) -> list[Tensor]:
    """Returns the sequences of a padded batch, each in its own length.

    >>> import lantern
    >>> from lantern.nn.utils.rnn import pad_sequence, unpad_sequence
    >>> padded = pad_sequence([lantern.ones(1), lantern.ones(2)])
    >>> unpad_sequence(padded, lantern.tensor([1, 2]))
    [tensor([1.]), tensor([1., 1.])]
    """
    rows = padded_sequences if batch_first else padded_sequences.transpose(0, 1)
    return [row[: int(length)] for row, length in zip(rows, lengths, strict=True)]


def pack_sequence(sequences: list[Tensor], enforce_sorted: bool = True) -> PackedSequence:
    """Packs a list of tensors `(L, *)`, the longest first unless `enforce_sorted` is False.

    >>> import lantern
    >>> from lantern.nn.utils.rnn import pack_sequence
    >>> pack_sequence([lantern.tensor([1, 2, 3]), lantern.tensor([4, 5])]).data
    tensor([1, 4, 2, 5, 3])
    """
    lengths = lantern.tensor([each.size(0) for each in sequences])
    return pack_padded_sequence(pad_sequence(sequences), lengths, enforce_sorted=enforce_sorted)


def unpack_sequence(packed_sequences: PackedSequence) -> list[Tensor]:
    """Returns the sequences of a packed batch, each in its own length and their first order."""
    padded, lengths = pad_packed_sequence(packed_sequences, batch_first=True)
    return unpad_sequence(padded, lengths, batch_first=True)


__getattr__ = missing(__name__)
