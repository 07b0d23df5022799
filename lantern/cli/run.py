"""`lantern run`: runs a PyTorch script as `python script.py` would, with Lantern as its `torch`."""

from __future__ import annotations

import importlib.machinery
import importlib.util
import io
import os
import sys
from collections.abc import Sequence
from types import CodeType, ModuleType, TracebackType
from typing import NoReturn

import lantern
from lantern.compat import imports
from lantern.compat.missing import torch_name

_USAGE = "usage: lantern run [-m MODULE | -c CODE | SCRIPT | -] [ARGUMENT ...]"


def main(arguments: Sequence[str]) -> int:
    """Runs the program that `arguments` name; what it raises ends the process as Python ends it.

    Returns 0 when the program ran to its end, 2 when `arguments` name no program.
    """
    if not arguments or arguments[0] in ("-h", "--help"):
        print(_USAGE, file=sys.stdout if arguments else sys.stderr)
        return 0 if arguments else 2
    what, *rest = arguments
    if what not in ("-m", "-c") and what.startswith("-") and what != "-":
        print(f"lantern run: there is no option '{what}'\n{_USAGE}", file=sys.stderr)
        return 2
    if what in ("-m", "-c") and not rest:
        print(f"lantern run: option {what} needs an argument\n{_USAGE}", file=sys.stderr)
        return 2
    imports.install()
    _print_types_as_pytorch()
    _let_all_characters_through()
    sys.modules["__main__"] = module = ModuleType("__main__")
    try:
        if what == "-m":
            code = _load_module(module, rest[0], rest[1:])
        elif what == "-c":
            code = _load_text(rest[0], ["-c", *rest[1:]], "<string>")
        elif what == "-":
            code = _load_text(sys.stdin.read(), arguments, "<stdin>")
        else:
            code = _load_script(module, what, rest)
        _execute(code, module)
    except SystemExit:
        raise
    except BaseException as error:
        # Raised on, so that Python itself ends the process: exit code, Ctrl-C, `python -i`.
        _explain(error)
        _hide_runner()
        raise
    return 0


def _print_types_as_pytorch() -> None:
    """Lets `print(type(x))` show <class 'torch.Tensor'>, as texts about PyTorch do."""
    lantern.Tensor.__module__ = "torch"
    lantern.nn.Parameter.__module__ = "torch.nn.parameter"


def _let_all_characters_through() -> None:
    """Keeps a console that is not UTF-8 from ending a program at a character that it lacks."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and stream.errors == "strict":
            stream.reconfigure(errors="backslashreplace")


def _load_script(module: ModuleType, path: str, rest: Sequence[str]) -> CodeType:
    try:
        with io.open_code(os.path.abspath(path)) as file:
            source = file.read()
    except OSError as error:
        _refuse(f"can't open file '{os.path.abspath(path)}': {error.strerror}", 2)
    module.__file__ = os.path.abspath(path)
    module.__dict__["__cached__"] = None
    module.__loader__ = importlib.machinery.SourceFileLoader("__main__", module.__file__)
    _set_arguments(path, rest, os.path.dirname(os.path.realpath(path)))
    return _compile(source, module.__file__)


def _load_text(text: str, argv: Sequence[str], name: str) -> CodeType:
    _set_arguments(argv[0], argv[1:], "")
    return _compile(text, name)


def _load_module(module: ModuleType, name: str, rest: Sequence[str]) -> CodeType:
    _set_arguments("-m", rest, os.getcwd())
    spec = _find(name)
    if spec is not None and spec.submodule_search_locations is not None:
        name += ".__main__"  # a package runs through its file of that name
        spec = _find(name)
    get_code = getattr(spec and spec.loader, "get_code", None)
    code = get_code(spec.name) if spec is not None and get_code is not None else None
    if spec is None or code is None:
        _refuse(f"there is no module '{name}' that can be run", 1)
    sys.argv[0] = spec.origin or name
    module.__spec__ = spec
    module.__file__ = spec.origin
    module.__dict__["__cached__"] = spec.cached
    module.__loader__ = spec.loader
    module.__package__ = spec.parent
    return code


def _find(name: str) -> importlib.machinery.ModuleSpec | None:
    try:
        return importlib.util.find_spec(name)
    except ModuleNotFoundError as error:
        if error.name is not None and (name + ".").startswith(error.name + "."):
            return None  # the module itself or a package around it
        raise


def _set_arguments(first: str, rest: Sequence[str], folder: str) -> None:
    sys.argv = imports.Arguments([first, *rest])
    if not sys.flags.safe_path:
        sys.path[0] = folder  # was the folder of this command


def _compile(source: str | bytes, name: str) -> CodeType:
    return compile(source, name, "exec", dont_inherit=True)


def _execute(code: CodeType, module: ModuleType) -> None:
    exec(code, vars(module))


def _refuse(sentence: str, exit_code: int) -> NoReturn:
    print(f"lantern run: {sentence}", file=sys.stderr)
    sys.exit(exit_code)


def _explain(error: BaseException | None) -> None:
    """Adds to "cannot import name 'foo' from 'lantern'" the name as the program spells it."""
    while error is not None:
        if type(error) is ImportError and (error.name or "").partition(".")[0] == "lantern":
            quoted = str(error).partition("cannot import name '")[2].partition("'")[0]
            name = getattr(error, "name_from", None) or quoted  # Python 3.11 has just the text
            if error.name and name:
                error.add_note(f"{torch_name(error.name)}.{name} is not in Lantern yet")
        error = error.__cause__ or error.__context__


def _hide_runner() -> None:
    """Lets tracebacks begin at the program's own first line, under whatever hook it has set."""
    show = sys.excepthook

    def show_from_program(
        kind: type[BaseException], error: BaseException, trace: TracebackType | None
    ) -> None:
        frame = own = trace
        while frame is not None:
            if frame.tb_frame.f_code.co_filename == __file__:
                own = frame.tb_next
            frame = frame.tb_next
        show(kind, error.with_traceback(own), own)

    sys.excepthook = show_from_program
