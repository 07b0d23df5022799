"""The transforms that came with the second version, and those that choose and chain others."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import lantern
from lantern import nn
from lantern.data import stands_for
from lantern.data.collate import NumPyValue
from lantern.nn.functional import one_hot
from lantern.tensor import Tensor

from .. import functional
from ..arguments import draw
from ..batch import ImageBatch, batch_method
from ..pil_images import is_image
from .sample import Transform


class Compose(nn.Module):
    """Apply `transforms` one after the other.

    >>> Compose([ToImage(), ToDtype(lantern.float32, scale=True)])(lantern.zeros(1, 2, 2)).shape
    torch.Size([1, 2, 2])
    """

    def __init__(self, transforms: Sequence[Callable[..., Any]]) -> None:
        super().__init__()
        if not isinstance(transforms, Sequence):
            raise TypeError("Argument transforms should be a sequence of callables")
        if not transforms:
            raise ValueError("Pass at least one transform")
        self.transforms = transforms

    def forward(self, *inputs: Any) -> Any:
        """The sample after all transforms."""
        for transform in self.transforms:
            result = transform(*inputs)
            inputs = result if len(inputs) > 1 else (result,)
        return inputs if len(inputs) > 1 else inputs[0]

    def chained(self) -> Sequence[Callable[..., Any]]:
        """The transforms, for those who run them on batches."""
        return self.transforms

    @stands_for(forward, nn.Module.__call__)
    def batch(self, images: Any) -> Any:
        """The same for N images, where every transform can take them at once."""
        method = batch_method(self)
        return None if method is None else method(images)

    def extra_repr(self) -> str:
        """The transforms, one a line."""
        return "\n".join(str(transform) for transform in self.transforms)


class ToImage(Transform):
    """Turn a PIL image or array `(H, W, C)` into a tensor `(C, H, W)` of the same values.

    Raises TypeError for anything else but tensors, which stay as they are.
    """

    def transform(self, inpt: Any, params: dict[str, Any]) -> Tensor:
        """The image as a tensor."""
        if isinstance(inpt, Tensor):
            return inpt
        if is_image(inpt):
            return functional.pil_to_tensor(inpt)
        if isinstance(inpt, NumPyValue):
            pixels = lantern.from_numpy(inpt)
            pixels = pixels.unsqueeze(2) if pixels.dim() == 2 else pixels
            return pixels.permute(2, 0, 1).contiguous()
        raise TypeError(
            "Input can either be a pure Tensor, a numpy array, or a PIL image, but got "
            f"{type(inpt)} instead."
        )

    @stands_for(Transform.forward, nn.Module.__call__)
    def batch(self, images: Any) -> Tensor:
        """The same for N images."""
        if not isinstance(images, ImageBatch):
            return images
        return images.channels_first().contiguous()


class ToDtype(Transform):
    """Convert a tensor image to `dtype`; with `scale` the full range stays the full range."""

    def __init__(self, dtype: lantern.dtype, scale: bool = False) -> None:
        super().__init__()
        if not isinstance(dtype, lantern.dtype):
            raise NotImplementedError("ToDtype with a dict of types is not in Lantern yet")
        self.dtype = dtype
        self.scale = scale

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """The image in the type; a PIL image as it is."""
        if not isinstance(inpt, Tensor):
            return inpt
        if self.scale:
            return functional.convert_image_dtype(inpt, self.dtype)
        return inpt.to(self.dtype)

    @stands_for(Transform.forward, nn.Module.__call__)
    def batch(self, images: Any) -> Any:
        """The same for N images."""
        return self.transform(images, {})

    def extra_repr(self) -> str:
        """Whether values are scaled."""
        return f"scale={self.scale}"


class ToPureTensor(Transform):
    """Leave the sample as it is: images are plain tensors already."""

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """The image itself."""
        return inpt


class Identity(ToPureTensor):
    """Leave the sample as it is."""


class Lambda(Transform):
    """Apply the function `lambd` to the image. Raises TypeError where it cannot be called."""

    def __init__(self, lambd: Callable[[Any], Any]) -> None:
        super().__init__()
        if not callable(lambd):
            raise TypeError(f"Argument lambd should be callable, got {type(lambd).__name__!r}")
        self.lambd = lambd

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """What the function makes of the image."""
        return self.lambd(inpt)


class RGB(Transform):
    """Turn a grey image into one of three equal channels."""

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """The image in three channels."""
        if isinstance(inpt, Tensor):
            return inpt.expand(*inpt.shape[:-3], 3, *inpt.shape[-2:]).clone()
        return inpt.convert("RGB")


class GaussianNoise(Transform):
    """Add normal noise to a float image, and with `clip` keep it within 0..1."""

    def __init__(self, mean: float = 0.0, sigma: float = 0.1, clip: bool = True) -> None:
        super().__init__()
        if sigma < 0:
            raise ValueError(f"sigma shouldn't be negative. Got {sigma}")
        self.mean = mean
        self.sigma = sigma
        self.clip = clip

    def transform(self, inpt: Any, params: dict[str, Any]) -> Tensor:
        """The image with noise. Raises ValueError for anything but a float tensor."""
        if not isinstance(inpt, Tensor) or not inpt.is_floating_point():
            found = inpt.dtype if isinstance(inpt, Tensor) else type(inpt)
            raise ValueError(f"Input tensor is expected to be in float dtype, got {found}")
        noisy = inpt + self.mean + lantern.randn_like(inpt) * self.sigma
        return noisy.clamp(0, 1) if self.clip else noisy


class RandomApply(nn.Module):
    """Apply all of `transforms` with probability `p`, else none."""

    def __init__(self, transforms: Sequence[Callable[..., Any]], p: float = 0.5) -> None:
        super().__init__()
        if not 0.0 <= p <= 1.0:
            raise ValueError("`p` should be a floating point value in the interval [0.0, 1.0].")
        self.transforms = transforms
        self.p = p

    def forward(self, *inputs: Any) -> Any:
        """The sample after all transforms, or as it was."""
        if draw() >= self.p:
            return inputs if len(inputs) > 1 else inputs[0]
        return Compose(list(self.transforms))(*inputs)


class RandomChoice(nn.Module):
    """Apply one of `transforms`, drawn with the weights `p` or evenly.

    Raises ValueError for weights of another number.
    """

    def __init__(
        self, transforms: Sequence[Callable[..., Any]], p: Sequence[float] | None = None
    ) -> None:
        super().__init__()
        p = [1] * len(transforms) if p is None else p
        if len(p) != len(transforms):
            raise ValueError(
                f"Length of p doesn't match the number of transforms: {len(p)} != {len(transforms)}"
            )
        self.transforms = transforms
        self.p = [weight / sum(p) for weight in p]

    def forward(self, *inputs: Any) -> Any:
        """The sample after one transform."""
        return self.transforms[int(lantern.multinomial(lantern.tensor(self.p), 1))](*inputs)


class RandomOrder(nn.Module):
    """Apply all of `transforms` in random order."""

    def __init__(self, transforms: Sequence[Callable[..., Any]]) -> None:
        super().__init__()
        self.transforms = transforms

    def forward(self, *inputs: Any) -> Any:
        """The sample after all transforms."""
        order = lantern.randperm(len(self.transforms)).tolist()
        return Compose([self.transforms[place] for place in order])(*inputs)


class _Mixing(nn.Module):
    """Base of what mixes the images of a batch `(N, C, H, W)` and their labels `(N,)`."""

    def __init__(
        self, *, alpha: float = 1.0, num_classes: int | None = None, labels_getter: Any = "default"
    ) -> None:
        super().__init__()
        if labels_getter != "default":
            raise NotImplementedError("labels_getter is not in Lantern yet")
        self.alpha = float(alpha)
        self.num_classes = num_classes

    def mixed(self, images: Tensor, share: float) -> tuple[Tensor, float]:
        """The mixed images, and the share of the first ones in them."""
        raise NotImplementedError

    def forward(self, *inputs: Any) -> tuple[Tensor, Tensor]:
        """The mixed images `(N, C, H, W)`, and how much of each class they are `(N, classes)`."""
        images, labels = inputs[0] if len(inputs) == 1 else inputs
        if images.dim() != 4:
            raise ValueError(f"Expected a batched input of images, got shape {tuple(images.shape)}")
        if labels.dim() == 1:
            if self.num_classes is None:
                raise ValueError("num_classes must be passed if the labels are index-based (1D)")
            labels = one_hot(labels, num_classes=self.num_classes)
        beta = lantern.distributions.Beta(
            lantern.tensor([self.alpha]), lantern.tensor([self.alpha])
        )
        images, share = self.mixed(images, float(beta.sample(())))
        labels = labels.float()
        return images, labels.roll(1, 0) * (1.0 - share) + labels * share


class MixUp(_Mixing):
    """Add each image to its neighbour, in random shares, and their labels alike.

    From "mixup: Beyond Empirical Risk Minimization", H. Zhang et al., arXiv 1710.09412.
    """

    def mixed(self, images: Tensor, share: float) -> tuple[Tensor, float]:
        """The images in shares."""
        return images.roll(1, 0) * (1.0 - share) + images * share, share


class CutMix(_Mixing):
    """Put a part of its neighbour into each image, and mix their labels by its area.

    From "CutMix: Regularization Strategy to Train Strong Classifiers with Localizable Features",
    S. Yun et al., arXiv 1905.04899.
    """

    def mixed(self, images: Tensor, share: float) -> tuple[Tensor, float]:
        """The images with a part of their neighbours."""
        height, width = images.shape[-2:]
        column = int(lantern.randint(width, size=(1,)))
        row = int(lantern.randint(height, size=(1,)))
        half = 0.5 * (1.0 - share) ** 0.5
        wide, high = int(half * width), int(half * height)
        left, top = max(column - wide, 0), max(row - high, 0)
        right, bottom = min(column + wide, width), min(row + high, height)
        result = images.clone()
        result[..., top:bottom, left:right] = images.roll(1, 0)[..., top:bottom, left:right]
        return result, 1.0 - (right - left) * (bottom - top) / (width * height)
