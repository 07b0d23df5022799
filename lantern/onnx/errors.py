"""What an export may raise, under PyTorch's names."""

from __future__ import annotations


class OnnxExporterError(RuntimeError):
    """A model cannot be exported."""


class UnsupportedOperatorError(OnnxExporterError, NotImplementedError):
    """A model uses an op that has no form in ONNX yet; the message names it and its place."""

    def __init__(self, name: str, place: str, opset: int, why: str = ""):
        at = f" ({place})" if place else ""
        super().__init__(
            f"Exporting the operator '{name}'{at} to ONNX opset version {opset} is not supported"
            + (f": {why}" if why else "")
        )
        self.operator = name
