"""Records of `lantern/ops/slices.py`: views of a part of a tensor."""

from __future__ import annotations

from .record import ALL, Record
from .views import laid_out, of

SPLITS = [((5, 2), 2), ((5, 2), 2, 1), ((4,), [1, 3]), ((4, 2), (4, 0)), ((0, 2), 2), ((0,), 0)]
SPLITS += [((4,), [1, 1]), ((4,), [5, -1]), ((4,), -1), ((4,), 0), ((), 1), ((2, 3), 1, 2)]
DIAGONALS = [((3, 3),), ((2, 3), 1), ((2, 3), -1), ((2, 3), 5), ((2, 3, 4), 0, 0, 2)]
DIAGONALS += [((2, 3, 4), 1, -1, 1), ((0, 3),), ((3,),), ((3, 3), 0, 1, 1), ((),)]
WINDOWS = [((5,), 0, 3, 1), ((5, 2), 0, 2, 2), ((2, 5), -1, 3, 2), ((), 0, 1, 1), ((5,), 0, 0, 1)]
WINDOWS += [((2, 0), 0, 1, 1), ((3,), 0, 4, 1), ((3,), 0, 1, 0), ((3,), 1, 1, 1)]


def windows(lt, x, *args):
    return x.unfold(*args)


RECORDS = [
    Record(
        "select",
        laid_out(
            ((2, 3), 0, 1),
            ((2, 3), -1, -1),
            ((3,), 0, 2),
            ((2, 3), 0, 2),
            ((2, 3), 2, 0),
            ((), 0, 0),
            ((0, 2), 1, 0),
        ),
        dtypes=ALL,
        view=True,
    ),
    Record(
        "narrow",
        laid_out(
            ((5, 2), 0, 1, 3),
            ((5, 2), 1, -1, 1),
            ((5,), 0, 5, 0),
            ((5,), 0, 2, 0),
            ((5,), 0, 1, 5),
            ((5,), 0, 6, 0),
            ((5,), 0, 0, -1),
            ((), 0, 0, 0),
            ((0, 2), 0, 0, 0),
        ),
        dtypes=ALL,
        view=True,
    ),
    Record(
        "narrow_copy",
        of(
            ((5, 2), 0, 1, 3), ((5, 2), 1, 1, 1), ((5,), 0, 1, 5), ((0, 2), 1, 0, 1), ((), 0, 0, 0)
        ),  # PyTorch's gradient for a start below 0 is 0
        nodes=False,
    ),
    Record(
        "unbind",
        of(((2, 3),), ((2, 3), 1), ((3,), -1), ((0, 2),), ((2, 3), 2), ((),)),
        dtypes=ALL,
        view=True,
    ),
    Record("split", of(*SPLITS), dtypes=ALL, view=True),
    Record(
        "split_with_sizes",
        of(((4,), [1, 3]), ((4, 2), (4, 0)), ((4,), [1, 1]), ((0,), [0]), ((), [1])),
        view=True,
    ),
    Record("unsafe_split", of(((5, 2), 2), ((0, 2), 2), ((), 1)), nodes=False),
    Record(
        "chunk",
        of(((5, 2), 2), ((5,), 3), ((2, 5), 7, 1), ((0, 2), 3), ((4,), 0), ((), 1)),
        dtypes=ALL,
        view=True,
    ),
    Record("unsafe_chunk", of(((5, 2), 2), ((2, 5), 7, 1), ((0,), 1), ((), 1)), nodes=False),
    Record(
        "tensor_split",
        of(
            ((5, 2), 2),
            ((5,), (1, 3)),
            ((5,), (3, 1)),
            ((5,), (-2, 9)),
            ((2, 5), 3, 1),
            ((5,), 0),
            ((), 1),
            ((0, 2), 2),
        ),
        view=True,
    ),
    Record(
        "hsplit",
        of(((2, 4), 2), ((4,), 2), ((2, 4), (1, 2)), ((2, 3), 2), ((), 1), ((0, 2), 2)),
        view=True,
    ),
    Record(
        "vsplit",
        of(((4, 2), 2), ((4, 2), (1, 2)), ((3, 2), 2), ((3,), 1), ((), 1), ((0, 2), 2)),
        view=True,
    ),
    Record(
        "dsplit",
        of(
            ((1, 2, 4), 2),
            ((1, 2, 4), (1, 2)),
            ((1, 2, 3), 2),
            ((3, 2), 1),
            ((), 1),
            ((1, 2, 0), 2),
        ),
        view=True,
    ),
    Record("diagonal", laid_out(*DIAGONALS), dtypes=ALL, view=True),
    Record("unfold", of(*WINDOWS), dtypes=ALL, function=False, view=True, call=windows),
    Record("unfold", laid_out(*WINDOWS), variant="of columns", function=False, call=windows),
]
