"""`set_matplotlib_formats` for scripts: there is no notebook whose format could be set."""

from __future__ import annotations


def set_matplotlib_formats(*formats: str, **kwargs: object) -> None:
    """Accepts what notebooks set (`'svg'`, `'retina'`), and changes nothing in a script."""
