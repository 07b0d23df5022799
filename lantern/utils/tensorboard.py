"""`torch.utils.tensorboard`: logs that TensorBoard shows, written by the library tensorboardX."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from ..compat.missing import missing
from ..tensor import Tensor

try:
    import tensorboardX
except ImportError as error:
    raise ImportError(
        "torch.utils.tensorboard writes by the library tensorboardX, which is not installed: "
        "pip install 'lantern-dl[tensorboard]'"
    ) from error

__all__ = ["SummaryWriter"]


def _plain(value: Any) -> Any:
    """Puts arrays in the places of tensors, also within lists and dictionaries."""
    if isinstance(value, Tensor):
        return value.detach().cpu().numpy()
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    if type(value) in (list, tuple):
        return type(value)(map(_plain, value))
    return value


def _over_tensors(method: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(method)
    def converted(self: Any, *args: Any, **kwargs: Any) -> Any:
        return method(self, *map(_plain, args), **_plain(kwargs))

    return converted


class SummaryWriter(tensorboardX.SummaryWriter):
    """Writes scalars, histograms, pictures and more into a folder that TensorBoard reads.

    Without `log_dir` the folder is `runs/` with the time and the name of the machine. Every
    `add_...` method takes tensors where tensorboardX takes arrays. Raises ImportError, when this
    file is imported, without tensorboardX.
    """

    def __init__(
        self,
        log_dir: str | None = None,
        comment: str = "",
        purge_step: int | None = None,
        max_queue: int = 10,
        flush_secs: int = 120,
        filename_suffix: str = "",
    ):
        super().__init__(
            logdir=None if log_dir is None else str(log_dir),
            comment=comment,
            purge_step=purge_step,
            max_queue=max_queue,
            flush_secs=flush_secs,
            filename_suffix=filename_suffix,
        )
        self.log_dir = self.logdir

    def get_logdir(self) -> str:
        """Returns the folder that is written to."""
        return self.logdir

    def add_graph(self, model: Any, input_to_model: Any = None, *args: Any, **kwargs: Any) -> None:
        """Raises NotImplementedError: pictures of graphs are `lantern.viz.make_dot`'s."""
        raise NotImplementedError(
            "SummaryWriter.add_graph is not in Lantern yet; lantern.viz.make_dot draws the graph "
            "of a result, lantern.viz.summary the table of a model"
        )


for _name in (
    "add_audio",
    "add_custom_scalars",
    "add_embedding",
    "add_figure",
    "add_hparams",
    "add_histogram",
    "add_histogram_raw",
    "add_image",
    "add_image_with_boxes",
    "add_images",
    "add_mesh",
    "add_pr_curve",
    "add_scalar",
    "add_scalars",
    "add_text",
    "add_video",
):
    setattr(SummaryWriter, _name, _over_tensors(getattr(tensorboardX.SummaryWriter, _name)))

__getattr__ = missing(__name__)
