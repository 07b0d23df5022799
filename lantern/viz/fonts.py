"""A font that has Chinese characters: without one, matplotlib draws them as empty boxes."""

from __future__ import annotations

import contextlib
import warnings

# The fonts that systems bring along, most readable first: Windows, macOS, Linux.
CHINESE_FONTS = (
    "Microsoft YaHei", "SimHei", "DengXian", "SimSun",
    "PingFang SC", "Hiragino Sans GB", "Heiti SC", "Heiti TC", "STHeiti", "Songti SC",
    "Arial Unicode MS",
    "Noto Sans CJK SC", "Noto Sans SC", "Source Han Sans SC", "Source Han Sans CN",
    "Noto Sans CJK JP", "Noto Serif CJK SC", "WenQuanYi Micro Hei", "WenQuanYi Zen Hei",
    "AR PL UMing CN", "AR PL UKai CN", "Droid Sans Fallback",
)  # fmt: skip


def use_chinese_font() -> str | None:
    """Lets matplotlib fall back to an installed font that has Chinese characters.

    Latin text keeps its font, and minus signs stay minus signs. Returns the name of the font, or
    None, with one warning that names packages to install, where there is no such font.
    """
    from matplotlib import rcParams

    found = _installed() or _installed(look_again=True)
    if found is None:
        warnings.warn(
            "no font with Chinese characters is installed, so they will be drawn as boxes; install "
            "one (Debian/Ubuntu: apt install fonts-noto-cjk; elsewhere: Noto Sans CJK SC)",
            stacklevel=2,
        )
        return None
    # Only fonts that are named themselves are fallbacks; of a kind such as "sans-serif" matplotlib
    # takes one. The usual font stays first, so minus signs are drawn, too.
    families = [name for name in rcParams["font.family"] if name != "sans-serif"]
    first = families or rcParams["font.sans-serif"][:1]
    rcParams["font.family"] = [*(name for name in first if name != found), found]
    return found


def _installed(look_again: bool = False) -> str | None:
    """Returns the first Chinese font that matplotlib knows of.

    It remembers the fonts of its first start; `look_again` adds those installed since.
    """
    from matplotlib import font_manager

    manager = font_manager.fontManager
    if look_again:
        known = {font.fname for font in manager.ttflist}
        for path in set(font_manager.findSystemFonts()) - known:
            # FreeType refuses some files (bitmap fonts, broken ones); matplotlib skips them, too.
            with contextlib.suppress(RuntimeError, OSError):
                manager.addfont(path)
    names = {font.name for font in manager.ttflist}
    return next((name for name in CHINESE_FONTS if name in names), None)


def has_chinese(*texts: object) -> bool:
    """Says whether any of the texts holds a Chinese character.

    >>> has_chinese("loss", None), has_chinese("loss", "损失")
    (False, True)
    """
    return any("\u3400" <= c <= "\u9fff" for text in texts for c in str(text or ""))


def prepare_labels(*texts: object) -> None:
    """Finds a font for labels where any of them is Chinese and the font in use has none."""
    if not has_chinese(*texts):
        return
    from matplotlib import rcParams

    kinds = {"sans-serif": rcParams["font.sans-serif"][:1]}
    in_use = [name for family in rcParams["font.family"] for name in kinds.get(family, [family])]
    if not set(in_use).intersection(CHINESE_FONTS):
        use_chinese_font()
