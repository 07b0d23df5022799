"""Models for other programs: `export` writes what a model computes as an ONNX graph."""

from . import errors
from .errors import OnnxExporterError, UnsupportedOperatorError
from .export import ONNXProgram, export, is_in_onnx_export

__all__ = [
    "ONNXProgram",
    "OnnxExporterError",
    "UnsupportedOperatorError",
    "errors",
    "export",
    "is_in_onnx_export",
]
