"""`torch.profiler`: where the time of a program goes, op by op."""

from __future__ import annotations

from ..compat.missing import missing
from .profile import (
    ProfilerAction,
    ProfilerActivity,
    profile,
    record_function,
    schedule,
    tensorboard_trace_handler,
)
from .table import EventList, FunctionEventAvg

__all__ = [
    "EventList",
    "FunctionEventAvg",
    "ProfilerAction",
    "ProfilerActivity",
    "profile",
    "record_function",
    "schedule",
    "tensorboard_trace_handler",
]

__getattr__ = missing(__name__)
