"""Names, parameters, texts, errors and networks beside torchvision's.

`scripts/make_vision_goldens.py` stored its answers in `goldens/vision.json`.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
import vision_facts as facts
from PIL import Image
from vision_cases import run

import lantern
import lantern.vision
from lantern.vision import datasets, models, transforms
from lantern.vision.models import weights
from lantern.vision.transforms import functional, v2

STORED = json.loads((Path(__file__).parent / "goldens" / "vision.json").read_text())

# What Lantern leaves out on purpose: sets of data behind logins, forms or gigabytes, networks
# beyond the courses, and operations of detection.
OMITTED = {
    "": {"disable_beta_transforms_warning", "get_video_backend", "set_video_backend"},
    "datasets": {
        "CLEVRClassification", "CREStereo", "Caltech101", "Caltech256", "CarlaStereo", "CelebA",
        "Cityscapes", "CocoCaptions", "CocoDetection", "Country211", "DTD", "ETH3DStereo",
        "EuroSAT", "FER2013", "FGVCAircraft", "FallingThingsStereo", "Flickr30k", "Flickr8k",
        "Flowers102", "FlyingChairs", "FlyingThings3D", "Food101", "GTSRB", "HD1K", "HMDB51",
        "INaturalist", "ImageNet", "Imagenette", "InStereo2k", "Kinetics", "Kitti",
        "Kitti2012Stereo", "Kitti2015Stereo", "KittiFlow", "LFWPairs", "LFWPeople", "LSUN",
        "LSUNClass", "Middlebury2014Stereo", "MovingMNIST", "Omniglot", "OxfordIIITPet", "PCAM",
        "PhotoTour", "Places365", "RenderedSST2", "SBDataset", "SBU", "SEMEION", "SUN397", "SVHN",
        "SceneFlowStereo", "Sintel", "SintelStereo", "StanfordCars", "UCF101", "USPS",
        "VOCDetection", "VOCSegmentation", "WIDERFace", "wrap_dataset_for_transforms_v2",
    },
    "datasets.folder": {"accimage_loader"},
    "datasets.utils": {"download_file_from_google_drive"},
    "io": {"decode_avif", "decode_gif", "decode_heic", "decode_webp"},
    "ops": {
        "Conv3dNormActivation", "DeformConv2d", "DropBlock2d", "DropBlock3d",
        "FeaturePyramidNetwork", "FrozenBatchNorm2d", "MLP", "MultiScaleRoIAlign", "PSRoIAlign",
        "PSRoIPool", "Permute", "RoIAlign", "RoIPool", "SqueezeExcitation", "StochasticDepth",
        "complete_box_iou", "complete_box_iou_loss", "deform_conv2d", "distance_box_iou",
        "distance_box_iou_loss", "drop_block2d", "drop_block3d", "generalized_box_iou",
        "generalized_box_iou_loss", "masks_to_boxes", "ps_roi_align", "ps_roi_pool", "roi_align",
        "roi_pool", "sigmoid_focal_loss", "stochastic_depth",
    },
    "utils": {"flow_to_image"},
}  # fmt: skip
# Families of networks that are left out, by the start of their names.
OTHER_NETWORKS = (
    "convnext", "efficientnet", "inception", "maxvit", "mnasnet", "mobilenet_v3", "mobilenetv3",
    "regnet", "shufflenet", "swin", "vit_", "visiontransformer",
)  # fmt: skip


@pytest.mark.parametrize("module", facts.MODULES)
def test_names_of_torchvision_are_there_or_left_out_on_purpose(module):
    ours = facts.module_of(lantern.vision, module)
    for name in STORED["names"][module]:
        left_out = name in OMITTED.get(module, ())
        if module == "models":
            left_out = name.lower().startswith(OTHER_NETWORKS)
        if left_out:
            with pytest.raises(AttributeError, match=f"torchvision.*{name} is not in Lantern yet"):
                getattr(ours, name)
        else:
            assert hasattr(ours, name), name


def test_parameters_are_those_of_torchvision():
    for path, wanted in STORED["parameters"].items():
        module, _, name = path.rpartition(".")
        if name not in OMITTED.get(module, ()):
            found = facts.parameters(getattr(facts.module_of(lantern.vision, module), name))
            assert found == wanted, path


def test_texts_are_those_of_torchvision():
    assert facts.texts(transforms, lantern) == STORED["texts"]


@pytest.mark.parametrize("call", STORED["errors"])
def test_errors_begin_as_those_of_torchvision(call):
    kind, text = facts.raised(facts.wrong_calls(transforms, functional, lantern)[call])
    assert kind == STORED["errors"][call][0]
    assert text.startswith(STORED["errors"][call][1].rstrip("."))


# The second version of the transforms

V2 = facts.second_version(lantern, v2, functional, run)


def test_every_stored_run_of_the_second_version_is_made():
    assert list(V2) == list(STORED["second version"])


@pytest.mark.parametrize("key", V2)
def test_the_second_version_draws_as_that_of_torchvision(key):
    found, wanted = V2[key], STORED["second version"][key]
    assert list(found) == list(wanted)
    for part, (shape, total) in found.items():
        assert shape == wanted[part][0]
        assert total == pytest.approx(wanted[part][1], rel=1e-5 if part == "stream" else 2e-3)


def test_mixtures_are_those_of_torchvision():
    assert facts.mixtures(lantern, v2) == pytest.approx(STORED["mixtures"], rel=1e-5)


def test_samples_keep_their_labels_and_form():
    flip = v2.Compose([v2.RandomHorizontalFlip(1), v2.ToDtype(lantern.float64)])
    image = lantern.tensor([[[1.0, 2.0]]])
    assert flip(image).tolist() == [[[2.0, 1.0]]]
    turned, label = flip(image, 3)
    assert (turned.tolist(), label) == ([[[2.0, 1.0]]], 3)
    sample = flip({"image": image, "label": [lantern.tensor(1), "cat"]})
    assert sample["image"].tolist() == [[[2.0, 1.0]]]
    assert sample["label"][1] == "cat"
    picture = Image.new("RGB", (3, 2))
    assert v2.ToImage()(picture, image)[0].shape == (3, 2, 3)
    assert v2.ToImage()(picture, image)[1] is image
    with pytest.raises(NotImplementedError, match="samples of several images"):
        v2.ToImage()(picture, picture)
    assert v2.Resize(4, interpolation="nearest")(image).shape == (1, 4, 8)
    assert v2.ToDtype(lantern.uint8, scale=True)(image / 2).tolist() == [[[127, 255]]]
    assert v2.RGB()(image).shape == (3, 1, 2)
    with pytest.raises(AttributeError, match="v2.RandomIoUCrop is not in Lantern yet"):
        _ = v2.RandomIoUCrop


def test_the_second_version_takes_batches():
    digits = datasets.Digits()
    steps = [v2.ToImage(), v2.RandomCrop(8, padding=1), v2.ToDtype(lantern.float32, scale=True)]
    digits.transform = v2.Compose([*steps, v2.Normalize([0.3], [0.4])])
    lantern.manual_seed(0)
    at_once, _ = digits.__gather__(lantern.arange(5))
    lantern.manual_seed(0)
    assert lantern.equal(at_once, lantern.stack([digits[place][0] for place in range(5)]))


# Networks


@pytest.fixture
def without_draws(monkeypatch):
    """Initial values are not drawn: large networks are made in no time."""
    for name in dir(lantern.nn.init):
        if name.endswith("_") and name[0] != "_":
            monkeypatch.setattr(lantern.nn.init, name, lambda tensor, *args, **kwargs: tensor)


@pytest.mark.parametrize("name", STORED["structure"])
def test_keys_shapes_and_texts_of_networks(name, without_draws):
    build = models.get_model_builder(name)
    assert facts.quietly(lambda: facts.structure(build())) == STORED["structure"][name]


@pytest.mark.parametrize("name", STORED["numbers"])
def test_initial_weights_and_scores_of_networks(name):
    found = facts.quietly(lambda: facts.numbers(lantern, models.get_model_builder(name)))
    assert found == pytest.approx(STORED["numbers"][name], rel=1e-4, abs=1e-4)


def test_networks_train():
    for name in ("resnet18", "mobilenet_v2", "squeezenet1_1"):
        model = models.get_model(name, num_classes=3)
        scores = model(lantern.rand(2, 3, 32, 32))
        assert scores.shape == (2, 3)
        lantern.nn.functional.cross_entropy(scores, lantern.tensor([0, 2])).backward()
        assert all(parameter.grad is not None for parameter in model.parameters())
    outputs = models.googlenet(num_classes=3, init_weights=False)(lantern.rand(2, 3, 64, 64))
    assert type(outputs).__name__ == "GoogLeNetOutputs"
    assert [output.shape for output in outputs] == [(2, 3)] * 3


def test_lists_of_networks():
    assert models.list_models(include="vgg*", exclude=["*bn", "*9"]) == ["vgg11", "vgg13", "vgg16"]
    assert len(models.list_models(models)) == len(STORED["structure"])
    with pytest.raises(ValueError, match="Unknown model resnet19"):
        models.get_model("resnet19")
    assert models.get_model_weights("resnet50").DEFAULT is models.ResNet50_Weights.IMAGENET1K_V2
    assert models.get_weight("VGG11_Weights.DEFAULT").url.endswith("/vgg11-8a719046.pth")


# Trained weights


@pytest.fixture
def hub(tmp_path, monkeypatch):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    folder = tmp_path / "hub" / "checkpoints"
    folder.mkdir(parents=True)
    return folder


@pytest.mark.parametrize("given", ["DEFAULT", "SqueezeNet1_1_Weights.IMAGENET1K_V1", True])
def test_weights_that_are_not_there_are_named(hub, given):
    with pytest.raises(RuntimeError) as caught:
        models.squeezenet1_1(weights=given)
    message = str(caught.value)
    assert message.startswith("Lantern does not download weights. To use SqueezeNet1_1_Weights.IM")
    assert "squeezenet1_1-b8a52dc0.pth" in message
    assert "https://download.pytorch.org/models/" in message
    assert str(hub) in message


def test_weights_that_are_there_are_loaded(hub, monkeypatch):
    trained = models.squeezenet1_1()
    path = hub / "squeezenet1_1-b8a52dc0.pth"
    lantern.save(trained.state_dict(), path)
    with pytest.raises(RuntimeError, match="is damaged: its sha256 does not begin with b8a52dc0"):
        models.squeezenet1_1(weights="DEFAULT")
    monkeypatch.setattr(weights, "sha256_of", lambda path: "b8a52dc0")
    model = models.squeezenet1_1(weights=models.SqueezeNet1_1_Weights.DEFAULT)
    for left, right in zip(model.parameters(), trained.parameters(), strict=True):
        assert lantern.equal(left, right)
    with pytest.warns(UserWarning, match="'pretrained' is deprecated"):
        models.squeezenet1_1(pretrained=True)
    with pytest.warns(UserWarning, match="'pretrained' is deprecated"):
        models.squeezenet1_1(pretrained=False)
    with pytest.raises(ValueError, match="'num_classes' expected value 1000 but got 10"):
        models.squeezenet1_1(weights="DEFAULT", num_classes=10)
    with pytest.raises(TypeError, match="expected SqueezeNet1_1_Weights but received VGG11_Weig"):
        models.squeezenet1_1(weights=models.VGG11_Weights.DEFAULT)


def test_weights_say_how_images_are_prepared():
    from PIL import Image

    prepare = models.ResNet50_Weights.DEFAULT.transforms()
    assert prepare(Image.new("RGB", (300, 400))).shape == (3, 224, 224)
    assert repr(prepare).startswith(
        "ImageClassification(\n    crop_size=[224]\n    resize_size=[232]\n    mean=[0.485, 0.456"
    )


def test_former_names_of_layers_in_published_files():
    state = {"features.denseblock1.denselayer2.norm.1.weight": 1, "classifier.bias": 2}
    assert models.DenseNet.renamed(state) == {
        "features.denseblock1.denselayer2.norm1.weight": 1,
        "classifier.bias": 2,
    }


def test_the_hub_of_pytorch_is_found(monkeypatch):
    monkeypatch.delenv("TORCH_HOME", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", "/x")
    assert weights.checkpoint_folder() == os.path.join("/x", "torch", "hub", "checkpoints")
