"""The command `lantern`: `run` a PyTorch script, ask the `doctor`, see a `demo` train."""

from __future__ import annotations

import sys
from collections.abc import Sequence

_USAGE = """\
usage: lantern run [-m MODULE | -c CODE | SCRIPT] [ARGUMENT ...]
       lantern doctor
       lantern demo [digits | mnist] [--data DIR] [--epochs N]

  run     runs an unmodified PyTorch script: in it, `import torch` and `import torchvision`
          give Lantern
  doctor  says what Lantern found on this machine, and what is wrong with it
  demo    trains a classifier of handwritten digits and draws lantern-demo.png

`lantern demo --help` says more about the demo; `lantern --version` prints the version.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command line, `sys.argv[1:]` by default, and returns its exit code."""
    command, *rest = list(sys.argv[1:] if arguments is None else arguments) or ["--help"]
    if command == "run":
        from lantern.cli.run import main as run

        return run(rest)
    if command == "doctor":
        from lantern.cli.doctor import main as doctor

        return doctor(rest)
    if command == "demo":
        from lantern.demo import main as demo

        return demo(rest)
    if command in ("-h", "--help", "help"):
        print(_USAGE, end="")
        return 0
    if command in ("-V", "--version"):
        import lantern

        print(f"lantern {lantern.__version__}")
        return 0
    print(f"lantern: there is no command '{command}'\n\n{_USAGE}", end="", file=sys.stderr)
    return 2
