"""Grids and drawings, image files, and the arithmetic of boxes."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

import lantern
from lantern.vision import io, ops, utils

PIXELS = (np.arange(3 * 6 * 7) * 5 % 256).astype(np.uint8).reshape(3, 6, 7)
IMAGE = lantern.from_numpy(PIXELS)


# Grids


def test_a_grid_has_the_images_in_rows():
    images = lantern.arange(5.0).view(5, 1, 1, 1).expand(5, 3, 2, 4)
    grid = utils.make_grid(images, nrow=3, padding=1, pad_value=9)
    assert grid.shape == (3, 7, 16)
    assert grid[0, 1].tolist() == [9, 0, 0, 0, 0, 9, 1, 1, 1, 1, 9, 2, 2, 2, 2, 9]
    assert grid[2, 4].tolist() == [9, 3, 3, 3, 3, 9, 4, 4, 4, 4, 9, 9, 9, 9, 9, 9]
    assert grid[1, 0].tolist() == [9] * 16


def test_a_grid_of_one_image_is_the_image():
    assert utils.make_grid(lantern.ones(2, 3)).shape == (3, 2, 3)
    assert utils.make_grid([lantern.ones(3, 2, 3)]).shape == (3, 2, 3)
    assert utils.make_grid([lantern.ones(1, 2, 3)] * 2, padding=0).shape == (3, 2, 6)


def test_grids_are_normalized_together_or_each_by_itself():
    images = lantern.tensor([0.0, 2.0, 4.0, 8.0]).view(2, 1, 1, 2)
    together = utils.make_grid(images, normalize=True, padding=0)
    assert together[0].tolist() == [[0, 0.25, 0.5, 1]]
    each = utils.make_grid(images, normalize=True, scale_each=True, padding=0)
    assert each[0].tolist() == [[0, 1, 0, 1]]
    given = utils.make_grid(images, normalize=True, value_range=(2, 4), padding=0)
    assert given[0].tolist() == [[0, 0, 1, 1]]
    assert images.flatten().tolist() == [0, 2, 4, 8]


def test_a_grid_of_something_else_is_refused():
    with pytest.raises(TypeError, match="tensor or list of tensors expected, got <class 'int'>"):
        utils.make_grid(3)
    with pytest.raises(TypeError, match="got a list containing <class 'int'>"):
        utils.make_grid([3])
    with pytest.raises(TypeError, match="value_range has to be a tuple"):
        utils.make_grid(lantern.ones(2, 3, 4, 4), normalize=True, value_range=[0, 1])


def test_images_are_saved(tmp_path):
    path = tmp_path / "picture.png"
    utils.save_image(IMAGE.float() / 255, path)
    assert lantern.equal(io.read_image(path), IMAGE)
    utils.save_image(lantern.rand(5, 1, 4, 4), path, nrow=2)
    assert io.read_image(path).shape == (3, 20, 14)


# Drawings


def test_boxes_are_drawn():
    boxes = lantern.tensor([[1, 1, 4, 3]])
    drawn = utils.draw_bounding_boxes(lantern.zeros(3, 6, 7), boxes, colors="red")
    assert drawn[0].tolist() == [
        [0, 0, 0, 0, 0, 0, 0],
        [0, 1, 1, 1, 1, 0, 0],
        [0, 1, 0, 0, 1, 0, 0],
        [0, 1, 1, 1, 1, 0, 0],
        [0, 0, 0, 0, 0, 0, 0],
        [0, 0, 0, 0, 0, 0, 0],
    ]
    assert drawn[1:].sum() == 0
    grey = lantern.zeros(1, 30, 40, dtype=lantern.uint8)
    named = utils.draw_bounding_boxes(
        grey, boxes * 5, ["cat"], (9, 8, 7), fill=True, label_colors="white", fill_labels=True
    )
    assert named.shape == (3, 30, 40)
    assert len(named.unique()) > 2
    with pytest.raises(ValueError, match="Boxes need to be in"):
        utils.draw_bounding_boxes(IMAGE, boxes.flip(1))
    with pytest.raises(ValueError, match=r"boxes \(1\) and labels \(2\) mismatch"):
        utils.draw_bounding_boxes(IMAGE, boxes, ["a", "b"])
    with pytest.warns(UserWarning, match="doesn't contain any box"):
        assert utils.draw_bounding_boxes(IMAGE, boxes[:0]) is IMAGE


def test_masks_are_drawn():
    masks = lantern.zeros(2, 6, 7, dtype=lantern.bool)
    masks[0, 0, :2] = True
    masks[1, 0, 1:3] = True
    drawn = utils.draw_segmentation_masks(IMAGE, masks, 0.5, [(100, 0, 0), "#c80000"])
    first = IMAGE[:, 0, :4].float() * 0.5
    first[0] += lantern.tensor([50.0, 0.0, 100.0, 0.0])
    first[:, 3] *= 2
    assert (drawn[:, 0, :3] == first[:, :3].to(lantern.uint8)).all()
    assert lantern.equal(drawn[:, 1:], ((IMAGE * 0.5) + IMAGE * 0.5)[:, 1:].to(lantern.uint8))
    with pytest.raises(ValueError, match="The masks must be of dtype bool"):
        utils.draw_segmentation_masks(IMAGE, masks.float())


def test_points_are_drawn():
    points = lantern.tensor([[[2.0, 3.0], [5.0, 1.0]]])
    drawn = utils.draw_keypoints(lantern.zeros(3, 6, 7), points, colors="blue", radius=1)
    assert drawn[2, [1, 3, 3, 5], [5, 2, 5, 2]].tolist() == [1, 1, 0, 0]
    hidden = lantern.tensor([[True, False]])
    drawn = utils.draw_keypoints(
        lantern.zeros(3, 6, 7), points, [(0, 1)], "blue", 1, visibility=hidden
    )
    assert drawn[2, [1, 3], [5, 2]].tolist() == [0, 1]
    joined = utils.draw_keypoints(lantern.zeros(3, 6, 7), points, [(0, 1)], "blue", 1, width=1)
    assert joined[0, 2, 3] == 1


# Files


@pytest.mark.parametrize("channels", [1, 3])
def test_images_are_written_and_read(tmp_path, channels):
    path = str(tmp_path / "x.png")
    io.write_png(IMAGE[:channels], path)
    assert lantern.equal(io.read_image(path), IMAGE[:channels])
    assert lantern.equal(io.decode_png(io.read_file(path)), IMAGE[:channels])
    assert io.read_image(path, io.ImageReadMode.RGB_ALPHA).shape == (4, 6, 7)
    assert io.read_image(path, "gray").shape == (1, 6, 7)
    smooth = lantern.full((channels, 16, 16), 100, dtype=lantern.uint8)
    io.write_jpeg(smooth, path, quality=95)
    assert (io.read_image(path).int() - 100).abs().max() <= 2


def test_colours_of_a_table_are_looked_up(tmp_path):
    Image.fromarray(PIXELS.transpose(1, 2, 0)).quantize(200).save(tmp_path / "x.png")
    found = io.read_image(tmp_path / "x.png")
    assert (found.int() - IMAGE.int()).abs().max() <= 3


def test_what_is_no_image_is_refused(tmp_path):
    with pytest.raises(RuntimeError, match="are not those of an image"):
        io.decode_image(lantern.zeros(9, dtype=lantern.uint8))
    with pytest.raises(FileNotFoundError):
        io.read_image(tmp_path / "absent.png")
    with pytest.raises(RuntimeError, match="Input tensor dtype should be uint8, got torch.float32"):
        io.encode_png(lantern.ones(3, 2, 2))
    with pytest.raises(RuntimeError, match="The number of channels should be 1 or 3"):
        io.encode_jpeg(lantern.ones(2, 2, 2, dtype=lantern.uint8))


# Boxes

BOXES = lantern.tensor(
    [[0.0, 0, 10, 10], [1, 1, 11, 11], [20, 20, 30, 30], [0, 0, 5, 5], [21, 20, 31, 30]]
)
SCORES = lantern.tensor([0.9, 0.8, 0.7, 0.95, 0.75])


def test_what_boxes_have_in_common():
    found = ops.box_iou(BOXES[:2], BOXES[:4])
    assert found[0].tolist() == pytest.approx([1, 81 / 119, 0, 0.25])
    assert ops.box_area(BOXES.to(lantern.uint8)).tolist() == [100, 100, 100, 25, 100]


def test_covered_boxes_are_left_out():
    assert ops.nms(BOXES, SCORES, 0.5).tolist() == [3, 0, 4]
    assert ops.nms(BOXES, SCORES, 0.9).tolist() == [3, 0, 1, 4, 2]
    assert ops.nms(BOXES[:0], SCORES[:0], 0.5).tolist() == []
    kinds = lantern.tensor([0, 1, 0, 0, 1])
    assert ops.batched_nms(BOXES, SCORES, kinds, 0.5).tolist() == [3, 0, 1, 4, 2]


def test_boxes_in_other_forms():
    box = lantern.tensor([[10.0, 20.0, 30.0, 60.0]])
    assert ops.box_convert(box, "xyxy", "xywh").tolist() == [[10, 20, 20, 40]]
    assert ops.box_convert(box, "xyxy", "cxcywh").tolist() == [[20, 40, 20, 40]]
    forms = ("xyxy", "xywh", "cxcywh")
    for source in forms:
        for target in forms:
            there = ops.box_convert(ops.box_convert(box, "xyxy", source), source, target)
            assert there.tolist() == ops.box_convert(box, "xyxy", target).tolist()
    with pytest.raises(ValueError, match="Unsupported Bounding Box Conversions"):
        ops.box_convert(box, "xyxy", "yxyx")
    assert ops.clip_boxes_to_image(box, (50, 25)).tolist() == [[10, 20, 25, 50]]
    assert ops.remove_small_boxes(BOXES, 6).tolist() == [0, 1, 2, 4]
