"""Records of `lantern/ops/layout.py`: elements in other places."""

from __future__ import annotations

from .record import ALL, Make, Record, Sample
from .views import of


def interleave_samples(make: Make):
    yield Sample(make(2, 3), 2)
    yield Sample(make(2, 3), 2, 1)
    yield Sample(make(2, 3), 0, dim=0)
    yield Sample(make(), 3)
    yield Sample(make(0, 2), 3)
    yield Sample(make(2), -1)
    yield Sample(make(2), 2, 1)


def interleave_by_samples(make: Make):
    yield Sample(make(3, 2), make.index(3, shape=(3,)), 0)
    yield Sample(make(0, 2), make.index(3, shape=()), 1)
    yield Sample(make(2, 3), make.index(3, shape=(6,)))
    yield Sample(make(2, 3), make.index(3, shape=(1,)), dim=1)
    yield Sample(make(2, 3), make.index(3, shape=(2,)), 1)


def part_samples(shape, part, *args):
    def samples(make: Make):
        yield Sample(make(*shape), make(*part), *args)
        yield Sample(make(*shape), make.of("float64", *part), *args)
        yield Sample(make(*shape), make(*part, 2), *args)
        yield Sample(make(), make(0), *args)

    return samples


ROLLS = [
    ((5,), 2),
    ((2, 3), 1),
    ((2, 3), 1, 0),
    ((2, 3), (1, -1), (0, 1)),
    ((2, 3), 7, -1),
    ((), 1),
]
ROLLS += [((0, 2), 1, 0), ((2, 3), (1, 2), 0), ((2, 3), 1, 2), ((3,), 0)]
TRIANGLES = [
    ((3, 3),),
    ((2, 4), 1),
    ((2, 3, 3), -1),
    ((0, 3),),
    ((3,),),
    ((2, 2), {"diagonal": 5}),
    ((),),
]

RECORDS = [
    Record(
        "flip",
        of(
            ((2, 3), (0,)),
            ((2, 3), (0, -1)),
            ((), ()),
            ((3,), [0]),
            ((0, 2), (1,)),
            ((2, 3), (0, 0)),
            ((2, 3), (2,)),
        ),
        dtypes=ALL,
    ),
    Record("fliplr", of(((2, 3),), ((2, 3, 4),), ((3,),), ((0, 2),), ((),))),
    Record("flipud", of(((2, 3),), ((3,),), ((),), ((0,),))),
    Record("roll", of(*ROLLS), dtypes=ALL),
    Record(
        "rot90",
        of(
            ((2, 3),),
            ((2, 3), 2),
            ((2, 3), -1),
            ((2, 3, 4), 1, (1, 2)),
            ((2, 3), 4),
            ((2, 3), 1, (0, 0)),
            ((3,),),
            ((2, 3), 1, (0, 1, 2)),
            ((),),
            ((0, 2),),
        ),
        dtypes=ALL,
    ),
    Record(
        "repeat",
        of(
            ((2, 3), 2, 2),
            ((3,), 2, 1),
            ((), 3),
            ((2,), 0),
            ((2, 0), 1, 2),
            ((2, 3), 2),
            ((2,), -1),
        ),
        dtypes=ALL,
        function=False,
        call=lambda lt, x, *repeats: x.repeat(*repeats),
    ),
    Record(
        "tile",
        of(
            ((2, 3), (2,)),
            ((2, 3), (2, 1, 1)),
            ((), (2,)),
            ((2, 3), ()),
            ((2,), (-1,)),
            ((0, 2), (2,)),
        ),
    ),
    Record("repeat_interleave", interleave_samples, dtypes=ALL),
    Record(
        "repeat_interleave", interleave_by_samples, variant="by a tensor", trace=False, nodes=False
    ),
    Record("tril", of(*TRIANGLES), dtypes=ALL, inplace=True, out=True),
    Record("triu", of(*TRIANGLES), dtypes=ALL, inplace=True, out=True),
    Record(
        "diag",
        of(((3,),), ((3,), 1), ((2, 3),), ((2, 3), -1), ((0,),), ((),), ((2, 2, 2),)),
        dtypes=ALL,
    ),
    Record(
        "diag_embed",
        of(((3,),), ((2, 3), 1), ((2, 3), -1, 0, 2), ((0,),), ((3,), 0, 1, 1), ((),)),
        dtypes=ALL,
    ),
    Record("diagflat", of(((3,),), ((2, 2), 1), ((),), ((0,),)), nodes=False),
    Record(
        "diagonal_copy",
        of(((2, 3),), ((2, 3), 1), ((2, 3, 4), 0, 2, 0), ((0, 2),), ((),)),
        method=False,
        nodes=False,
    ),
    Record("select_scatter", part_samples((2, 3), (2,), 1, -1)),
    Record("slice_scatter", part_samples((4, 3), (2, 3), 0, 0, 3, 2)),
    Record("diagonal_scatter", part_samples((3, 4), (3,), 1)),
    Record(
        "sum_to_size",
        of(
            ((2, 3), (1, 3)),
            ((2, 3), (3,)),
            ((2, 3), (2, 3)),
            ((2, 3), ()),
            ((2, 3), (2, 2)),
            ((0, 2), (1, 2)),
            ((), ()),
        ),
        function=False,
        nodes=False,
        call=lambda lt, x, size: x.sum_to_size(size),
    ),
]
