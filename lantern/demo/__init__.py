"""`lantern demo`: a classifier of handwritten digits, trained, saved, loaded again and drawn."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence


def main(arguments: Sequence[str]) -> int:
    """Runs `lantern demo ARGUMENTS`; returns 0, or 1 when data or checkpoint are not right."""
    parser = argparse.ArgumentParser(prog="lantern demo", description=__doc__)
    parser.add_argument(
        "which",
        nargs="?",
        choices=("digits", "mnist"),
        default="digits",
        help="1,797 small digits that come with Lantern (seconds), or MNIST's 70,000 (a minute)",
    )
    parser.add_argument(
        "--data",
        metavar="DIR",
        default="data",
        help="the folder in which MNIST/raw holds MNIST's four files (default: data)",
    )
    parser.add_argument("--epochs", type=_positive, metavar="N", help="how often to see all images")
    chosen = parser.parse_args(arguments)
    from lantern.demo import tasks
    from lantern.demo.training import demonstrate

    try:
        task = tasks.mnist(chosen.data) if chosen.which == "mnist" else tasks.digits()
        demonstrate(task, chosen.epochs or task.epochs)
    except tasks.DemoError as error:
        print(f"lantern demo: {error}", file=sys.stderr)
        return 1
    return 0


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is not a number of epochs")
    return number
