"""Records of `lantern/ops/einstein.py`."""

from __future__ import annotations

from .record import FLOATS, INTEGERS, Make, Record, Sample


def einsum_samples(make: Make):
    for text, *shapes in (
        ("ij,jk->ik", (2, 3), (3, 4)),
        ("ij,jk", (2, 3), (3, 4)),
        (" i j , jk->k i ", (2, 3), (3, 4)),
        ("ij->ji", (2, 3)),
        ("bA", (2, 3)),
        ("i", (3,)),
        ("", ()),
        ("ii", (3, 3)),
        ("ii->i", (3, 3)),
        ("iij->ij", (2, 2, 3)),
        ("iij,jj->i", (2, 2, 3), (3, 3)),
        ("iii->i", (2, 2, 2)),
        ("ij->", (2, 3)),
        ("ij->i", (2, 3)),
        ("i,j->ij", (2,), (3,)),
        ("i,i", (3,), (3,)),
        ("i,i->i", (3,), (3,)),
        ("ij,i->ij", (2, 3), (2,)),
        ("bij,bjk->bik", (2, 2, 3), (2, 3, 2)),
        ("bhqd,bhkd->bhqk", (2, 1, 2, 3), (2, 1, 4, 3)),
        ("...ij,...jk->...ik", (2, 2, 3), (3, 4)),
        ("...ij,jk", (2, 2, 3), (3, 4)),
        ("...,...->...", (2, 3), (3,)),
        ("i...->...", (2, 3)),
        ("...i->...", (2, 3)),
        ("i...->i", (2, 3)),
        ("...->", (2, 3)),
        ("i->...", (2,)),
        ("ij,jk,kl->il", (2, 3), (3, 4), (4, 2)),
        ("i,ij,j->", (2,), (2, 3), (3,)),
        ("ik,jk,lk->ijl", (2, 3), (2, 3), (2, 3)),
        ("ij,jk->ik", (2, 3), (1, 4)),
        ("ij,jk->ik", (2, 1), (3, 4)),
        ("ij,kl->ik", (2, 3), (2, 3)),
        (",->", (), ()),
        ("ij,jk->ik", (2, 0), (0, 3)),
        ("ij,jk->ik", (0, 2), (2, 3)),
        # what is refused
        ("ij,jk->ik", (2, 3), (4, 5)),
        ("ij,jk->il", (2, 3), (3, 4)),
        ("ij->ii", (2, 3)),
        ("ij,jk", (2, 3)),
        ("ij", (2, 3), (3,)),
        ("ijk", (2, 3)),
        ("...ijk", (2, 3)),
        ("i1", (2, 3)),
        ("i->i->i", (2,)),
        ("ij>i", (2, 3)),
        ("i->?", (2,)),
        ("...i...", (2, 3)),
        ("..ij", (2, 3)),
        ("i.j", (2, 3)),
        ("i...->......", (2, 3)),
        ("i...->i..", (2, 3)),
        ("ii", (2, 3)),
        ("->", (2,)),
        ("...,...", (2,), (3,)),
    ):
        yield Sample(text, *[make(*shape) for shape in shapes])
    yield Sample("ij,jk->ik", [make(2, 3), make(3, 4)])
    yield Sample(make(2, 3), [0, 1], make(3, 4), [1, 2], [0, 2])
    yield Sample(make(2, 3), [0, 1], make(3, 4), [1, 2])
    yield Sample(make(2, 3), [51, 0], [51])
    yield Sample(make(2, 2, 3), [..., 0, 1], [..., 1])
    yield Sample(make(2, 3), [0, 53])
    yield Sample("ij")
    yield Sample(3, make(2))
    yield Sample("i", [1.0])


RECORDS = [
    Record(
        "einsum",
        einsum_samples,
        dtypes=(*FLOATS, *INTEGERS),
        method=False,
        # Sums of products in half types: PyTorch rounds between steps, Lantern between ops.
        tolerance={"float16": (5e-3, 2e-2), "bfloat16": (4e-2, 2e-1)},
    ),
]
