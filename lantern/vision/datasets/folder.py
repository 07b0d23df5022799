"""Datasets of files in folders, one folder for each class."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from lantern.compat.missing import missing

from .vision import Transform, VisionDataset

IMG_EXTENSIONS = (".jpg", ".jpeg", ".png", ".ppm", ".bmp", ".pgm", ".tif", ".tiff", ".webp")

Loader = Callable[[str], Any]
Check = Callable[[str], bool]


def has_file_allowed_extension(filename: str, extensions: str | tuple[str, ...]) -> bool:
    """Whether a file's name ends in one of `extensions`, which are in small letters."""
    endings = extensions if isinstance(extensions, str) else tuple(extensions)
    return filename.lower().endswith(endings)


def is_image_file(filename: str) -> bool:
    """Whether a file's name is that of an image.

    >>> is_image_file("cat.JPG"), is_image_file("cat.txt")
    (True, False)
    """
    return has_file_allowed_extension(filename, IMG_EXTENSIONS)


def pil_loader(path: str | os.PathLike) -> Any:
    """The image in a file, as a PIL image in RGB."""
    from PIL import Image

    with open(path, "rb") as file:
        return Image.open(file).convert("RGB")


default_loader = pil_loader


def find_classes(directory: str | os.PathLike) -> tuple[list[str], dict[str, int]]:
    """The folders in `directory`, sorted, and the number of each.

    Raises FileNotFoundError where there is none.
    """
    with os.scandir(directory) as entries:
        classes = sorted(entry.name for entry in entries if entry.is_dir())
    if not classes:
        raise FileNotFoundError(f"Couldn't find any class folder in {directory}.")
    return classes, {name: number for number, name in enumerate(classes)}


def make_dataset(
    directory: str | os.PathLike,
    class_to_idx: dict[str, int] | None = None,
    extensions: str | tuple[str, ...] | None = None,
    is_valid_file: Check | None = None,
    allow_empty: bool = False,
) -> list[tuple[str, int]]:
    """Path and class of every file with one of `extensions`, or for which `is_valid_file`.

    Raises FileNotFoundError for a class without files, unless `allow_empty`, and ValueError for
    no classes, and where not exactly one of the two criteria is given.
    """
    directory = os.path.expanduser(directory)
    if class_to_idx is None:
        _, class_to_idx = find_classes(directory)
    elif not class_to_idx:
        raise ValueError("'class_to_index' must have at least one entry to collect any samples.")
    if (extensions is None) == (is_valid_file is None):
        raise ValueError(
            "Both extensions and is_valid_file cannot be None or not None at the same time"
        )
    endings = extensions or ()
    accepts = is_valid_file or (lambda path: has_file_allowed_extension(path, endings))
    samples, empty = [], []
    for name in sorted(class_to_idx):
        found = [
            (path, class_to_idx[name])
            for path in _files_below(os.path.join(directory, name))
            if accepts(path)
        ]
        samples += found
        empty += [] if found else [name]
    if empty and not allow_empty:
        message = f"Found no valid file for the classes {', '.join(empty)}. "
        if extensions is not None:
            known = extensions if isinstance(extensions, str) else ", ".join(extensions)
            message += f"Supported extensions are: {known}"
        raise FileNotFoundError(message)
    return samples


def _files_below(folder: str) -> list[str]:
    return [
        os.path.join(place, name)
        for place, _, names in sorted(os.walk(folder, followlinks=True))
        for name in sorted(names)
    ]


class DatasetFolder(VisionDataset):
    """Files of any kind, read by `loader`, in the folders `root/CLASS/.../FILE`.

    Has `classes`, `class_to_idx`, `samples` (path and class of each) and `targets`.
    Raises FileNotFoundError for no classes, or one without files unless `allow_empty`.
    """

    def __init__(
        self,
        root: str | os.PathLike,
        loader: Loader,
        extensions: tuple[str, ...] | None = None,
        transform: Transform | None = None,
        target_transform: Transform | None = None,
        is_valid_file: Check | None = None,
        allow_empty: bool = False,
    ) -> None:
        super().__init__(root, transform=transform, target_transform=target_transform)
        classes, class_to_idx = self.find_classes(self.root)  # type: ignore[arg-type]
        self.loader = loader
        self.extensions = extensions
        self.classes = classes
        self.class_to_idx = class_to_idx
        self.samples = self.make_dataset(
            self.root,  # type: ignore[arg-type]
            class_to_idx,
            extensions,
            is_valid_file,
            allow_empty,
        )
        self.targets = [target for _, target in self.samples]

    @staticmethod
    def make_dataset(
        directory: str | os.PathLike,
        class_to_idx: dict[str, int],
        extensions: tuple[str, ...] | None = None,
        is_valid_file: Check | None = None,
        allow_empty: bool = False,
    ) -> list[tuple[str, int]]:
        """Path and class of every file; for subclasses that keep them in another way."""
        if class_to_idx is None:
            raise ValueError("The class_to_idx parameter cannot be None.")
        return make_dataset(directory, class_to_idx, extensions, is_valid_file, allow_empty)

    def find_classes(self, directory: str | os.PathLike) -> tuple[list[str], dict[str, int]]:
        """The classes and their numbers; for subclasses that choose among the folders."""
        return find_classes(directory)

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        path, target = self.samples[index]
        sample = self.loader(path)
        if self.transform is not None:
            sample = self.transform(sample)
        if self.target_transform is not None:
            target = self.target_transform(target)
        return sample, target

    def __len__(self) -> int:
        return len(self.samples)


class ImageFolder(DatasetFolder):
    """Images in the folders `root/CLASS/.../FILE`, read as PIL images in RGB.

    Has `imgs`, path and class of each, beside what DatasetFolder has.
    Raises FileNotFoundError for no classes, or one without images unless `allow_empty`.
    """

    def __init__(
        self,
        root: str | os.PathLike,
        transform: Transform | None = None,
        target_transform: Transform | None = None,
        loader: Loader = default_loader,
        is_valid_file: Check | None = None,
        allow_empty: bool = False,
    ) -> None:
        super().__init__(
            root,
            loader,
            IMG_EXTENSIONS if is_valid_file is None else None,
            transform,
            target_transform,
            is_valid_file,
            allow_empty,
        )
        self.imgs = self.samples


__getattr__ = missing(__name__)
