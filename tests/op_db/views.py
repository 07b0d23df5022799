"""Records of `lantern/ops/views.py`: a whole tensor in another shape or order."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from .record import ALL, Make, Record, Sample


def of(*cases: tuple) -> Callable[[Make], Iterator[Sample]]:
    """Samples from shapes and arguments: `of(((2, 3), 0, 1), ...)`; a dict is keyword arguments."""

    def samples(make: Make) -> Iterator[Sample]:
        for shape, *args in cases:
            named = args.pop() if args and isinstance(args[-1], dict) else {}
            yield Sample(make(*shape), *args, **named)

    return samples


def laid_out(*cases: tuple) -> Callable[[Make], Iterator[Sample]]:
    """As `of`, and once more with the memory of each tensor in the opposite order."""
    plain = of(*cases)

    def samples(make: Make) -> Iterator[Sample]:
        yield from plain(make)
        for shape, *args in cases:
            named = args.pop() if args and isinstance(args[-1], dict) else {}
            yield Sample(make(*shape[::-1]).T, *args, **named)

    return samples


RESHAPES = [((2, 3), (6,)), ((2, 3), (3, -1)), ((4,), (2, 2)), ((), (1, 1)), ((1,), ())]
RESHAPES += [((0, 3), (3, 0)), ((2, 1, 3), (6, 1)), ((2, 3), (4, -1)), ((2, 3), (-1, -1))]
RESHAPES += [((2, 3), (-2, 3)), ((0,), (0, -1)), ((2, 3), (2, 3))]
EXPANSIONS = [
    ((3,), (2, 3)),
    ((2, 1), (2, 3)),
    ((2, 1), (-1, 3)),
    ((), (2, 2)),
    ((1, 3), (1, 1, 3)),
]
EXPANSIONS += [
    ((2, 1), (0, 2, 1)),
    ((0, 1), (0, 3)),
    ((2, 3), (2, 4)),
    ((2, 3), (3,)),
    ((3,), (-1, 3)),
]
EXCHANGES = [((2, 3), 0, 1), ((2, 3, 4), -1, 0), ((2, 0), 1, 0), ((), 0, -1), ((2, 3), 0, 2)]
UNSQUEEZED = [((2, 3), 0), ((2, 3), 1), ((2, 3), -1), ((), 0), ((0,), 1), ((1, 3), 0), ((2, 3), 3)]

RECORDS = [
    Record(
        "view",
        laid_out(*RESHAPES),
        dtypes=ALL,
        function=False,
        view=True,
        call=lambda lt, x, shape: x.view(shape),
    ),
    Record("reshape", of(*RESHAPES), dtypes=ALL, view=True),
    Record("reshape", laid_out(*RESHAPES[:7]), variant="copies"),
    Record(
        "flatten",
        of(
            ((2, 3, 4),),
            ((2, 3, 4), 1),
            ((2, 3, 4), 0, 1),
            ((3,),),
            ((),),
            ((2, 0, 3), 1),
            ((2, 3), 1, 0),
            ((2, 3), {"start_dim": 0, "end_dim": 5}),
        ),
    ),
    Record("ravel", of(((2, 3),), ((),), ((0, 2),)), dtypes=ALL, view=True),
    Record(
        "unflatten",
        of(
            ((2, 6), 1, (2, 3)),
            ((6,), -1, (-1, 2)),
            ((0,), 0, (0, 2)),
            ((2, 3), 1, (2, 2)),
            ((2, 3), 0, ()),
            ((2, 3), 5, (1,)),
            ((), 0, (1,)),
        ),
        view=True,
    ),
    Record(
        "permute",
        laid_out(
            ((2, 3, 4), (2, 0, 1)),
            ((2, 3), (-1, 0)),
            ((), ()),
            ((3,), (0,)),
            ((2, 0), (1, 0)),
            ((2, 3), (0,)),
            ((2, 3), (0, 0)),
            ((2, 3), (0, 2)),
        ),
        dtypes=ALL,
        view=True,
    ),
    Record("transpose", laid_out(*EXCHANGES), dtypes=ALL, view=True),
    Record("swapaxes", of(*EXCHANGES), view=True),
    Record("swapdims", of(*EXCHANGES), view=True),
    Record(
        "t", laid_out(((2, 3),), ((3,),), ((),), ((0, 2),), ((2, 3, 4),)), dtypes=ALL, view=True
    ),
    Record("adjoint", of(((2, 3),), ((2, 3, 4),), ((0, 2),), ((),), ((3,),))),
    Record(
        "movedim",
        of(
            ((2, 3, 4), 0, 2),
            ((2, 3, 4), (0, 1), (2, 0)),
            ((2, 3), -1, 0),
            ((2, 3), (0, 0), (0, 1)),
            ((2, 3), (0,), (0, 1)),
            ((2, 3), 0, 5),
            ((), 0, 0),
            ((0, 2), 0, 1),
        ),
        view=True,
        aliases="moveaxis",
    ),
    Record(
        "expand",
        of(*EXPANSIONS),
        dtypes=ALL,
        function=False,
        view=True,
        call=lambda lt, x, size: x.expand(size),
    ),
    Record("broadcast_to", of(*EXPANSIONS), view=True),
    Record(
        "squeeze",
        laid_out(
            ((1, 3, 1),),
            ((1, 3, 1), 0),
            ((1, 3, 1), 1),
            ((1, 3, 1), (0, 2)),
            ((1, 3, 1), ()),
            ((),),
            ((), 0),
            ((1, 0),),
            ((2, 1), 5),
            ((1, 1), (0, 0)),
        ),
        dtypes=ALL,
        view=True,
    ),
    Record("unsqueeze", of(*UNSQUEEZED), dtypes=ALL, view=True),
    # What is recorded gives a trailing dimension of size 1 another stride.
    Record("unsqueeze", laid_out(*UNSQUEEZED), variant="of columns"),
]
