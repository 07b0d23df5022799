"""Transforms on small images, run on torchvision and on Lantern alike.

`scripts/make_vision_goldens.py` stores what torchvision gives; `test_transforms.py` compares.
A case names the images it runs on; `T` is `transforms`, `F` `transforms.functional`.
"""

from __future__ import annotations

import random

import numpy as np
from PIL import Image

HEIGHT, WIDTH = 9, 12
PIL = ("L", "RGB")
TENSORS = ("uint8", "float")
ALL = PIL + TENSORS
SEEDS = (0, 1, 2)


def images(torch):
    """Small images of every kind, by name: smooth, with some noise."""
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    noise = np.random.RandomState(7).randint(0, 60, (HEIGHT, WIDTH, 4))
    channels = [18 * x, 21 * y, 10 * (x + y), 255 - 15 * x]
    pixels = (np.stack(channels, -1) % 196 + noise).astype(np.uint8)
    colour = np.ascontiguousarray(pixels[..., :3].transpose(2, 0, 1))
    made = {
        "L": Image.fromarray(pixels[..., 0]),
        "RGB": Image.fromarray(pixels[..., :3]),
        "RGBA": Image.fromarray(pixels),
        "LA": Image.fromarray(pixels[..., :3]).convert("LA"),
        "1": Image.fromarray(pixels[..., 0]).point(lambda level: 255 * (level > 90)).convert("1"),
        "P": Image.fromarray(pixels[..., 0]).quantize(8),
        "I": Image.fromarray(pixels[..., 0].astype(np.int32) * 1000),
        "F": Image.fromarray(pixels[..., 0].astype(np.float32) / 7),
        "uint8": torch.from_numpy(colour),
        "grey": torch.from_numpy(colour[:1].copy()),
        "batch": torch.from_numpy(np.stack([colour, 255 - colour])),
        "int16": torch.from_numpy(colour.astype(np.int16) * 100),
    }
    made["float"] = torch.from_numpy(colour.astype(np.float32) / 255)
    made["double"] = torch.from_numpy(colour.astype(np.float64) / 255)
    made["matrix"] = made["float"][0]
    return made


def cases():
    """Name, images, whether it draws, and `(T, F, torch) -> callable`."""
    made = []

    def add(name, kinds, build, draws=False):
        made.append((name, kinds, draws, build))

    _sizes(add)
    _borders(add)
    _moves(add)
    _colours(add)
    _conversions(add)
    _random(add)
    return made


def _sizes(add):
    modes = ("NEAREST", "NEAREST_EXACT", "BILINEAR", "BICUBIC", "BOX", "HAMMING", "LANCZOS")
    for mode in modes:
        add(
            f"resize {mode}",
            ("RGB",),
            lambda T, F, t, m=mode: T.Resize((7, 5), getattr(T.InterpolationMode, m)),
        )
    for mode in modes[:4]:
        for antialias in (True, False):
            for size in ((5, 17), (4, 4)):
                add(
                    f"resize {mode} {antialias} {size}",
                    (*TENSORS, "batch", "double"),
                    lambda T, F, t, m=mode, a=antialias, s=size: T.Resize(
                        s, getattr(T.InterpolationMode, m), antialias=a
                    ),
                )
    add("resize shorter", ("RGB", "L", "1", "P", "F", "I"), lambda T, F, t: T.Resize(6))
    add("resize larger", ALL, lambda T, F, t: T.Resize([14]))
    add("resize max", ALL, lambda T, F, t: T.Resize(8, max_size=10))
    add("resize number", ("RGB",), lambda T, F, t: lambda i: F.resize(i, [4, 5], 3))
    for size in (5, (4, 6), (9, 12), (11, 5), (3, 20), (20, 20), [7]):
        add(f"center crop {size}", ALL, lambda T, F, t, s=size: T.CenterCrop(s))
    add("crop outside", ALL, lambda T, F, t: lambda i: F.crop(i, -2, 3, 8, 12))
    add("crop inside", ALL, lambda T, F, t: lambda i: F.crop(i, 2, 3, 4, 5))
    add("five crop", ALL, lambda T, F, t: T.FiveCrop((4, 5)))
    add("ten crop", ALL, lambda T, F, t: T.TenCrop(3, vertical_flip=True))
    add("resized crop", PIL, lambda T, F, t: lambda i: F.resized_crop(i, 1, 2, 6, 7, [4, 5]))


def _borders(add):
    for mode in ("constant", "edge", "reflect", "symmetric"):
        for padding in (2, (1, 3), (0, 1, 2, 3), [4]):
            add(
                f"pad {mode} {padding}",
                (*ALL, "batch"),
                lambda T, F, t, p=padding, m=mode: T.Pad(p, padding_mode=m),
            )
    add("pad fill", ALL, lambda T, F, t: T.Pad(1, fill=77))
    add("pad colour", ("RGB",), lambda T, F, t: T.Pad((1, 2), fill=(1, 20, 200)))
    add("pad palette", ("P",), lambda T, F, t: T.Pad(2))
    add("pad palette edge", ("P",), lambda T, F, t: T.Pad(2, padding_mode="edge"))
    add("pad negative", ALL, lambda T, F, t: lambda i: F.pad(i, [-1, 2, 3, -2]))
    add(
        "pad negative edge",
        PIL,
        lambda T, F, t: lambda i: F.pad(i, [-1, 2, 3, -2], padding_mode="edge"),
    )


def _moves(add):
    add("hflip", (*ALL, "RGBA", "batch"), lambda T, F, t: F.hflip)
    add("vflip", (*ALL, "RGBA", "batch"), lambda T, F, t: F.vflip)
    for mode in ("NEAREST", "BILINEAR"):
        add(
            f"rotate {mode}",
            ALL,
            lambda T, F, t, m=mode: lambda i: F.rotate(i, 33.0, getattr(T.InterpolationMode, m)),
        )
        add(
            f"rotate expand {mode}",
            (*ALL, "batch"),
            lambda T, F, t, m=mode: (
                lambda i: F.rotate(i, -40, getattr(T.InterpolationMode, m), expand=True, fill=[9])
            ),
        )
        add(
            f"affine {mode}",
            ALL,
            lambda T, F, t, m=mode: (
                lambda i: F.affine(
                    i, 15, [1, -2], 1.2, [5.0, -3.0], getattr(T.InterpolationMode, m), fill=[5]
                )
            ),
        )
        add(
            f"perspective {mode}",
            ALL,
            lambda T, F, t, m=mode: (
                lambda i: F.perspective(
                    i,
                    [[0, 0], [11, 0], [11, 8], [0, 8]],
                    [[1, 1], [10, 0], [9, 7], [2, 8]],
                    getattr(T.InterpolationMode, m),
                    [3],
                )
            ),
        )
    add("rotate bicubic", PIL, lambda T, F, t: lambda i: F.rotate(i, 20, 3, center=[2, 3]))
    add("rotate center", ALL, lambda T, F, t: lambda i: F.rotate(i, 20, center=[2, 3]))
    add("rotate right", ALL, lambda T, F, t: lambda i: F.rotate(i, 90, expand=True))
    add(
        "affine center",
        ALL,
        lambda T, F, t: lambda i: F.affine(i, 9, (0, 1), 0.8, 7, center=[1, 1]),
    )


def _colours(add):
    for factor in (0, 0.4, 1, 1.7):
        for name in ("brightness", "contrast", "saturation", "sharpness"):
            add(
                f"{name} {factor}",
                (*ALL, "grey", "batch"),
                lambda T, F, t, n=name, f=factor: lambda i: getattr(F, f"adjust_{n}")(i, f),
            )
    for factor in (-0.5, -0.1, 0.0, 0.3):
        add(
            f"hue {factor}", (*ALL, "batch"), lambda T, F, t, f=factor: lambda i: F.adjust_hue(i, f)
        )
    for gamma in (0.5, 2.2):
        add(f"gamma {gamma}", ALL, lambda T, F, t, g=gamma: lambda i: F.adjust_gamma(i, g, 0.9))
    for channels in (1, 3):
        add(f"grayscale {channels}", ("RGB", *TENSORS), lambda T, F, t, c=channels: T.Grayscale(c))
    add("invert", (*ALL, "batch"), lambda T, F, t: F.invert)
    for bits in (0, 2, 8):
        kinds = (*PIL, "uint8", "batch") if bits else ("uint8",)
        add(f"posterize {bits}", kinds, lambda T, F, t, b=bits: lambda i: F.posterize(i, b))
    add("solarize", (*PIL, "uint8"), lambda T, F, t: lambda i: F.solarize(i, 120))
    add("solarize float", ("float",), lambda T, F, t: lambda i: F.solarize(i, 0.4))
    add("autocontrast", (*ALL, "batch"), lambda T, F, t: F.autocontrast)
    add("autocontrast flat", ("float",), lambda T, F, t: lambda i: F.autocontrast(i * 0 + 0.5))
    add("equalize", (*PIL, "uint8", "batch"), lambda T, F, t: F.equalize)
    for size, sigma in ((3, None), ((5, 3), (0.8, 1.5)), (5, 2.0)):
        add(
            f"blur {size} {sigma}",
            (*ALL, "batch", "double"),
            lambda T, F, t, k=size, s=sigma: lambda i: F.gaussian_blur(i, k, s),
        )
    add("erase", TENSORS, lambda T, F, t: lambda i: F.erase(i, 1, 2, 3, 4, t.ones(3, 1, 1)))


def _conversions(add):
    modes = ("L", "RGB", "RGBA", "LA", "1", "P", "I", "F")
    add("to tensor", modes, lambda T, F, t: T.ToTensor())
    add("pil to tensor", modes, lambda T, F, t: T.PILToTensor())
    add("to pil", ("uint8", "float", "double", "grey", "matrix"), lambda T, F, t: T.ToPILImage())
    add("to pil hsv", ("uint8",), lambda T, F, t: T.ToPILImage("HSV"))
    add("to pil F", ("matrix",), lambda T, F, t: T.ToPILImage("F"))
    add("to pil int16", ("int16",), lambda T, F, t: lambda i: F.to_pil_image(i[0]))
    add("to pil int32", ("int16",), lambda T, F, t: lambda i: F.to_pil_image(i[0].int()))
    add(
        "to pil array", ("uint8",), lambda T, F, t: lambda i: F.to_pil_image(i.numpy()[0], mode="L")
    )
    add(
        "linear transformation",
        ("float",),
        lambda T, F, t: (
            lambda i: T.LinearTransformation(t.eye(12) * 2 - 0.1, t.arange(12.0))(
                i[:, :2, :2].contiguous()
            )
        ),
    )


def _random(add):
    def draws(name, kinds, build):
        add(name, kinds, lambda T, F, t: build(T), draws=True)

    draws("RandomCrop", ALL, lambda T: T.RandomCrop((5, 6), padding=2))
    draws("RandomCrop fits", ALL, lambda T: T.RandomCrop((HEIGHT, WIDTH)))
    draws(
        "RandomCrop grown",
        ALL,
        lambda T: T.RandomCrop(14, pad_if_needed=True, padding_mode="reflect"),
    )
    draws("RandomHorizontalFlip", ALL, lambda T: T.RandomHorizontalFlip())
    draws("RandomVerticalFlip", ALL, lambda T: T.RandomVerticalFlip(0.6))
    draws("RandomResizedCrop", ("RGB",), lambda T: T.RandomResizedCrop(5))
    draws("RandomResizedCrop slim", ("L",), lambda T: T.RandomResizedCrop(5, (0.9, 1), (3, 4)))
    draws("RandomRotation", ALL, lambda T: T.RandomRotation(50, expand=True, fill=7))
    draws("RandomAffine", ALL, lambda T: T.RandomAffine(20, (0.2, 0.3), (0.8, 1.3), (-9, 9, -5, 5)))
    draws("RandomAffine plain", ALL, lambda T: T.RandomAffine((10, 30), shear=8, center=(1, 2)))
    draws("RandomPerspective", ALL, lambda T: T.RandomPerspective(0.6, 0.8, fill=4))
    draws("ColorJitter", (*ALL, "batch"), lambda T: T.ColorJitter(0.5, (0.4, 1.9), 0.7, 0.2))
    draws("ColorJitter hue", PIL, lambda T: T.ColorJitter(hue=(-0.1, 0.3)))
    draws("RandomGrayscale", ("RGB", *TENSORS), lambda T: T.RandomGrayscale(0.5))
    draws("RandomErasing", TENSORS, lambda T: T.RandomErasing(0.9, value=(1, 2, 3)))
    draws("RandomErasing noise", ("float", "double"), lambda T: T.RandomErasing(1, value="random"))
    draws("GaussianBlur", ALL, lambda T: T.GaussianBlur(3))
    draws("RandomInvert", ALL, lambda T: T.RandomInvert())
    draws("RandomPosterize", (*PIL, "uint8"), lambda T: T.RandomPosterize(3))
    draws("RandomSolarize", (*PIL, "uint8"), lambda T: T.RandomSolarize(99.0))
    draws("RandomAdjustSharpness", ALL, lambda T: T.RandomAdjustSharpness(1.8))
    draws("RandomAutocontrast", ALL, lambda T: T.RandomAutocontrast())
    draws("RandomEqualize", (*PIL, "uint8"), lambda T: T.RandomEqualize())
    flips = lambda T: [T.RandomHorizontalFlip(), T.RandomVerticalFlip(), T.RandomInvert()]  # noqa: E731
    draws("RandomApply", ALL, lambda T: T.RandomApply(flips(T), p=0.6))
    draws("RandomChoice", ALL, lambda T: T.RandomChoice(flips(T)))
    draws("RandomChoice weights", ALL, lambda T: T.RandomChoice(flips(T), p=[1, 2, 3]))
    draws("RandomOrder", ALL, lambda T: T.RandomOrder([*flips(T), T.RandomCrop(6)]))
    draws("Compose", PIL, lambda T: T.Compose([*flips(T), T.ToTensor(), T.Normalize([0.4], [0.3])]))
    draws("ElasticTransform", ALL, lambda T: T.ElasticTransform(20.0, 0.6))
    kinds = ("RGB", "uint8")
    for policy in ("IMAGENET", "CIFAR10", "SVHN"):
        draws(
            f"AutoAugment {policy}",
            kinds,
            lambda T, p=policy: T.AutoAugment(getattr(T.AutoAugmentPolicy, p)),
        )
    draws("RandAugment", kinds, lambda T: T.RandAugment(3, 12, fill=[4]))
    draws("TrivialAugmentWide", kinds, lambda T: T.TrivialAugmentWide())
    draws("AugMix", kinds, lambda T: T.AugMix())


def plain(result):
    """A result as arrays by name of the part; what is no array is told by the name."""
    if isinstance(result, (tuple, list)):
        parts = [plain(part) for part in result]
        return {f"{i}.{key}": value for i, part in enumerate(parts) for key, value in part.items()}
    if isinstance(result, Image.Image):
        return {f"PIL {result.mode}": np.asarray(result)}
    return {f"Tensor {result.dtype}": result.numpy()}


def run(torch, transforms, functional):
    """Yield the key of each run and a function that makes its result."""
    made = images(torch)
    for name, kinds, draws, build in cases():
        for kind in kinds:
            for seed in SEEDS if draws else (None,):
                key = f"{name} | {kind}" if seed is None else f"{name} | {kind} | {seed}"

                def result(build=build, kind=kind, seed=seed):
                    torch.manual_seed(seed or 0)
                    random.seed(seed or 0)
                    image = made[kind]
                    image = image.clone() if hasattr(image, "clone") else image.copy()
                    outcome = plain(build(transforms, functional, torch)(image))
                    # What the streams give next tells whether as much was drawn.
                    if seed is not None:
                        witness = [torch.rand(1).item(), random.random()]
                        outcome["stream"] = np.array(witness, np.float32)
                    return outcome

                yield key, result
