"""What torchvision's public names, texts and networks are, asked of it and of Lantern alike.

`scripts/make_vision_goldens.py` stores torchvision's answers in `goldens/vision.json`.
"""

from __future__ import annotations

import hashlib
import inspect
import warnings

MODULES = (
    "",
    "datasets",
    "datasets.folder",
    "datasets.utils",
    "io",
    "models",
    "ops",
    "transforms",
    "transforms.functional",
    "utils",
)


def module_of(vision, name):
    for part in filter(None, name.split(".")):
        vision = getattr(vision, part)
    return vision


def public_names(vision, name):
    module = module_of(vision, name)
    listed = getattr(module, "__all__", None)
    if not listed or name in ("models", "transforms"):
        own = vision.__name__.partition(".")[0]
        listed = [
            key
            for key, value in vars(module).items()
            if key[0] != "_"
            and (inspect.isclass(value) or inspect.isfunction(value))
            and value.__module__.startswith(own)
        ]
    return sorted(key for key in set(listed) if key[0] != "_")


def parameters(thing):
    """Names and defaults of what a class or function takes."""
    try:
        found = inspect.signature(thing).parameters.values()
    except (TypeError, ValueError):
        return None
    shown = []
    for each in found:
        default = each.default
        if default is inspect.Parameter.empty or callable(default) or "object at" in repr(default):
            shown.append(f"{'*' * (each.kind.name.startswith('VAR'))}{each.name}")
        else:
            shown.append(f"{each.name}={default!r}")
    return shown


def texts(T, torch):
    """Transforms whose `repr` people print."""
    I = T.InterpolationMode  # noqa: E741
    return [
        repr(each)
        for each in (
            T.Resize(3),
            T.Resize((3, 4), I.NEAREST, antialias=False),
            T.CenterCrop(3),
            T.Pad((1, 2), fill=3, padding_mode="edge"),
            T.FiveCrop(3),
            T.TenCrop((3, 4)),
            T.RandomCrop(5, padding=1),
            T.RandomHorizontalFlip(),
            T.RandomVerticalFlip(0.3),
            T.RandomResizedCrop(7),
            T.RandomRotation(10),
            T.RandomRotation((1, 5), center=(1, 2), expand=True, fill=(1, 2, 3)),
            T.RandomAffine(10),
            T.RandomAffine(10, (0.1, 0.2), (1, 2), 3, I.BILINEAR, 5, (1, 2)),
            T.RandomPerspective(),
            T.ColorJitter(0.1, 0.2, (0.5, 1), 0.1),
            T.Grayscale(3),
            T.RandomGrayscale(),
            T.RandomErasing(),
            T.GaussianBlur(3),
            T.RandomInvert(),
            T.RandomPosterize(3),
            T.RandomSolarize(3.5),
            T.RandomAdjustSharpness(2),
            T.RandomAutocontrast(),
            T.RandomEqualize(),
            T.ToPILImage(),
            T.ToPILImage("L"),
            T.ConvertImageDtype(torch.float32),
            T.RandomApply([T.ToTensor()]),
            T.RandomOrder([T.ToTensor(), T.Normalize(0.5, 0.5)]),
            T.RandomChoice([T.ToTensor(), T.CenterCrop(3)]),
            T.LinearTransformation(torch.eye(2), torch.zeros(2)),
            T.ElasticTransform(),
            T.AutoAugment(),
            T.RandAugment(),
            T.TrivialAugmentWide(),
            T.AugMix(),
        )
    ]


def wrong_calls(T, F, torch):
    """Calls that raise, each with its name."""
    image = torch.zeros(3, 4, 5)
    return {
        "resize size": lambda: T.Resize(3.5),
        "resize three": lambda: T.Resize((1, 2, 3)),
        "resize mode": lambda: F.resize(image, 3, "bilinear"),
        "resize max": lambda: F.resize(image, 3, max_size=2),
        "resize max pair": lambda: F.resize(image, (3, 3), max_size=2),
        "center three": lambda: T.CenterCrop((1, 2, 3)),
        "pad three": lambda: T.Pad((1, 2, 3)),
        "pad mode": lambda: T.Pad(1, padding_mode="other"),
        "pad text": lambda: F.pad(image, "1"),
        "crop large": lambda: T.RandomCrop(9)(image),
        "five large": lambda: T.FiveCrop(9)(image),
        "rotation": lambda: T.RandomRotation(-3),
        "rotation three": lambda: T.RandomRotation((1, 2, 3)),
        "rotation fill": lambda: T.RandomRotation(3, fill=object()),
        "affine translate": lambda: T.RandomAffine(1, translate=(2, 0)),
        "affine scale": lambda: T.RandomAffine(1, scale=(0, 1)),
        "affine shear": lambda: T.RandomAffine(1, shear=(1, 2, 3)),
        "affine call": lambda: F.affine(image, 1, [1, 2, 3], 1, 0),
        "affine zero": lambda: F.affine(image, 1, [1, 2], 0, 0),
        "jitter": lambda: T.ColorJitter(brightness=-1),
        "jitter hue": lambda: T.ColorJitter(hue=0.7),
        "jitter text": lambda: T.ColorJitter(hue="x"),
        "brightness": lambda: F.adjust_brightness(image, -1),
        "hue": lambda: F.adjust_hue(image, 0.6),
        "gamma": lambda: F.adjust_gamma(image, -1),
        "channels": lambda: F.adjust_contrast(torch.zeros(2, 4, 4), 1),
        "grey": lambda: F.rgb_to_grayscale(torch.zeros(4, 4)),
        "grey channels": lambda: F.rgb_to_grayscale(image, 2),
        "posterize": lambda: F.posterize(image, 3),
        "posterize bits": lambda: F.posterize(image, 9),
        "equalize": lambda: F.equalize(image),
        "solarize": lambda: F.solarize(image, 3),
        "blur even": lambda: T.GaussianBlur(2),
        "blur sigma": lambda: T.GaussianBlur(3, -1),
        "blur sigmas": lambda: T.GaussianBlur(3, (2, 1)),
        "blur call": lambda: F.gaussian_blur(image, [3, 3, 3]),
        "erasing value": lambda: T.RandomErasing(value="x"),
        "erasing scale": lambda: T.RandomErasing(scale=(0, 2)),
        "erasing channels": lambda: T.RandomErasing(1, value=(1, 2))(image),
        "erase": lambda: F.erase([1], 0, 0, 1, 1, 0),
        "hflip": lambda: F.hflip([1]),
        "dimensions": lambda: F.get_dimensions([1]),
        "vector": lambda: F.hflip(torch.zeros(3)),
        "to pil": lambda: F.to_pil_image([1]),
        "to pil channels": lambda: F.to_pil_image(torch.zeros(5, 2, 2)),
        "to pil vector": lambda: F.to_pil_image(torch.zeros(5)),
        "perspective": lambda: F.perspective(image, [[0, 0]], [[0, 0]]),
        "lambda": lambda: T.Lambda(3),
        "choice": lambda: T.RandomChoice(3),
        "linear": lambda: T.LinearTransformation(torch.zeros(2, 3), torch.zeros(2)),
        "mix": lambda: T.AugMix(11),
    }


def raised(call):
    try:
        call()
    except Exception as error:
        return [type(error).__name__, str(error)]
    return None


def structure(model):
    """Keys and shapes of a network's `state_dict` and its `repr`, in short."""
    state = [(key, tuple(value.shape)) for key, value in model.state_dict().items()]
    return [hashlib.md5(text.encode()).hexdigest()[:12] for text in (str(state), repr(model))]


def numbers(torch, build):
    """Sums over the initial weights for a seed, and what the network then makes of an image."""
    torch.manual_seed(1)
    model = build()
    values = [value.double() for value in model.state_dict().values()]
    sums = [sum(float(v.sum()) for v in values), sum(float((v * v).sum()) for v in values)]
    image = torch.linspace(-1, 1, 2 * 3 * 64 * 64).reshape(2, 3, 64, 64)
    with torch.no_grad():
        scores = model.eval()(image)
    return [*sums, *scores.flatten()[:5].tolist()]


def quietly(call):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return call()


def second_version(torch, v2, functional, run):
    """Sums over what the random transforms of version two give, and their streams afterwards."""
    found = {}
    for key, result in run(torch, v2, functional):
        name, kind, *seed = key.split(" | ")
        if seed and kind in ("RGB", "float") and "Aug" not in name:
            arrays = result()
            found[key] = {
                part.replace("Image", "Tensor"): [list(array.shape), float(array.sum())]
                for part, array in arrays.items()
            }
    return found


def mixtures(torch, v2):
    """Sums over batches mixed for a few seeds."""
    images = torch.arange(2.0 * 3 * 8 * 6).view(2, 3, 8, 6)
    found = []
    for kind in (v2.MixUp, v2.CutMix):
        for seed in range(4):
            torch.manual_seed(seed)
            mixed, labels = kind(num_classes=3)(images, torch.tensor([0, 2]))
            found += [float(mixed[0].sum()), *labels.flatten().tolist()]
    return found
