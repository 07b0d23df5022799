"""Write tests/goldens/transforms.npz and vision.json: what torchvision gives and says.

Run with torchvision installed: python scripts/make_vision_goldens.py
"""

from __future__ import annotations

import json
import sys

import numpy as np
import torch
import torchvision
from golden_file import GOLDENS, TESTS, write, write_arrays
from torchvision import models, transforms
from torchvision.transforms import functional, v2

sys.path.insert(0, str(TESTS))

import vision_facts as facts
from vision_cases import run


def write_results() -> None:
    """Run every case; equal arrays are stored once, all in one row of bytes."""
    index, arrays, places = [], [], {}
    for key, result in run(torch, transforms, functional):
        for part, array in result().items():
            content = (array.dtype.str, array.shape, array.tobytes())
            if content not in places:
                places[content] = len(arrays)
                arrays.append(content)
            index.append(f"{key}\t{part}\t{places[content]}")
    shapes = "\n".join(f"{dtype}\t{','.join(map(str, shape))}" for dtype, shape, _ in arrays)
    write_arrays(
        GOLDENS / "transforms.npz",
        {
            "index": np.frombuffer("\n".join(index).encode(), np.uint8),
            "shapes": np.frombuffer(shapes.encode(), np.uint8),
            "values": np.frombuffer(b"".join(content for *_, content in arrays), np.uint8),
        },
    )


def write_facts() -> None:
    """Ask for names, parameters, texts, errors and networks."""
    names = {name: facts.public_names(torchvision, name) for name in facts.MODULES}
    asked = {
        f"{name}.{each}": facts.parameters(getattr(facts.module_of(torchvision, name), each))
        for name in ("datasets", "datasets.folder", "transforms", "transforms.functional", "utils")
        for each in names[name]
    }
    calls = facts.wrong_calls(transforms, functional, torch)
    networks = [name for name in models.list_models(models) if hasattr(models, name)]
    patterns = ("alexnet", "vgg", "resn", "wide_resnet", "mobilenet_v2", "squeeze", "dense", "goog")
    networks = [name for name in networks if name.startswith(patterns)]
    small = ("resnet18", "mobilenet_v2", "squeezenet1_1", "googlenet")
    answers = {
        "names": names,
        "parameters": asked,
        "texts": facts.texts(transforms, torch),
        "errors": {key: facts.raised(call) for key, call in calls.items()},
        "structure": {
            name: facts.quietly(lambda: facts.structure(getattr(models, name)()))  # noqa: B023
            for name in networks
        },
        "numbers": {
            name: facts.quietly(lambda: facts.numbers(torch, getattr(models, name)))  # noqa: B023
            for name in small
        },
    }
    answers["second version"] = facts.second_version(torch, v2, functional, run)
    answers["mixtures"] = facts.mixtures(torch, v2)
    write(GOLDENS / "vision.json", json.dumps(answers, indent=0))


if __name__ == "__main__":
    write_results()
    write_facts()
