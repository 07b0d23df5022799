"""What every test and every doctest starts from."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from collections.abc import Iterator

import hypothesis
import pytest

import lantern

collect_ignore = ["tests/programs"]  # scripts that import torch, for `lantern run`
if importlib.util.find_spec("cupy") is None:
    collect_ignore.append("lantern/backends/cupy")  # doctests import what they look through

# A loaded machine is slow, which says nothing about the property that a test holds.
hypothesis.settings.register_profile("lantern", deadline=None)
hypothesis.settings.load_profile("lantern")


def _borrow_torch() -> None:
    """Makes the PyTorch of the Python outside .venv importable, after everything in .venv."""
    outside = os.environ.get("LANTERN_OUTSIDE_PYTHON")
    if not outside or importlib.util.find_spec("torch") is not None:
        return
    question = (
        "import sys, importlib.util, os; spec = importlib.util.find_spec('torch'); "
        "print(*sys.version_info[:2]); print(spec.origin if spec else '')"
    )
    answer = subprocess.run([outside, "-c", question], capture_output=True, text=True)
    version, origin = (answer.stdout.splitlines() + ["", ""])[:2]
    if origin and version == "{} {}".format(*sys.version_info):
        sys.path.append(os.path.dirname(os.path.dirname(origin)))


_borrow_torch()


@pytest.fixture(autouse=True)
def _doctest_names(doctest_namespace: dict[str, object]) -> None:
    """Doctests speak of `lantern` without importing it."""
    doctest_namespace["lantern"] = lantern


@pytest.fixture(scope="module")
def private_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Compiled code goes to a folder of the module's own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LANTERN_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield
