"""Records of `lantern/ops/index.py`: square brackets, and slices named by an index tensor."""

from __future__ import annotations

from .record import ALL, Make, Record, Sample


def take_at(lt, x, *places):
    return x[tuple(slice(*p) if isinstance(p, tuple) else p for p in places)]


def put_at(lt, x, value, *places):
    x = x.clone()
    x[tuple(slice(*p) if isinstance(p, tuple) else p for p in places)] = value
    return x


def put_places(lt, x, indices, values, accumulate=False):
    return x.index_put(indices, values, accumulate)


ALL_OF = (None, None)


def view_samples(make: Make):
    yield Sample(make(2, 3), 1)
    yield Sample(make(2, 3), -1, 0)
    yield Sample(make(4, 3), (1, 3))
    yield Sample(make(4, 3), (None, None, 2), (-2, None))
    yield Sample(make(2, 3), None, ALL_OF, None, 1)
    yield Sample(make(2, 3, 4), ..., 2)
    yield Sample(make(), ...)
    yield Sample(make(0, 2), (0, 5), 1)
    yield Sample(make(2, 3), 2)
    yield Sample(make(2, 3), 0, 0, 0)
    yield Sample(make(3), (None, None, -1))


def index_samples(make: Make):
    yield Sample(make(4, 3), make.index(4, shape=(5,)))
    yield Sample(make(4, 3), make.index(4, shape=(2, 2)), make.index(3, shape=(2,)))
    yield Sample(make(4, 3), ALL_OF, make.index(3, shape=(2,)))
    yield Sample(make(2, 3, 4), make.index(2, shape=(2,)), ALL_OF, make.index(4, shape=(2,)))
    yield Sample(make(2, 3, 4), 1, ALL_OF, make.index(4, shape=(2,)))
    yield Sample(make(2, 3, 4), make.index(2, shape=(2,)), None, make.index(3, shape=(2,)))
    yield Sample(make(2, 3), -make.index(2, shape=(3,)))
    yield Sample(make(2, 3), make.index(1, shape=(0,)))
    yield Sample(make(2, 3), make.index(2, shape=(2,), dtype="int32"), True)
    yield Sample(make(), None, make.index(1, shape=(2,)))
    yield Sample(make(2), make.index(1, shape=(2,)) + 2)
    yield Sample(make(2, 3), make.index(1, shape=(2,)), make.index(1, shape=(3,)))


def mask_samples(make: Make):
    yield Sample(make(2, 3), make.mask(2, 3))
    yield Sample(make(2, 3), make.mask(2))
    yield Sample(make(2, 3), ALL_OF, make.mask(3))
    yield Sample(make(2, 3, 4), make.mask(2), ALL_OF, make.mask(4)[:2])
    yield Sample(make(), make.mask())
    yield Sample(make(0), make.mask(0))
    yield Sample(make(2, 3), make.mask(3))


def put_samples(make: Make):
    yield Sample(make(4, 3), make(3), 1)
    yield Sample(make(4, 3), make(2, 1), (1, 3))
    yield Sample(make(4, 3), make(), (None, None, 2), 0)
    yield Sample(make(4, 3), make(2, 3), make.index(2, shape=(2,)) * 2 + [0, 1])
    yield Sample(make(4, 3), make(2), ALL_OF, make.rng.permutation(3)[:2])
    yield Sample(make(4, 3), make(1, 1, 3), 0)
    yield Sample(make(), make(), ...)
    yield Sample(make(0, 2), make(2), (0, 1))
    yield Sample(make(4, 3), make(2), 1)
    yield Sample(make(4, 3), make(2, 3), 1)


def number_samples(make: Make):
    yield Sample(make(4, 3), 2, 1)
    yield Sample(make(4, 3), 1.5, ALL_OF, (0, 2))
    yield Sample(make(4, 3), True, make.index(4, shape=(2,)))
    yield Sample(make(4, 3), 1, make.mask(4, 3))
    yield Sample(make(), 3, ...)
    yield Sample(make(0, 2), 3, (0, 1))
    yield Sample(make(4, 3), 1, 4)


def places_samples(make: Make):
    yield Sample(make(4, 3), [make.index(2, shape=(2,)) * 2], make(2, 3), True)
    yield Sample(make(4, 3), [make.index(4, shape=(5,)), make.index(3, shape=(5,))], make(5), True)
    yield Sample(make(4, 3), [make.index(4, shape=(5,))], make(), True)
    yield Sample(make(4), [make.index(1, shape=(1,))], make(1))
    yield Sample(make(0), [make.index(1, shape=(0,))], make(0))
    yield Sample(make(4, 3), [make.index(4, shape=(2,))], make.of("float64", 2, 3), True)
    yield Sample(make(4, 3), [make.index(4, shape=(2,))], make(4, 3), True)


def select_samples(make: Make):
    yield Sample(make(4, 3), 0, make.index(4, shape=(5,)))
    yield Sample(make(4, 3), -1, make.index(3, shape=(2,), dtype="int32"))
    yield Sample(make(4, 3), 0, make.index(4, shape=()))
    yield Sample(make(4, 3), 1, make.index(1, shape=(0,)))
    yield Sample(make(), 0, make.index(1, shape=(1,)))
    yield Sample(make(), 0, make.index(1, shape=(2,)))
    yield Sample(make(4, 3), 0, make.index(1, shape=(2,)) + 4)
    yield Sample(make(4, 3), 0, make.index(1, shape=(2,)) - 1)
    yield Sample(make(4, 3), 0, make.index(1, shape=(1, 2)))
    yield Sample(make(4, 3), 2, make.index(1, shape=(2,)))


def add_samples(make: Make):
    yield Sample(make(4, 3), 0, make.index(4, shape=(5,)), make(5, 3))
    yield Sample(make(4, 3), -1, make.index(3, shape=(2,)), make(4, 2), alpha=2)
    yield Sample(make(4, 0), 0, make.index(4, shape=(2,)), make(2, 0))
    yield Sample(make(), 0, make.index(1, shape=()), make())
    yield Sample(make(4, 3), 0, make.index(1, shape=(2,)) + 4, make(2, 3))
    yield Sample(make(4, 3), 0, make.index(1, shape=(2,)), make(3, 3))
    yield Sample(make(4, 3), 0, make.index(1, shape=(2,)), make(2, 2))
    yield Sample(make(4, 3), 0, make.index(1, shape=(2,)), make.of("float64", 2, 3))


def copy_samples(make: Make):
    yield Sample(make(4, 3), 0, make.rng.permutation(4)[:2], make(2, 3))
    yield Sample(make(4, 3), -1, make.rng.permutation(3)[:2], make(4, 2))
    yield Sample(make(4, 0), 0, make.rng.permutation(4)[:2], make(2, 0))
    yield Sample(make(), 0, make.index(1, shape=()), make())
    yield Sample(make(4, 3), 0, make.index(1, shape=(2,)) + 4, make(2, 3))
    yield Sample(make(4, 3), 0, make.index(1, shape=(2,)), make(3, 3))
    yield Sample(make(4, 3), 0, make.index(1, shape=(2,)), make(2, 2))


def fill_samples(make: Make):
    yield Sample(make(4, 3), 0, make.index(4, shape=(2,)), 2)
    yield Sample(make(4, 3), 1, make.index(3, shape=(2,)) - 3, make())
    yield Sample(make(0, 3), 1, make.index(3, shape=()), 1)
    yield Sample(make(), 0, make.index(1, shape=(1,)), 1)
    yield Sample(make(4, 3), 0, make.index(1, shape=(2,)) + 4, 1)
    yield Sample(make(4, 3), 0, make.index(4, shape=(2,)), make(1))


def row_samples(make: Make):
    yield Sample(make(2, 3), make.index(6, shape=(4,)))
    yield Sample(make(2, 3), make.index(6, shape=(2, 2)) - 6)
    yield Sample(make(), make.index(1, shape=(2,)))
    yield Sample(make(2, 3), make.index(6, shape=(0,)))
    yield Sample(make(2, 3), make.index(1, shape=(1,)) + 6)
    yield Sample(make(0), make.index(1, shape=(1,)))


def put_row_samples(make: Make):
    yield Sample(make(2, 3), make.rng.permutation(6)[:2], make(2))
    yield Sample(make(2, 3), make.index(6, shape=(2, 2)), make(4), True)
    yield Sample(make(), make.index(1, shape=(1,)), make(1))
    yield Sample(make(2, 3), make.index(1, shape=(0,)), make(0))
    yield Sample(make(2, 3), make.index(1, shape=(1,)) + 6, make(1))
    yield Sample(make(2, 3), make.index(1, shape=(1,)), make(2))


def place_samples(make: Make):
    yield Sample(make.index(24, shape=(5,)), (2, 3, 4))
    yield Sample(make.index(6, shape=()), (2, 3))
    yield Sample(make.index(1, shape=(0,)), 4)


# PyTorch rounds a sum in a half type after each addition.
COARSE = {"float16": (2e-3, 4e-3), "bfloat16": (2e-2, 3e-2)}
BRACKETS = {"method": False, "function": False}
RECORDS = [
    Record(
        "getitem",
        view_samples,
        variant="views",
        dtypes=ALL,
        call=take_at,
        view=True,
        nodes=False,
        **BRACKETS,
    ),
    Record("getitem", index_samples, dtypes=ALL, call=take_at, **BRACKETS),
    Record(
        "getitem",
        mask_samples,
        variant="masks",
        dtypes=ALL,
        call=take_at,
        trace=False,
        nodes=False,
        **BRACKETS,
    ),
    Record("setitem", put_samples, dtypes=ALL, call=put_at, nodes=False, **BRACKETS),
    Record(
        "setitem",
        number_samples,
        variant="numbers",
        dtypes=ALL,
        call=put_at,
        nodes=False,
        **BRACKETS,
    ),
    Record(
        "index_put",
        places_samples,
        dtypes=ALL,
        call=put_places,
        method=False,
        function=False,
        tolerance=COARSE,
    ),
    Record("index_select", select_samples, dtypes=ALL, out=True),
    Record("index_add", add_samples, dtypes=ALL, inplace=True, tolerance=COARSE),
    Record("index_copy", copy_samples, dtypes=ALL, inplace=True),
    Record("index_fill", fill_samples, dtypes=ALL, inplace=True),
    Record("take", row_samples, dtypes=ALL, out=True),
    Record(
        "put",
        put_row_samples,
        dtypes=ALL,
        function=False,
        inplace=True,
        call=lambda lt, x, *args: x.put(*args),
    ),
    Record(
        "unravel_index", place_samples, dtypes=("int64",), method=False, gradient=False, nodes=False
    ),
]
