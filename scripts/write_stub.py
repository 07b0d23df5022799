"""Write lantern/tensor.pyi and lantern/__init__.pyi, for editors and type checkers.

Methods of `Tensor` and most functions are derived from the declarations of ops when `lantern` is
imported, where no type checker sees them. This script imports it and writes down what is there:

    python scripts/write_stub.py            # writes both files
    python scripts/write_stub.py --check    # exits with 1 where one is stale
"""

from __future__ import annotations

import ast
import inspect
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import lantern  # noqa: E402
from lantern.op import REGISTRY, Op  # noqa: E402

PACKAGE = ROOT / "lantern"
WIDTH = 100

# What methods and functions return that is not one tensor; `Any` where it depends on arguments.
RETURNS = dict.fromkeys(
    "split split_with_sizes unsafe_split chunk unsafe_chunk unbind tensor_split hsplit vsplit "
    "dsplit meshgrid broadcast_tensors var_mean std_mean".split(),
    "_tuple[Tensor, ...]",
)
RETURNS |= dict.fromkeys("sort topk kthvalue mode cummax cummin".split(), "_ValuesAndIndices")
RETURNS |= dict.fromkeys(
    "max min median nanmedian aminmax unique unique_consecutive slogdet qr svd where nonzero "
    "atleast_1d atleast_2d atleast_3d frexp type resolve_conj apply_ map_".split(),
    "Any",
)
RETURNS |= dict.fromkeys(
    "equal allclose is_nonzero is_set_to is_shared is_pinned is_conj is_neg __contains__".split(),
    "_bool",
)
RETURNS |= {"backward": "None", "__setitem__": "None", "__repr__": "str", "__format__": "str"}
RETURNS |= {"__iter__": "Iterator[Tensor]", "dim_order": "_tuple[_int, ...]"}
RETURNS |= {"untyped_storage": "UntypedStorage", "storage": "Any"}  # a cycle otherwise
RETURNS |= {"__reduce_ex__": "_tuple[Any, ...]"}

# Parameters whose names tell their type.
TYPES = {"keepdim": "_bool", "dtype": "_dtype | None"}

HEADER = '''"""{title}; written by scripts/write_stub.py."""

'''
IMPORTS = """from builtins import bool as _bool
from builtins import float as _float
from builtins import int as _int
from builtins import tuple as _tuple
from builtins import type as _type
from collections.abc import Callable, Iterator
from typing import Any, Self

"""
RESULTS = """class _ValuesAndIndices(tuple[Tensor, Tensor]):
    @property
    def values(self) -> Tensor: ...
    @property
    def indices(self) -> Tensor: ...
"""


# --- one declaration
def declaration(name: str, parameters: Iterable[str], returns: str, indent: str = "") -> str:
    """Returns `def name(parameters) -> returns: ...`, on more lines where one is too long."""
    listed = list(parameters)
    line = f"{indent}def {name}({', '.join(listed)}) -> {returns}: ..."
    if len(line) > WIDTH:
        inner = "".join(f"{indent}    {each},\n" for each in listed)
        line = f"{indent}def {name}(\n{inner}{indent}) -> {returns}: ..."
    return line + "\n"


def parameters_of(signature: inspect.Signature) -> Iterator[str]:
    """Returns parameters as a stub writes them, with the types that their names or values tell."""
    keyword = False
    for each in signature.parameters.values():
        if each.kind is each.VAR_POSITIONAL:
            keyword = True
            yield f"*{each.name}: Any"
            continue
        if each.kind is each.VAR_KEYWORD:
            yield f"**{each.name}: Any"
            continue
        if each.kind is each.KEYWORD_ONLY and not keyword:
            keyword = True
            yield "*"
        default = "" if each.default is each.empty else " = ..."
        kind = TYPES.get(each.name, "_bool" if type(each.default) is bool else "Any")
        yield f"{each.name}: {kind}{default}"


def op_parameters(op: Op, method: bool) -> Iterator[str]:
    """Returns the parameters of an op; of sizes that may be given one by one, as `*sizes`."""
    parameters = list(op.__signature__.parameters.values())
    if op.variadic is not None:
        sizes = parameters[op.variadic]
        if all(p.kind is p.KEYWORD_ONLY for p in parameters[op.variadic + 1 :]):
            parameters[op.variadic] = sizes.replace(
                kind=sizes.VAR_POSITIONAL, default=inspect.Parameter.empty
            )
    if method:
        yield "self"
        parameters = parameters[1:]
    listed = list(parameters_of(inspect.Signature(parameters)))
    if not method and not any(each.startswith("out:") for each in listed):
        if not any(p.kind in (p.VAR_POSITIONAL, p.KEYWORD_ONLY) for p in parameters):
            listed.append("*")
        listed.append("out: Any = ...")
    yield from listed


# --- what is written out in tensor.py
class Renamed(ast.NodeTransformer):
    """Gives builtin types their other names where methods of the class hide them."""

    hidden = frozenset("bool float int tuple type".split())

    def visit_Name(self, node: ast.Name) -> ast.Name:
        """Returns the name that means the builtin inside the class."""
        return ast.Name(f"_{node.id}") if node.id in self.hidden else node


def annotation(node: ast.expr | None, inside: bool) -> str:
    """Returns an annotation as text."""
    if node is None:
        return "Any"
    return ast.unparse(Renamed().visit(node) if inside else node)


def written(node: ast.FunctionDef, indent: str) -> str:
    """Returns the declaration of a function that is written out with its types."""
    inside = bool(indent)
    arguments = node.args
    listed: list[str] = []
    positional = [*arguments.posonlyargs, *arguments.args]
    missing = len(positional) - len(arguments.defaults)
    static = any(ast.unparse(each) == "staticmethod" for each in node.decorator_list)
    for i, each in enumerate(positional):
        kind = annotation(each.annotation, inside)
        first = inside and not i and not static
        listed.append(each.arg if first else f"{each.arg}: {kind}" + " = ..." * (i >= missing))
    if arguments.vararg:
        listed.append(f"*{arguments.vararg.arg}: Any")
    elif arguments.kwonlyargs:
        listed.append("*")
    for each, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
        kind = annotation(each.annotation, inside)
        listed.append(f"{each.arg}: {kind}" + ("" if default is None else " = ..."))
    if arguments.kwarg:
        listed.append(f"**{arguments.kwarg.arg}: Any")
    marks = "".join(f"{indent}@{ast.unparse(each)}\n" for each in node.decorator_list)
    returns = PROPERTIES.get(node.name) if inside else None
    returns = returns or annotation(node.returns, inside)
    return marks + declaration(node.name, listed, returns, indent)


# Inside the class the names of properties hide the types of the same name.
PROPERTIES = {"dtype": "_dtype", "grad_fn": "Node | None"}


def class_member(node: ast.stmt) -> Iterator[str]:
    """Returns what a statement of the class body declares."""
    if isinstance(node, ast.FunctionDef):
        yield written(node, "    ")
    elif isinstance(node, ast.AnnAssign):
        yield f"    {ast.unparse(node.target)}: {annotation(node.annotation, True)}\n"
    elif isinstance(node, ast.Assign):
        for target in node.targets:
            name = ast.unparse(target)
            value = getattr(lantern.Tensor, name)
            if inspect.isfunction(value):
                yield f"    {name} = {value.__name__}\n"
            elif name == "__hash__":
                yield "    def __hash__(self) -> _int: ...\n"
            else:
                kind = type(value).__name__
                yield f"    {name}: {f'_{kind}' if kind in ('bool', 'int') else 'Any'}\n"


# --- what is attached
def origin(value: Any) -> str:
    """Returns the file that a member of the class comes from."""
    function = value.fget if isinstance(value, property) else getattr(value, "__func__", value)
    code = getattr(inspect.unwrap(function) if callable(function) else None, "__code__", None)
    return "" if code is None else Path(code.co_filename).name


OPERATORS = "add sub mul truediv floordiv mod pow matmul and or xor lshift rshift".split()
BINARY = {f"__{kind}{name}__" for name in OPERATORS for kind in ("", "r", "i")}
BINARY |= {f"__{name}__" for name in ("eq", "ne", "lt", "le", "gt", "ge")}
UNARY = {"__neg__", "__pos__", "__abs__", "__invert__"}


def changes_itself(name: str) -> bool:
    """Says whether a method returns the tensor that it was called on."""
    if name.startswith("__"):
        return name.startswith("__i") and name in BINARY
    return name.endswith("_")


def attached(name: str, value: Any) -> str:
    """Returns the declaration of a method that was attached to the class."""
    returns = RETURNS.get(name, "Self" if changes_itself(name) else "Tensor")
    if isinstance(value, property):
        return f"    @property\n    def {name}(self) -> {returns}: ...\n"
    if name in UNARY:
        return declaration(name, ["self"], returns, "    ")
    if name in BINARY:
        line = declaration(name, ["self", "other: Any"], returns, "    ")
        narrows = name in ("__eq__", "__ne__")  # `object` compares to a bool
        return line.rstrip() + "  # type: ignore[override]\n" if narrows else line
    op = REGISTRY.get(name) or REGISTRY.get(name.removesuffix("_"))
    if op is not None and origin(value) in ("methods.py", "op.py"):
        return declaration(name, op_parameters(op, method=True), returns, "    ")
    function = getattr(value, "__func__", value)
    first, *rest = inspect.signature(function).parameters.values()
    listed = [first.name, *parameters_of(inspect.Signature(rest))]
    return declaration(name, listed, returns, "    ")


def tensor_stub() -> str:
    """Returns the text of lantern/tensor.pyi."""
    tree = ast.parse((PACKAGE / "tensor.py").read_text(encoding="utf-8"))
    text = HEADER.format(title="The types of `lantern.tensor`") + IMPORTS
    body, functions, imports = "", "", []
    known: set[str] = set()
    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and node.level:
            imports.append(node)
        elif isinstance(node, ast.FunctionDef):
            functions += written(node, "")
        elif isinstance(node, ast.Assign):
            functions += f"{ast.unparse(node.targets[0])}: Any\n"
        elif isinstance(node, ast.ClassDef) and node.name == "Tensor":
            members, known = class_members(node)
            body += "class Tensor:\n" + members
    names = [name for name in vars(lantern.Tensor) if name not in known | PYTHONS]
    for name in sorted(names):
        body += attached(name, vars(lantern.Tensor)[name])
    text += "".join(used_import(each, functions + body) for each in imports)
    text += "from .dtypes import dtype as _dtype\n"
    text += "from .untyped import UntypedStorage\n\n"
    return text + functions + "\n" + body + "\n" + RESULTS


PYTHONS = {"__module__", "__doc__", "__dict__", "__weakref__", "__annotations__", "__new__"}
PYTHONS |= {"__firstlineno__", "__static_attributes__"}  # from 3.13 on


def class_members(node: ast.ClassDef) -> tuple[str, set[str]]:
    """Returns the members that are written out in the class, as declarations and as names."""
    text, known = "    def __new__(cls, *args: Any, **kwargs: Any) -> Any: ...\n", set()
    for each in node.body:
        name = getattr(each, "name", "")
        value = vars(lantern.Tensor).get(name)
        if name and origin(value) not in ("", "tensor.py"):
            continue  # replaced by a wider form, which is attached
        text += "".join(class_member(each))
        targets = getattr(each, "targets", [getattr(each, "target", None)])
        known |= {name, *(ast.unparse(t) for t in targets if t is not None)}
    return text, known


def used_import(node: ast.ImportFrom, text: str) -> str:
    """Returns an import of the file with those of its names that a stub's text needs."""
    names = [each for each in node.names if re.search(rf"\b{each.asname or each.name}\b", text)]
    return ast.unparse(ast.ImportFrom(node.module, names, node.level)) + "\n" if names else ""


# --- the package
def package_stub() -> str:
    """Returns the text of lantern/__init__.pyi."""
    lines: dict[str, str] = {}
    for name in sorted(vars(lantern)):
        value = vars(lantern)[name]
        if name.startswith("_") and name != "__version__":
            continue
        lines[name] = package_member(name, value)
    for name, home in sorted(lantern._LAZY.items()):
        lines[name] = f"from .{home} import {name} as {name}\n"
    imports = "".join(line for line in lines.values() if line.startswith("from"))
    rest = "".join(line for line in lines.values() if not line.startswith("from"))
    text = HEADER.format(title="The types of `lantern`") + IMPORTS
    text += "from .dtypes import dtype as _dtype\nfrom .tensor import _ValuesAndIndices\n"
    return text + imports + "\n" + rest + "def __getattr__(name: str) -> Any: ...\n"


def package_member(name: str, value: Any) -> str:
    """Returns how the stub of the package declares one of its names."""
    if isinstance(value, ModuleType):
        own = value.__name__ == f"lantern.{name}"
        return f"from . import {name} as {name}\n" if own else ""
    if isinstance(value, Op):
        returns = RETURNS.get(name, "Tensor")
        return declaration(name, op_parameters(value, method=False), returns)
    if isinstance(value, lantern.dtype):
        return f"{name}: _dtype\n"
    home = getattr(value, "__module__", None) or ""
    if home.startswith("lantern.") and defined_in(home, name, value):
        return f"from .{home.removeprefix('lantern.')} import {name} as {name}\n"
    if home.startswith("lantern."):
        return f"{name}: Any\n"
    kind = type(value).__name__
    if isinstance(value, (bool, int, float)):
        return f"{name}: _{kind}\n"
    known = type(value).__module__ == "builtins"
    return f"{name}: {'str' if kind == 'str' else 'Any'}\n" if known and not callable(value) else ""


def defined_in(home: str, name: str, value: Any) -> bool:
    """Says whether a type checker finds a name in the module that it is said to come from."""
    module = sys.modules.get(home)
    if module is None or vars(module).get(name) is not value:
        return False
    source = inspect.getsource(module)
    return f"def {name}(" in source or f"class {name}" in source or f"\n{name}" in source


# --- files
def stubs() -> dict[Path, str]:
    """Returns what each stub should say."""
    return {PACKAGE / "tensor.pyi": tensor_stub(), PACKAGE / "__init__.pyi": package_stub()}


def main(args: list[str], say: Callable[[str], object] = print) -> int:
    """Writes the stubs, or with `--check` says which are stale."""
    stale = [
        path
        for path, text in stubs().items()
        if not path.exists() or path.read_text(encoding="utf-8") != text
    ]
    for path in stale:
        if "--check" in args:
            say(f"{path.relative_to(ROOT)} is stale: run `python scripts/write_stub.py`")
        else:
            path.write_text(stubs()[path], encoding="utf-8")
            say(f"wrote {path.relative_to(ROOT)}")
    return 1 if stale and "--check" in args else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
