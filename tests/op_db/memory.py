"""Records of `lantern/ops/memory.py`: views of the memory itself, and copies."""

from __future__ import annotations

from .record import ALL, Make, Record, Sample
from .views import laid_out, of


def fill_samples(make: Make):
    yield Sample(make(2, 3), 2)
    yield Sample(make(2, 3), make())
    yield Sample(make(0), 1)
    yield Sample(make(), 2.5)


STRIDED = [((6,), (2, 3), (3, 1)), ((6,), (2, 2), (1, 1), 1), ((2, 3), (3,), (2,)), ((6,), (), ())]
STRIDED += [
    ((6,), (2, 2), (0, 1)),
    ((6,), (0, 2), (1, 1), 20),
    ((6,), (3,), (3,)),
    ((6,), (2,), (1, 1)),
]
STRIDED += [
    ((), (), ()),
    ((0,), (0,), (1,)),
    ((6,), (2,), (-1,)),
    ((6,), (-2,), (1,)),
    ((6,), (2,), (1,), -1),
]


def bits(lt, x, dtype):
    return x.view(getattr(lt, dtype))


RECORDS = [
    Record("as_strided", of(*STRIDED), dtypes=ALL, view=True),
    Record(
        "as_strided",
        laid_out(
            ((2, 3), (2, 2), (1, 2)),
            ((2, 3), (4,), (1,), 2),
            ((), (), ()),
            ((0, 2), (0, 2), (2, 1)),
        ),
        variant="of columns",
        view=True,
    ),
    Record(
        "contiguous",
        laid_out(((2, 3),), ((3,),), ((),), ((0, 2),)),
        dtypes=ALL,
        function=False,
        call=lambda lt, x: x.contiguous(),
    ),
    Record("fill", fill_samples, dtypes=ALL, inplace=True, method=False, nodes=False),
    Record(
        "view",
        of(((2, 4), "int32"), ((2, 3), "int64"), ((0,), "int32"), ((), "int32"), ((), "int8")),
        variant="dtype",
        dtypes=("float32",),
        gradient=False,
        function=False,
        method=False,
        call=bits,
    ),
]
