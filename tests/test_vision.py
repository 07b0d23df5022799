"""Transforms, batches of images at once, and the digits that come with Lantern."""

from __future__ import annotations

import os
import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import lantern
import lantern.vision
from lantern import data, nn
from lantern.vision import datasets, transforms
from lantern.vision.transforms import functional
from lantern.vision.transforms.batch import ImageBatch, batch_method


@pytest.fixture
def root(tmp_path):
    """MNIST's folder with ten small images to train on and four to test with."""
    for kind in ("MNIST", "Zeroed"):
        folder = tmp_path / kind / "raw"
        folder.mkdir(parents=True)
        for split, count in (("train", 10), ("t10k", 4)):
            random = np.random.RandomState(count)
            images = random.randint(0, 256, (count, 6, 5)).astype(np.uint8)
            labels = random.randint(0, 10, count).astype(np.uint8)
            header = struct.pack(">HBB3I", 0, 8, 3, count, 6, 5)
            (folder / f"{split}-images-idx3-ubyte").write_bytes(header + images.tobytes())
            header = struct.pack(">HBBI", 0, 8, 1, count)
            (folder / f"{split}-labels-idx1-ubyte").write_bytes(header + labels.tobytes())
    return tmp_path


def equal(left, right):
    assert left.dtype == right.dtype
    assert left.shape == right.shape
    np.testing.assert_array_equal(left.numpy(), right.numpy())


# Batches at once


class Invert:
    """A transform of someone else, for one image at a time."""

    def __call__(self, image):
        return 1 - image


PIPELINES = {
    "ToTensor": lambda: transforms.ToTensor(),
    "Compose": lambda: transforms.Compose([transforms.ToTensor()]),
    "Normalize": lambda: transforms.Compose(
        [transforms.ToTensor(), transforms.Normalize(0.1307, 0.3081)]
    ),
    "Normalize by channel": lambda: transforms.Compose(
        [transforms.ToTensor(), transforms.Normalize((0.1307,), [0.3081], inplace=True)]
    ),
    "nested": lambda: transforms.Compose(
        [
            transforms.Compose([transforms.PILToTensor()]),
            transforms.ConvertImageDtype(lantern.float64),
            transforms.Normalize([0.3], [0.7]),
        ]
    ),
    "PILToTensor": lambda: transforms.PILToTensor(),
    "to int16": lambda: transforms.Compose(
        [transforms.PILToTensor(), transforms.ConvertImageDtype(lantern.int16)]
    ),
}
RANDOM_PIPELINES = {
    "augmented": lambda: transforms.Compose(
        [
            transforms.RandomCrop(5, padding=2),
            transforms.RandomHorizontalFlip(),
            transforms.ToTensor(),
            transforms.Normalize(0.1307, 0.3081),
        ]
    ),
    "a flip": lambda: transforms.Compose(
        [transforms.ToTensor(), transforms.RandomVerticalFlip(0.3)]
    ),
    "nested draws": lambda: transforms.Compose(
        [
            transforms.RandomVerticalFlip(0.7),
            transforms.Compose([transforms.RandomCrop((6, 5)), transforms.RandomCrop((2, 4))]),
            transforms.RandomHorizontalFlip(0.2),
            transforms.PILToTensor(),
        ]
    ),
    "tensor crops": lambda: transforms.Compose(
        [transforms.ToTensor(), transforms.RandomCrop(4, (1, 2, 0, 1)), transforms.RandomCrop(3)]
    ),
}
PIPELINES |= RANDOM_PIPELINES
ONE_BY_ONE = {
    "crop of another colour": lambda: transforms.Compose(
        [transforms.RandomCrop(6, padding=1, fill=3), transforms.ToTensor()]
    ),
    "draws of a user": lambda: transforms.Compose(
        [
            transforms.RandomHorizontalFlip(),
            transforms.ToTensor(),
            transforms.Lambda(lambda image: image + lantern.rand(1)),
        ]
    ),
    "Lambda": lambda: transforms.Compose(
        [transforms.ToTensor(), transforms.Lambda(lambda image: image * 2)]
    ),
    "another's": lambda: transforms.Compose([transforms.ToTensor(), Invert()]),
    "function": lambda: lambda image: lantern.tensor(float(image.getpixel((0, 0)))),
    "mean with axes": lambda: transforms.Compose(
        [transforms.ToTensor(), transforms.Normalize(lantern.rand(1, 1, 5), 0.5)]
    ),
}


def one_by_one(samples):
    return data.default_collate(samples)


def both_ways(dataset, **options):
    ways = []
    for collate_fn in (None, one_by_one):
        lantern.manual_seed(1)
        loader = data.DataLoader(dataset, 4, shuffle=True, collate_fn=collate_fn, **options)
        ways.append(list(loader))
    return ways


def gathers(dataset):
    return dataset.__gather__(lantern.tensor([0, 1])) is not None


@pytest.mark.parametrize("name", [*PIPELINES, *ONE_BY_ONE])
def test_batches_are_bit_for_bit_the_images_one_by_one(root, name):
    mnist = datasets.MNIST(root, transform=(PIPELINES | ONE_BY_ONE)[name]())
    assert gathers(mnist) == (name in PIPELINES)
    at_once, singly = both_ways(mnist)
    assert [len(batch[0]) for batch in at_once] == [4, 4, 2]
    for left, right in zip(at_once, singly, strict=True):
        assert type(left) is type(right) is list
        for first, second in zip(left, right, strict=True):
            equal(first, second)
            assert first.stride() == second.stride()


@pytest.mark.parametrize("name", RANDOM_PIPELINES)
def test_batches_leave_the_random_stream_where_images_one_by_one_do(root, name):
    mnist = datasets.MNIST(root, transform=PIPELINES[name]())
    ends = []
    for collate_fn in (None, one_by_one):
        lantern.manual_seed(4)
        list(data.DataLoader(mnist, 3, collate_fn=collate_fn))
        ends.append(lantern.rand(3).tolist())
    assert ends[0] == ends[1]
    lantern.manual_seed(4)
    mnist.transform = transforms.Compose([mnist.transform, transforms.PILToTensor()])
    before = lantern.get_rng_state()
    assert mnist.__gather__(lantern.tensor([0])) is None  # a tensor is no PIL image
    assert lantern.equal(lantern.get_rng_state(), before)


@pytest.mark.parametrize("name", RANDOM_PIPELINES)
def test_workers_draw_from_their_own_streams(root, name):
    mnist = datasets.MNIST(root, transform=PIPELINES[name]())
    at_once, singly = both_ways(mnist, num_workers=2)
    for left, right in zip(at_once, singly, strict=True):
        equal(left[0], right[0])
    lantern.manual_seed(1)
    here = [batch[0] for batch in data.DataLoader(mnist, 4, shuffle=True)]
    assert not all(
        lantern.equal(first, second[0]) for first, second in zip(here, at_once, strict=True)
    )


def test_draws_beside_those_of_a_target_keep_their_order(root):
    mnist = datasets.MNIST(
        root,
        transform=PIPELINES["augmented"](),
        target_transform=lambda target: target + lantern.rand(1).item(),
    )
    at_once, singly = both_ways(mnist)
    for left, right in zip(at_once, singly, strict=True):
        for first, second in zip(left, right, strict=True):
            equal(first, second)


@pytest.mark.parametrize("name", ["Normalize", "augmented"])
@pytest.mark.parametrize("dtype", ["float64", "float16"])
def test_batches_follow_the_default_dtype(root, dtype, name):
    lantern.set_default_dtype(getattr(lantern, dtype))
    try:
        at_once, singly = both_ways(datasets.MNIST(root, transform=PIPELINES[name]()))
    finally:
        lantern.set_default_dtype(lantern.float32)
    assert str(at_once[0][0].dtype) == f"torch.{dtype}"
    for left, right in zip(at_once, singly, strict=True):
        equal(left[0], right[0])


def test_targets_are_transformed_one_by_one_beside_batches_of_images(root):
    mnist = datasets.MNIST(
        root, transform=transforms.ToTensor(), target_transform=lambda target: (target, "odd"[:2])
    )
    assert gathers(mnist)
    at_once, singly = both_ways(mnist)
    for left, right in zip(at_once, singly, strict=True):
        equal(left[0], right[0])
        equal(left[1][0], right[1][0])
        assert left[1][1] == right[1][1]


def test_a_batch_leaves_the_dataset_as_it_was(root):
    mnist = datasets.MNIST(root, transform=transforms.PILToTensor())
    before = mnist.data.clone()
    for images, targets in data.DataLoader(mnist, batch_size=10):
        images.zero_()
        targets.fill_(-1)
    equal(mnist.data, before)
    assert mnist.targets.numpy().min() >= 0


def test_a_shortened_dataset_is_read_up_to_its_end(root):
    mnist = datasets.MNIST(root, transform=transforms.ToTensor())
    mnist.data, mnist.targets = mnist.data[:5], mnist.targets[:5]
    at_once, singly = both_ways(mnist)
    assert [len(batch[0]) for batch in at_once] == [4, 1]
    equal(at_once[1][0], singly[1][0])


def test_targets_of_another_kind_are_read_one_by_one(root):
    mnist = datasets.MNIST(root, transform=transforms.ToTensor())
    mnist.targets = [int(target) % 2 for target in mnist.targets]
    assert not gathers(mnist)
    at_once, singly = both_ways(mnist)
    equal(at_once[0][1], singly[0][1])


def test_a_target_that_is_no_number_is_an_error_at_once_too(root):
    mnist = datasets.MNIST(root, transform=transforms.ToTensor())
    mnist.targets = mnist.targets.to(lantern.float32)
    mnist.targets[3] = float("nan")
    with pytest.raises(ValueError, match="NaN"):
        list(data.DataLoader(mnist, batch_size=5))


def test_subsets_of_images_are_gathered(root, monkeypatch):
    mnist = datasets.MNIST(root, transform=transforms.ToTensor())
    subset = data.Subset(data.Subset(mnist, [9, 3, 5, 7]), [3, 0, 1])
    at_once, singly = both_ways(subset)
    equal(at_once[0][0], singly[0][0])
    equal(at_once[0][1], singly[0][1])
    assert subset.__gather__(lantern.tensor([0])) is not None


def test_what_a_subclass_overrides_is_what_the_loader_gives(root):
    class Zeroed(datasets.MNIST):
        def __getitem__(self, index):
            image, _ = super().__getitem__(index)
            return image, 0

    class Doubled(transforms.Normalize):
        def forward(self, tensor):
            return super().forward(tensor) * 2

    class Once(transforms.Compose):
        def __call__(self, img):
            return self.transforms[0](img)

    batch = next(iter(data.DataLoader(Zeroed(root, transform=transforms.ToTensor()), 10)))
    assert batch[1].tolist() == [0] * 10
    doubled = [transforms.ToTensor(), Doubled(0.5, 0.5)]
    for pipeline in (transforms.Compose(doubled), Once([transforms.ToTensor(), Invert()])):
        mnist = datasets.MNIST(root, transform=pipeline)
        assert not gathers(mnist)
        at_once, singly = both_ways(mnist)
        equal(at_once[0][0], singly[0][0])


def test_hooks_of_a_transform_are_called_for_every_image(root):
    seen = []
    normalize = transforms.Normalize(0.5, 0.5)
    assert batch_method(normalize) is not None
    handle = normalize.register_forward_hook(lambda *_: seen.append(1))
    mnist = datasets.MNIST(root, transform=transforms.Compose([transforms.ToTensor(), normalize]))
    list(data.DataLoader(mnist, batch_size=5))
    assert len(seen) == 10
    handle.remove()
    assert batch_method(normalize) is not None
    normalize.forward = lambda tensor: tensor
    assert batch_method(normalize) is None


@pytest.mark.parametrize(
    ("steps", "error"),
    [
        ([transforms.Normalize(0.5, 0.5)], TypeError),
        ([transforms.ToTensor(), transforms.ToTensor()], TypeError),
        ([transforms.PILToTensor(), transforms.ToTensor()], TypeError),
        ([transforms.PILToTensor(), transforms.Normalize(0.5, 0.5)], TypeError),
        ([transforms.ToTensor(), transforms.Normalize(0.5, 0.0)], ValueError),
        ([transforms.ToTensor(), transforms.Normalize([0.5] * 3, [0.5] * 3)], RuntimeError),
        ([], TypeError),
    ],
)
def test_wrong_pipelines_fail_alike_at_once_and_one_by_one(root, steps, error):
    mnist = datasets.MNIST(root, transform=transforms.Compose(steps))
    for collate_fn in (None, one_by_one):
        with pytest.raises(error):
            list(data.DataLoader(mnist, batch_size=5, collate_fn=collate_fn))


def test_images_without_a_transform_cannot_be_collated(root):
    with pytest.raises(TypeError, match="default_collate: batch must contain tensors"):
        next(iter(data.DataLoader(datasets.MNIST(root), batch_size=2)))


# The digits that come with Lantern


def test_the_digits_are_there():
    train, test = datasets.Digits(), datasets.Digits(train=False)
    assert train.data.shape == (1437, 8, 8)
    assert test.data.shape == (360, 8, 8)
    assert train.targets.shape == (1437,)
    levels = {round(level * 255 / 16) for level in range(17)}
    for digits in (train, test):
        assert digits.data.dtype == lantern.uint8
        assert digits.targets.dtype == lantern.int64
        assert set(np.unique(digits.data.numpy())) == levels
    counts = np.bincount(train.targets.numpy()), np.bincount(test.targets.numpy())
    assert sum(counts).tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
    np.testing.assert_allclose(counts[1] / sum(counts), 0.2, atol=0.004)


def test_digits_look_like_their_labels():
    """Images are nearest to the mean image of their own class."""
    train, test = datasets.Digits(), datasets.Digits(train=False)
    pixels, targets = train.data.numpy().astype(float), train.targets.numpy()
    means = np.stack([pixels[targets == digit].mean(0) for digit in range(10)])
    distances = ((test.data.numpy()[:, None] - means) ** 2).sum((2, 3))
    assert (distances.argmin(1) == test.targets.numpy()).mean() > 0.85


def test_digits_are_used_like_mnist():
    digits = datasets.Digits(train=False, transform=transforms.ToTensor())
    assert repr(digits).startswith("Dataset Digits\n    Number of datapoints: 360\n    Split: Test")
    images, targets = next(iter(data.DataLoader(digits, batch_size=360)))
    assert images.shape == (360, 1, 8, 8)
    assert (images.numpy().min(), images.numpy().max()) == (0.0, 1.0)
    equal(images[3], digits[3][0])
    assert digits.classes[targets[3]].startswith(str(digits[3][1]))


def test_digits_say_where_they_are_from():
    folder = Path(datasets.__file__).parent
    for text in (datasets.Digits.__doc__, (folder / "DIGITS_LICENSE.txt").read_text()):
        for part in ("E. Alpaydin", "C. Kaynak", "10.24432/C50P49", "CC BY 4.0"):
            assert part in " ".join(text.split())
    assert sum(path.stat().st_size for path in folder.glob("digits-*")) < 100_000


# Transforms


def test_reprs_of_transforms():
    everything = transforms.Compose(
        [
            transforms.ToTensor(),
            transforms.PILToTensor(),
            transforms.ConvertImageDtype(lantern.float32),
            transforms.Normalize((0.5,), [0.25]),
            transforms.Lambda(abs),
        ]
    )
    assert repr(everything) == (
        "Compose(\n    ToTensor()\n    PILToTensor()\n    ConvertImageDtype()\n"
        "    Normalize(mean=(0.5,), std=[0.25])\n    Lambda()\n)"
    )


GREY = np.array([[0, 51, 255], [1, 2, 128]], np.uint8)
COLOUR = np.arange(18, dtype=np.uint8).reshape(2, 3, 3) * 10


@pytest.mark.parametrize(
    ("image", "values"),
    [
        (Image.fromarray(GREY), GREY[None] / np.float32(255)),
        (Image.fromarray(COLOUR), COLOUR.transpose(2, 0, 1) / np.float32(255)),
        (Image.fromarray(GREY).convert("LA"), np.stack([GREY, GREY * 0 + 255]) / np.float32(255)),
        (
            Image.fromarray(GREY).convert("RGBA"),
            np.stack([GREY, GREY, GREY, GREY * 0 + 255]) / np.float32(255),
        ),
        (Image.fromarray(GREY > 100), (GREY > 100)[None].astype(np.float32)),
        (Image.fromarray(GREY.astype(np.int32) * -999), GREY[None].astype(np.int32) * -999),
        (Image.fromarray(GREY / np.float32(7)), GREY[None] / np.float32(7)),
        (
            Image.fromarray(GREY.astype(np.uint16) * 257),
            (GREY[None].astype(np.uint16) * 257).astype(np.int16),
        ),
        (GREY, GREY[None] / np.float32(255)),
        (COLOUR, COLOUR.transpose(2, 0, 1) / np.float32(255)),
        (COLOUR[:, ::2], COLOUR[:, ::2].transpose(2, 0, 1) / np.float32(255)),
        (COLOUR / 3.0, (COLOUR / 3.0).transpose(2, 0, 1)),
        (GREY > 100, (GREY > 100)[None]),
        (Image.new("L", (3, 0)), np.zeros((1, 0, 3), np.float32)),
    ],
)
def test_to_tensor(image, values):
    found = transforms.ToTensor()(image)
    assert found.is_contiguous()
    assert found.numpy().dtype == values.dtype
    np.testing.assert_array_equal(found.numpy(), values)


@pytest.mark.parametrize(
    ("image", "values"),
    [
        (Image.fromarray(GREY), GREY[None]),
        (Image.fromarray(COLOUR), COLOUR.transpose(2, 0, 1)),
        (Image.fromarray(GREY > 100), (GREY > 100)[None]),
        (Image.fromarray(GREY.astype(np.int32) * -999), GREY[None].astype(np.int32) * -999),
        (Image.fromarray(GREY.astype(np.uint16) * 257), GREY[None].astype(np.uint16) * 257),
    ],
)
def test_pil_to_tensor(image, values):
    found = transforms.PILToTensor()(image)
    assert found.numpy().dtype == values.dtype
    np.testing.assert_array_equal(found.numpy(), values)


def test_tensors_of_arrays_and_images_do_not_share_memory_with_eight_bits():
    array = GREY.copy()
    found = functional.to_tensor(array)
    array[:] = 0
    np.testing.assert_array_equal(found.numpy(), GREY[None] / np.float32(255))
    image = Image.fromarray(GREY)
    functional.pil_to_tensor(image).zero_()
    np.testing.assert_array_equal(np.asarray(image), GREY)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: functional.to_tensor([1]), TypeError, "pic should be PIL Image or ndarray. Got"),
        (lambda: functional.to_tensor(lantern.ones(1)), TypeError, "pic should be PIL Image or"),
        (lambda: functional.to_tensor(np.ones(3)), ValueError, "2/3 dimensional. Got 1 dimensions"),
        (lambda: functional.pil_to_tensor(GREY), TypeError, "pic should be PIL Image. Got"),
        (lambda: functional.normalize(GREY, 0, 1), TypeError, "img should be Tensor Image. Got"),
        (
            lambda: functional.normalize(lantern.ones(3), 0, 1),
            TypeError,
            "Tensor is not a torch image.",
        ),
        (
            lambda: functional.normalize(lantern.ones(1, 2, 3, dtype=lantern.uint8), 0, 1),
            TypeError,
            "Input tensor should be a float tensor. Got torch.uint8.",
        ),
        (
            lambda: functional.normalize(lantern.ones(2, 3), 0, 1),
            ValueError,
            r"Got tensor.size\(\) = torch.Size\(\[2, 3\]\)",
        ),
        (
            lambda: functional.normalize(lantern.ones(1, 2, 3), [0.5], [1e-60]),
            ValueError,
            "std evaluated to zero after conversion to torch.float32, leading to division by zero",
        ),
        (
            lambda: functional.normalize(lantern.ones(1, 2, 3), [0.5] * 3, [0.5] * 3),
            RuntimeError,
            "doesn't match the broadcast shape",
        ),
        (
            lambda: functional.convert_image_dtype(GREY, lantern.uint8),
            TypeError,
            "Input img should be Tensor Image",
        ),
        (
            lambda: functional.convert_image_dtype(lantern.ones(1), lantern.int32),
            RuntimeError,
            "The cast from torch.float32 to torch.int32 cannot be performed safely.",
        ),
        (lambda: transforms.Lambda(3), TypeError, "Argument lambd should be callable, got 'int'"),
    ],
)
def test_wrong_input_of_transforms(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_normalize():
    image = lantern.tensor(np.random.RandomState(0).rand(3, 4, 5).astype(np.float32))
    before = image.clone()
    mean, std = np.float32([0.1, 0.2, 0.3]), np.float32([0.4, 0.5, 0.6])
    expected = (image.numpy() - mean[:, None, None]) / std[:, None, None]
    found = transforms.Normalize(mean.tolist(), tuple(std.tolist()))(image)
    np.testing.assert_array_equal(found.numpy(), expected)
    equal(image, before)
    stacked = functional.normalize(lantern.stack([image, image]), mean, lantern.tensor(std))
    np.testing.assert_array_equal(stacked.numpy(), np.stack([expected, expected]))
    one = functional.normalize(image, 0.1307, 0.3081)
    np.testing.assert_array_equal(
        one.numpy(), (before.numpy() - np.float32(0.1307)) / np.float32(0.3081)
    )
    assert functional.normalize(image, 0.5, 0.5, inplace=True) is image
    assert not np.array_equal(image.numpy(), before.numpy())
    assert isinstance(nn.Sequential(transforms.Normalize(0.5, 0.5))[0], nn.Module)


@pytest.mark.parametrize(
    ("source", "dtype", "result"),
    [
        ([0, 128, 255], ("uint8", "float32"), [0.0, 128 / 255, 1.0]),
        ([0, 128, 255], ("uint8", "int16"), [0, 16384, 32640]),
        ([0, 1, 32767], ("int16", "uint8"), [0, 0, 255]),
        ([0.0, 0.5, 1.0], ("float32", "uint8"), [0, 127, 255]),
        ([0.0, 0.5, 1.0], ("float64", "int32"), [0, 1073741823, 2147483647]),
        ([0.25, 0.5], ("float32", "float64"), [0.25, 0.5]),
        ([3, 4], ("uint8", "uint8"), [3, 4]),
        ([False, True], ("bool", "float32"), [0.0, 1.0]),
    ],
)
def test_convert_image_dtype(source, dtype, result):
    image = lantern.tensor(source, dtype=getattr(lantern, dtype[0]))
    found = transforms.ConvertImageDtype(getattr(lantern, dtype[1]))(image)
    equal(found, lantern.tensor(result, dtype=getattr(lantern, dtype[1])))
    assert (found is image) == (dtype[0] == dtype[1])


def test_transforms_of_a_batch_know_images_from_tensors():
    grey = lantern.zeros(2, 3, 3, dtype=lantern.uint8)
    assert transforms.ToTensor().batch(ImageBatch(grey)).shape == (2, 1, 3, 3)
    for transform in (transforms.ToTensor(), transforms.PILToTensor()):
        assert transform.batch(grey) is None
    for transform in (transforms.Normalize(0, 1), transforms.ConvertImageDtype(lantern.float32)):
        assert transform.batch(ImageBatch(grey)) is None


def test_an_object_without_the_attribute_of_batches_normalizes_them_all_the_same():
    images = lantern.rand(2, 3, 4, 5)
    transform = transforms.Normalize((0.1, 0.2, 0.3), (0.5, 0.6, 0.7))
    expected = transform.batch(images)
    older = transforms.Normalize.__new__(transforms.Normalize)
    older.__dict__.update({k: v for k, v in vars(transform).items() if k != "_prepared"})
    assert "_prepared" in vars(transform) and "_prepared" not in vars(older)
    equal(older.batch(images), expected)
    equal(older.batch(images.double()), transform(images.double()))


def test_a_batch_is_normalized_by_the_numbers_that_the_transform_has_now():
    images = lantern.rand(2, 3, 4, 5)
    transform = transforms.Normalize(0.1, 0.5)
    transform.batch(images)
    transform.mean = 0.4
    equal(transform.batch(images), transforms.Normalize(0.4, 0.5)(images))


@pytest.mark.parametrize("module", [lantern.vision, datasets, transforms], ids=lambda m: m.__name__)
def test_what_is_missing_is_named(module):
    path = module.__name__.replace("lantern.vision", "torchvision")
    with pytest.raises(AttributeError, match=f"{path}.ElasticThing is not in Lantern yet"):
        _ = module.ElasticThing


# The real dataset, where it is at hand


@pytest.mark.skipif("LANTERN_DATA" not in os.environ, reason="needs the real MNIST")
def test_the_real_mnist():
    pipeline = transforms.Compose([transforms.ToTensor(), transforms.Normalize(0.1307, 0.3081)])
    mnist = datasets.MNIST(os.environ["LANTERN_DATA"], transform=pipeline)
    assert np.bincount(mnist.targets.numpy()).tolist() == [
        5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949
    ]  # fmt: skip
    total = count = 0
    for images, targets in data.DataLoader(mnist, batch_size=64, shuffle=True):
        total += float(images.sum(dtype=lantern.float64))
        count += len(targets)
    assert count == 60000
    assert abs(total / (60000 * 784)) < 1e-3
