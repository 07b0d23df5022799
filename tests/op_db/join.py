"""Records of `lantern/ops/join.py`: several tensors as one, or brought to one shape."""

from __future__ import annotations

from .record import ALL, ErrorSample, Make, Record, Sample


def several(lt, name, tensors, **kwargs):
    return getattr(lt, name)(*tensors, **kwargs)


def cat_samples(make: Make):
    yield Sample([make(2, 3), make(1, 3)])
    yield Sample([make(2, 3), make(2, 1), make(2, 0)], dim=-1)
    yield Sample([make(0), make(2, 3)])
    yield Sample([make(0), make(0)], 1)
    yield Sample([make(2, 2), make.of("float32", 1, 2), make.of("int32", 1, 2)])
    yield Sample([make(), make()])
    yield Sample([make(2, 3), make(3)])
    yield Sample([make(2, 3), make(2, 2)])
    yield Sample([make(2, 3), make(2, 3)], 2)


def stack_samples(make: Make):
    yield Sample([make(2, 3), make(2, 3)])
    yield Sample([make(2, 3), make(2, 3)], dim=-1)
    yield Sample([make(), make(), make()])
    yield Sample([make(0, 2)], 1)
    yield Sample([make(2), make.of("float32", 2)])
    yield Sample([make(2), make(3)])
    yield Sample([make(2)], 2)


def rows_samples(make: Make):
    yield Sample([make(3), make(3)])
    yield Sample([make(2, 3), make(2, 3)])
    yield Sample([make(), make()])
    yield Sample([make(2, 3, 1), make(2, 3, 1)])
    yield Sample([make(0)])
    yield Sample([make(2, 3), make(2)])


def mixed_samples(make: Make):
    yield Sample([make(2, 3), make(3), make()])
    yield Sample([make(2, 3)])
    yield Sample([make(0)])
    yield Sample([make(2, 2, 2)])


def grid_samples(make: Make):
    yield Sample([make(2), make(3)], indexing="ij")
    yield Sample([make(2), make(3), make()], indexing="xy")
    yield Sample([make(2)], indexing="xy")
    yield Sample([make(2), make(0)], indexing="ij")
    yield Sample([make(2)], indexing="ab")


def vector_samples(make: Make):
    yield Sample([make(2), make(3)])
    yield Sample([make(2)])
    yield Sample([make(2), make(0)])
    yield Sample([make()])
    yield Sample([make(2, 2)])


def combination_samples(make: Make):
    yield Sample(make(4))
    yield Sample(make(4), 3)
    yield Sample(make(3), 2, True)
    yield Sample(make(3), 1)
    yield Sample(make(2), 5)
    yield Sample(make(2), 0)
    yield Sample(make(0))
    yield Sample(make())
    yield Sample(make(2, 2))
    yield Sample(make(2), -1)


def broadcast_samples(make: Make):
    yield Sample([make(2, 1), make(3)])
    yield Sample([make(2, 3), make(2, 3)])
    yield Sample([make(2, 1), make()])
    yield Sample([make(0, 1), make(3)])
    yield Sample([make(2), make(3)])


EMPTY = [ErrorSample(RuntimeError, "hstack expects a non-empty TensorList", [])]

RECORDS = [
    Record(
        "cat",
        cat_samples,
        dtypes=ALL,
        method=False,
        out=True,
        aliases="concat concatenate",
        errors=[ErrorSample(ValueError, "torch.cat(): expected a non-empty list", [])],
    ),
    Record(
        "stack",
        stack_samples,
        dtypes=ALL,
        method=False,
        out=True,
        errors=[ErrorSample(RuntimeError, "stack expects a non-empty TensorList", [])],
    ),
    Record("hstack", rows_samples, method=False, out=True, errors=EMPTY, nodes=False),
    Record("vstack", rows_samples, method=False, out=True, aliases="row_stack", nodes=False),
    Record("dstack", rows_samples, method=False, out=True, nodes=False),
    Record("column_stack", rows_samples, method=False, out=True, nodes=False),
    *(
        Record(
            f"atleast_{n}d",
            mixed_samples,
            method=False,
            nodes=False,
            call=lambda lt, tensors, n=n: several(lt, f"atleast_{n}d", tensors),
        )
        for n in (1, 2, 3)
    ),
    Record(
        "block_diag",
        mixed_samples,
        method=False,
        nodes=False,
        call=lambda lt, tensors: several(lt, "block_diag", tensors),
    ),
    Record(
        "meshgrid",
        grid_samples,
        dtypes=ALL,
        method=False,
        view=False,
        call=lambda lt, tensors, **kw: several(lt, "meshgrid", tensors, **kw),
    ),
    Record(
        "cartesian_prod",
        vector_samples,
        method=False,
        call=lambda lt, tensors: several(lt, "cartesian_prod", tensors),
        nodes=False,
    ),
    Record("combinations", combination_samples, method=False, nodes=False),
    Record(
        "broadcast_tensors",
        broadcast_samples,
        method=False,
        call=lambda lt, tensors: several(lt, "broadcast_tensors", tensors),
        nodes=False,
    ),
]
