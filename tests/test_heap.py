"""Memory that arrays of one step gave back serves those of the next, unless that is unwanted."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from lantern.backends import heap

PROGRAM = """
import resource
import lantern

def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(50):
        a, b, c = (lantern.ones(100_000) for _ in range(3))
        del a, b, c
    return (resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before) / 50

faults()
print(faults())
"""
needs_glibc = pytest.mark.skipif(not heap.keep_memory(), reason="needs the GNU C library")


def faults(**environment: str) -> float:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    return float(done.stdout)


@needs_glibc
def test_steps_that_free_what_they_took_cost_no_new_pages():
    assert faults() < 5  # of 4 KiB; the arrays of one round have 290


@needs_glibc
@pytest.mark.parametrize("name, value", [("LANTERN_MALLOC", "keep"), ("MALLOC_TOP_PAD_", "0")])
def test_the_environment_can_be_against_it(name, value, monkeypatch):
    monkeypatch.setenv(name, value)
    assert not heap.keep_memory()
