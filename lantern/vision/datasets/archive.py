"""What data sets have in common whose files come in one archive."""

from __future__ import annotations

import os

from .download import extract, fetch, matches


class InArchive:
    """Part of a data set whose files are unpacked from one archive into a folder of `root`."""

    root: str | os.PathLike
    base_folder: str
    filename: str
    tgz_md5: str
    mirrors: list[str]

    def _files(self) -> list[list[str]]:
        """Returns the name and the checksum of each file."""
        raise NotImplementedError

    @property
    def _folder(self) -> str:
        return os.path.join(self.root, self.base_folder)

    def _wrong(self) -> list[str]:
        """The files that are missing or damaged."""
        found = ((name, os.path.join(self._folder, name), md5) for name, md5 in self._files())
        return [name for name, path, md5 in found if not matches(path, md5)]

    def _check_files(self) -> None:
        wrong = self._wrong()
        if wrong:
            raise RuntimeError(
                "Dataset not found or corrupted. You can use download=True to download it, or "
                f"put {', '.join(wrong)}, as {self.filename} has them, into the folder "
                f"{os.path.abspath(self._folder)}"
            )

    def download(self) -> None:
        """Fetch and unpack the archive, where files are missing or damaged."""
        if not self._wrong():
            return
        root = os.fspath(self.root)
        archive = fetch(self.filename, root, self.mirrors, self.tgz_md5, type(self).__name__)
        extract(archive, root)
