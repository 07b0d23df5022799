"""Files: PyTorch's checkpoints out and in, nothing lost and nothing executed."""

from lantern.compat.missing import missing

from .allowed import add_safe_globals, clear_safe_globals, get_safe_globals, safe_globals
from .api import DEFAULT_PROTOCOL, get_unsafe_globals_in_checkpoint, load, save
from .locations import default_restore_location, location_tag, register_package
from .settings import (
    LoadEndianness,
    get_crc32_options,
    get_default_load_endianness,
    get_default_mmap_options,
    set_crc32_options,
    set_default_load_endianness,
    set_default_mmap_options,
)

__all__ = [
    "LoadEndianness",
    "DEFAULT_PROTOCOL",
    "add_safe_globals",
    "clear_safe_globals",
    "default_restore_location",
    "get_crc32_options",
    "get_default_load_endianness",
    "get_default_mmap_options",
    "get_safe_globals",
    "get_unsafe_globals_in_checkpoint",
    "load",
    "location_tag",
    "register_package",
    "safe_globals",
    "save",
    "set_crc32_options",
    "set_default_load_endianness",
    "set_default_mmap_options",
]

__getattr__ = missing(__name__)
