"""`torch.version`: what was built, which for Lantern is Python alone."""

from __future__ import annotations

from . import __version__ as __version__

cuda: str | None = None
hip: str | None = None
debug = False
git_version = "unknown"
