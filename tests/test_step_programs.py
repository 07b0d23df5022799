"""Random programs do the same eagerly, interpreted and as native code."""

from __future__ import annotations

import os
import warnings

import pytest
from step_programs import Program, differ, execute

import lantern
from lantern.compiler import TraceError

COUNT = int(os.environ.get("LANTERN_STEPS", "60"))  # programs per run
START = int(os.environ.get("LANTERN_STEPS_START", "0"))
# What a compiled function may refuse, as it does not lie in the random program's power to avoid it.
REFUSED = (
    "memory with a tensor that the function writes",
    "is a view whose history",
    "computed outside",
    "boolean mask",
)


def outcome(seed: int) -> str:
    """Runs one program in all ways; returns "same", "refused" or what differs."""
    try:
        program = Program(seed)
        want = execute(program, lambda function: function)
    except RuntimeError:
        return "eager refuses"
    for backend in ("interpreter", None):
        try:
            got = execute(
                program, lambda f, b=backend: lantern.compile(f, backend=b, keep_grads=True)
            )
        except TraceError as error:
            if any(each in str(error) for each in REFUSED):
                return "refused"
            raise
        found = differ(got, want)
        if found is not None:
            return f"{backend or 'native'}: {found}"
    return "same"


@pytest.mark.parametrize("block", range(4))
def test_random_programs_do_the_same_in_all_ways(block):
    counts: dict[str, int] = {}
    for seed in range(START + block, START + COUNT, 4):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                found = outcome(seed)
        except BaseException as error:
            error.add_note(f"seed {seed}\n{Program(seed).text}")
            raise
        counts[found] = counts.get(found, 0) + 1
        assert found in ("same", "refused", "eager refuses"), f"seed {seed}: {found}"
    assert counts["same"] > COUNT // 8
