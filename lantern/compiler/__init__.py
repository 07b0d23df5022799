"""Recording functions of tensors and running the record: `lantern.compile`, `torch.compiler`."""

from __future__ import annotations

from ..compat.missing import missing
from .api import compile as compile
from .control import allow_in_graph as allow_in_graph
from .control import cudagraph_mark_step_begin as cudagraph_mark_step_begin
from .control import disable as disable
from .control import is_compiling as is_compiling
from .control import is_dynamo_compiling as is_dynamo_compiling
from .control import is_exporting as is_exporting
from .control import list_backends as list_backends
from .control import reset as reset
from .control import set_stance as set_stance
from .trace import TraceError as TraceError
from .updates import update_program as update_program

__getattr__ = missing(__name__)
