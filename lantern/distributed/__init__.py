"""`torch.distributed`: says that there is none. Lantern trains in one process."""

from __future__ import annotations

from typing import Any, NoReturn

from ..compat.missing import missing

_NO_GROUP = (
    "Default process group has not been initialized, please make sure to call init_process_group."
)


def is_available() -> bool:
    """Says whether several processes can train together.

    >>> is_available(), is_initialized()
    (False, False)
    """
    return False


def is_initialized() -> bool:
    """Says whether this process is one of a group."""
    return False


def is_torchelastic_launched() -> bool:
    """Says whether `torchrun` started this process."""
    return False


is_nccl_available = is_gloo_available = is_mpi_available = is_available


def init_process_group(
    backend: Any = None, init_method: Any = None, *args: Any, **kwargs: Any
) -> NoReturn:
    """Raises NotImplementedError: there are no process groups."""
    raise NotImplementedError(
        "torch.distributed is not in Lantern yet: it trains in one process; ask "
        "torch.distributed.is_available() first, which is False"
    )


def _without_group(*args: Any, **kwargs: Any) -> NoReturn:
    """Raises ValueError: this process is in no group."""
    raise ValueError(_NO_GROUP)


get_rank = get_world_size = get_backend = barrier = all_reduce = all_gather = _without_group
broadcast = reduce = gather = scatter = send = recv = all_gather_object = _without_group
broadcast_object_list = reduce_scatter = all_to_all = new_group = _without_group


def destroy_process_group(group: Any = None) -> None:
    """Raises AssertionError: this process is in no group."""
    raise AssertionError(_NO_GROUP)


__getattr__ = missing(__name__)
