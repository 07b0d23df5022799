"""Image datasets as files: IDX, MNIST's folder, downloads from a server on this machine."""

from __future__ import annotations

import gzip
import hashlib
import http.server
import os
import struct
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import lantern
from lantern.vision import datasets, transforms
from lantern.vision.datasets import download
from lantern.vision.datasets.idx import read_idx

IDX_TYPES = {
    "uint8": 0x08,
    "int8": 0x09,
    "int16": 0x0B,
    "int32": 0x0C,
    "float32": 0x0D,
    "float64": 0x0E,
}


def idx_bytes(array):
    header = struct.pack(">HBB", 0, IDX_TYPES[array.dtype.name], array.ndim)
    lengths = struct.pack(f">{array.ndim}I", *array.shape)
    return header + lengths + array.astype(array.dtype.newbyteorder(">")).tobytes()


def fake_images(count, seed=0):
    random = np.random.RandomState(seed)
    images = random.randint(0, 256, (count, 6, 5)).astype(np.uint8)
    return images, random.randint(0, 10, count).astype(np.uint8)


def fake_files(train=10, test=4):
    files = {}
    for split, count in (("train", train), ("t10k", test)):
        images, labels = fake_images(count, seed=count)
        files[f"{split}-images-idx3-ubyte"] = idx_bytes(images)
        files[f"{split}-labels-idx1-ubyte"] = idx_bytes(labels)
    return files


def put(folder, files, packed=False):
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        path = folder / (name + ".gz" if packed else name)
        path.write_bytes(gzip.compress(content, mtime=0) if packed else content)


@pytest.fixture
def root(tmp_path):
    put(tmp_path / "MNIST" / "raw", fake_files())
    return tmp_path


# IDX files


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("name", IDX_TYPES)
def test_idx_files_of_every_type_are_read(tmp_path, name, packed):
    values = (np.arange(24).reshape(2, 3, 4) * 5 - 40).astype(name)
    path = tmp_path / ("values.gz" if packed else "values")
    path.write_bytes(gzip.compress(idx_bytes(values)) if packed else idx_bytes(values))
    found = read_idx(path)
    assert str(found.dtype) == f"torch.{name}"
    np.testing.assert_array_equal(found.numpy(), values)


@pytest.mark.parametrize("shape", [(0,), (0, 28, 28), (3, 0)])
def test_idx_files_may_be_empty(tmp_path, shape):
    (tmp_path / "values").write_bytes(idx_bytes(np.zeros(shape, np.uint8)))
    assert read_idx(tmp_path / "values").shape == shape


WHOLE = idx_bytes(np.arange(60, dtype=np.uint8).reshape(3, 4, 5))
DAMAGED = {
    "empty": (b"", "does not begin like an IDX file"),
    "short magic": (WHOLE[:3], "does not begin like an IDX file"),
    "another format": (b"\x89PNG" + WHOLE[4:], "does not begin like an IDX file"),
    "unknown type": (b"\0\0\x0a\x03" + WHOLE[4:], "does not begin like an IDX file"),
    "no axes": (b"\0\0\x08\0" + WHOLE[4:], "it has 0 axes"),
    "many axes": (b"\0\0\x08\xff" + b"\0\0\0\1" * 255 + b"\0", "it has 255 axes"),
    "short header": (WHOLE[:9], "its header is cut off"),
    "no values": (WHOLE[:16], "holds fewer than the 60 bytes"),
    "short values": (WHOLE[:-1], "holds fewer than the 60 bytes"),
    "long values": (WHOLE + b"\0", "holds more than the 60 bytes"),
    "vast": (b"\0\0\x08\x03" + b"\xff" * 12 + b"abc", "holds fewer than the 79228162458924105385"),
}


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("case", DAMAGED)
def test_damaged_idx_files_are_refused(tmp_path, case, packed):
    content, reason = DAMAGED[case]
    path = tmp_path / ("values.gz" if packed else "values")
    path.write_bytes(gzip.compress(content) if packed else content)
    with pytest.raises(RuntimeError, match=f"{path.name} is damaged: .*{reason}"):
        read_idx(path)


@pytest.mark.parametrize("cut", [0, 5, 30, -9, -1])
def test_cut_archives_are_refused(tmp_path, cut):
    path = tmp_path / "values.gz"
    path.write_bytes(gzip.compress(WHOLE)[:cut])
    with pytest.raises(RuntimeError, match=r"values\.gz is damaged"):
        read_idx(path)


def test_spoilt_archives_are_refused(tmp_path):
    packed = bytearray(gzip.compress(np.random.RandomState(0).bytes(500)))
    packed[300] ^= 255
    path = tmp_path / "values.gz"
    for content in (bytes(packed), b"not gzip at all"):
        path.write_bytes(content)
        with pytest.raises(RuntimeError, match=r"values\.gz is damaged"):
            read_idx(path)


# MNIST and its relatives


def test_mnist_reads_the_files_of_its_split(root):
    for train, count in ((True, 10), (False, 4)):
        images, labels = fake_images(count, seed=count)
        mnist = datasets.MNIST(root, train=train)
        np.testing.assert_array_equal(mnist.data.numpy(), images)
        assert mnist.targets.dtype == lantern.int64
        assert mnist.targets.tolist() == labels.tolist()
        assert len(mnist) == count
        image, target = mnist[1]
        assert isinstance(image, Image.Image)
        assert (image.mode, image.size) == ("L", (5, 6))
        np.testing.assert_array_equal(np.asarray(image), images[1])
        assert type(target) is int
        assert target == labels[1]


def test_mnist_reads_packed_files(tmp_path):
    put(tmp_path / "MNIST" / "raw", fake_files(), packed=True)
    assert len(datasets.MNIST(str(tmp_path))) == 10


def test_relatives_of_mnist_have_folders_and_classes_of_their_own(tmp_path):
    class Mine(datasets.MNIST):
        pass

    for kind, first, last in (
        (datasets.MNIST, "0 - zero", "9 - nine"),
        (datasets.FashionMNIST, "T-shirt/top", "Ankle boot"),
        (datasets.KMNIST, "o", "wo"),
        (Mine, "0 - zero", "9 - nine"),
    ):
        put(tmp_path / kind.__name__ / "raw", fake_files())
        dataset = kind(tmp_path)
        assert (dataset.classes[0], dataset.classes[-1], len(dataset.classes)) == (first, last, 10)
        assert dataset.class_to_idx[last] == 9
        assert dataset.raw_folder == os.path.join(tmp_path, kind.__name__, "raw")


def test_missing_files_are_named_with_their_place(tmp_path):
    with pytest.raises(RuntimeError) as caught:
        datasets.MNIST(tmp_path)
    message = str(caught.value)
    assert message.startswith("Dataset not found. You can use download=True to download it")
    assert "t10k-labels-idx1-ubyte" in message
    assert str(tmp_path / "MNIST" / "raw") in message
    files = fake_files()
    del files["t10k-labels-idx1-ubyte"]
    put(tmp_path / "MNIST" / "raw", files)
    with pytest.raises(RuntimeError, match="or put t10k-labels-idx1-ubyte "):
        datasets.MNIST(tmp_path)


def test_files_that_do_not_fit_are_refused(tmp_path):
    raw = tmp_path / "MNIST" / "raw"
    images, labels = fake_images(10)
    for name, values, error, message in (
        ("train-labels-idx1-ubyte", labels[:9], RuntimeError, "10 images, but 9 labels"),
        ("train-labels-idx1-ubyte", images, ValueError, "x should have 1 dimension instead of 3"),
        ("train-images-idx3-ubyte", labels, ValueError, "x should have 3 dimension instead of 1"),
        (
            "train-images-idx3-ubyte",
            images.astype(np.int16),
            TypeError,
            "x should be of dtype torch.uint8 instead of torch.int16",
        ),
    ):
        put(raw, fake_files() | {name: idx_bytes(values)})
        with pytest.raises(error, match=message):
            datasets.MNIST(tmp_path)


def test_former_names_warn_and_work(root):
    mnist = datasets.MNIST(root)
    for old, new in (
        ("train_data", "data"),
        ("test_data", "data"),
        ("train_labels", "targets"),
        ("test_labels", "targets"),
    ):
        with pytest.warns(UserWarning, match=f"{old} has been renamed {new}"):
            assert getattr(mnist, old) is getattr(mnist, new)


def test_repr_of_a_dataset(root):
    assert repr(datasets.MNIST(root, train=False)) == (
        f"Dataset MNIST\n    Number of datapoints: 4\n    Root location: {root}\n    Split: Test"
    )
    mnist = datasets.MNIST(
        root,
        transform=transforms.Compose([transforms.ToTensor(), transforms.Normalize(0.5, 0.25)]),
        target_transform=transforms.Lambda(str),
    )
    # torchvision does not indent the lines after the first one either.
    assert repr(mnist) == (
        "Dataset MNIST\n"
        "    Number of datapoints: 10\n"
        f"    Root location: {root}\n"
        "    Split: Train\n"
        "    StandardTransform\n"
        "Transform: Compose(\n"
        "               ToTensor()\n"
        "               Normalize(mean=0.5, std=0.25)\n"
        "           )\n"
        "Target transform: Lambda()"
    )


def test_a_vision_dataset_takes_one_kind_of_transforms():
    def both(image, target):
        return image, target

    with pytest.raises(ValueError, match="Only transforms or transform/target_transform can be"):
        datasets.VisionDataset("x", transforms=both, transform=str)
    assert datasets.VisionDataset("~/x").root == os.path.expanduser("~/x")
    standard = datasets.VisionDataset("x", transform=str, target_transform=int).transforms
    assert standard(1, "2") == ("1", 2)


# Downloads


class Mirror(http.server.ThreadingHTTPServer):
    """Serves files from memory, well or badly, and keeps what it was asked."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Answer)
        self.files = {}
        self.asked = []
        self.ranges = True
        self.cut_after = None
        self.delay = 0.0

    def handle_error(self, *_):
        """Say nothing of clients that have given up."""

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_address[1]}"


class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        server = self.server
        wanted = self.headers.get("Range") if server.ranges else None
        server.asked.append((self.path, wanted))
        time.sleep(server.delay)
        content = server.files.get(self.path)
        if content is None:
            self.send_error(404)
            return
        start = int(wanted.removeprefix("bytes=").removesuffix("-")) if wanted else 0
        if wanted and start >= len(content):
            self.send_error(416)
            return
        self.send_response(206 if wanted else 200)
        if wanted:
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        self.send_header("Content-Length", str(len(content) - start))
        self.end_headers()
        end = len(content) if server.cut_after is None else start + server.cut_after
        self.wfile.write(content[start:end])

    def log_message(self, *_):
        pass


@pytest.fixture
def mirror(monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY", "LANTERN_MIRROR"):
        monkeypatch.delenv(name, raising=False)
    server = Mirror()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


CONTENT = np.random.RandomState(0).bytes(3000)
MD5 = hashlib.md5(CONTENT).hexdigest()


def fetch(folder, *mirrors, md5=MD5):
    return download.fetch("file.gz", str(folder), mirrors, md5, "MNIST")


def fetched(folder, *mirrors):
    path = fetch(folder, *mirrors)
    assert path == str(folder / "file.gz")
    assert Path(path).read_bytes() == CONTENT
    assert os.listdir(folder) == ["file.gz"]


def test_download_from_the_first_mirror_that_has_the_file(tmp_path, mirror):
    mirror.files = {"/good/file.gz": CONTENT, "/later/file.gz": CONTENT}
    fetched(tmp_path, mirror.url + "/none/", mirror.url + "/good", mirror.url + "/later")
    assert [path for path, _ in mirror.asked] == ["/none/file.gz", "/good/file.gz"]


def test_a_file_that_is_there_is_not_fetched_again(tmp_path, mirror):
    (tmp_path / "file.gz").write_bytes(CONTENT)
    fetched(tmp_path, mirror.url)
    assert mirror.asked == []


def test_a_spoilt_file_is_fetched_again(tmp_path, mirror):
    (tmp_path / "file.gz").write_bytes(CONTENT[:-1])
    mirror.files = {"/file.gz": CONTENT}
    fetched(tmp_path, mirror.url)


def test_a_cut_download_goes_on_where_it_ended(tmp_path, mirror):
    mirror.files = {"/file.gz": CONTENT}
    mirror.cut_after = 1200
    fetched(tmp_path, mirror.url)
    assert [wanted for _, wanted in mirror.asked] == [None, "bytes=1200-", "bytes=2400-"]


def test_the_next_run_and_the_next_mirror_go_on_where_the_last_ended(tmp_path, mirror):
    mirror.files = {"/file.gz": CONTENT}
    mirror.cut_after = 10
    with pytest.raises(RuntimeError, match="was cut 5 times"):
        fetch(tmp_path, mirror.url)
    assert os.listdir(tmp_path) == ["file.gz.part"]
    mirror.cut_after, mirror.asked = None, []
    fetched(tmp_path, mirror.url + "/none", mirror.url)
    assert mirror.asked == [("/none/file.gz", "bytes=50-"), ("/file.gz", "bytes=50-")]


def test_a_server_that_knows_no_ranges_sends_everything_again(tmp_path, mirror):
    (tmp_path / "file.gz.part").write_bytes(CONTENT[:700])
    mirror.files, mirror.ranges = {"/file.gz": CONTENT}, False
    fetched(tmp_path, mirror.url)


@pytest.mark.parametrize("start", [CONTENT, b"x" * 700, b"x" * 3000, CONTENT + b"x"])
def test_whatever_start_is_found_the_result_is_right(tmp_path, mirror, start):
    (tmp_path / "file.gz.part").write_bytes(start)
    mirror.files = {"/file.gz": CONTENT}
    fetched(tmp_path, mirror.url)


def test_wrong_bytes_are_thrown_away(tmp_path, mirror):
    mirror.files = {"/wrong/file.gz": CONTENT[::-1], "/right/file.gz": CONTENT}
    fetched(tmp_path, mirror.url + "/wrong", mirror.url + "/right")
    (tmp_path / "file.gz").unlink()
    with pytest.raises(RuntimeError, match="is not the expected file: its md5 is not"):
        fetch(tmp_path, mirror.url + "/wrong")
    assert os.listdir(tmp_path) == []


def test_a_mirror_that_does_not_answer_is_given_up(tmp_path, mirror, monkeypatch):
    monkeypatch.setattr(download, "TIMEOUT", 0.1)
    mirror.files, mirror.delay = {"/file.gz": CONTENT}, 0.5
    started = time.monotonic()
    with pytest.raises(RuntimeError, match="timed out"):
        fetch(tmp_path, mirror.url)
    assert time.monotonic() - started < 2
    assert len(mirror.asked) == 1


def test_the_message_tells_each_answer_and_what_to_do_by_hand(tmp_path, mirror):
    with pytest.raises(RuntimeError) as caught:
        fetch(tmp_path / "raw", mirror.url + "/a", "http://127.0.0.1:9/b")
    message = str(caught.value)
    assert message.startswith("Error downloading file.gz:\n")
    assert f"Tried {mirror.url}/a, got:\nHTTP Error 404" in message
    assert "Tried http://127.0.0.1:9/b, got:\n" in message
    assert f"put file.gz (md5 {MD5}) or the unpacked file into the folder {tmp_path / 'raw'}" in (
        message
    )
    assert "LANTERN_MIRROR" in message


def test_lantern_mirror_is_tried_first(tmp_path, mirror, monkeypatch):
    mirror.files = {"/own/MNIST/file.gz": CONTENT, "/public/file.gz": CONTENT}
    monkeypatch.setenv("LANTERN_MIRROR", mirror.url + "/own")
    fetched(tmp_path, mirror.url + "/public")
    assert [path for path, _ in mirror.asked] == ["/own/MNIST/file.gz"]


def test_lantern_mirror_may_be_a_folder(tmp_path, monkeypatch):
    shared = tmp_path / "shared files" / "MNIST"
    shared.mkdir(parents=True)
    (shared / "file.gz").write_bytes(CONTENT)
    monkeypatch.setenv("LANTERN_MIRROR", str(tmp_path / "shared files"))
    fetched(tmp_path / "raw")


def test_mnist_downloads_what_is_missing(tmp_path, mirror, monkeypatch):
    packed = {name + ".gz": gzip.compress(content) for name, content in fake_files().items()}
    resources = [(name, hashlib.md5(content).hexdigest()) for name, content in packed.items()]
    monkeypatch.setattr(datasets.MNIST, "mirrors", [mirror.url + "/mnist/"])
    monkeypatch.setattr(datasets.MNIST, "resources", resources)
    mirror.files = {f"/mnist/{name}": content for name, content in packed.items()}
    assert len(datasets.MNIST(tmp_path, download=True)) == 10
    assert len(mirror.asked) == 4
    raw = tmp_path / "MNIST" / "raw"
    assert sorted(os.listdir(raw)) == sorted([*packed, *fake_files()])
    for name, content in fake_files().items():
        assert (raw / name).read_bytes() == content
    datasets.MNIST(tmp_path, train=False, download=True)
    assert len(mirror.asked) == 4


def test_a_spoilt_archive_is_not_unpacked(tmp_path):
    path = tmp_path / "values.gz"
    path.write_bytes(gzip.compress(CONTENT)[:-4])
    with pytest.raises(RuntimeError, match=r"values\.gz is damaged"):
        download.unpack(str(path))
    assert os.listdir(tmp_path) == ["values.gz"]
