"""The helpers of Dive into Deep Learning, and how programs find them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import lantern
from lantern import nn
from lantern.utils.data import DataLoader

pytest.importorskip("matplotlib").use("Agg")
from lantern.compat import d2l  # noqa: E402
from lantern.vision import datasets, transforms  # noqa: E402


@pytest.fixture(autouse=True)
def figures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LANTERN_FIGURES", str(tmp_path))
    return tmp_path


def run(text: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[bytes]:
    (folder / "程序.py").write_text(text, encoding="utf-8")
    return subprocess.run(
        [sys.executable, "-m", "lantern", "run", "程序.py"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(Path(lantern.__file__).parents[1]), **environment},
        capture_output=True,
    )


def digits(train: bool) -> DataLoader:
    data = datasets.Digits(train=train, transform=transforms.ToTensor())
    return DataLoader(data, 64, shuffle=train)


def test_programs_find_the_helpers_under_the_names_of_the_book(tmp_path: Path) -> None:
    done = run(
        "import torch\n"
        "from d2l import torch as d2l\n"
        "import d2l.torch\n"
        "from matplotlib_inline import backend_inline\n"
        "backend_inline.set_matplotlib_formats('svg')\n"
        "print(d2l.Accumulator.__module__, d2l.try_gpu() == torch.device('cpu'))\n"
        "try:\n    d2l.nothing\nexcept AttributeError as error:\n    print(error)\n",
        tmp_path,
    )
    assert done.returncode == 0, done.stderr.decode()
    first, second = done.stdout.decode().splitlines()
    assert first == "lantern.compat.d2l.tools True"
    assert second.startswith("d2l.nothing is not in Lantern yet")


def test_an_installed_package_comes_before_the_stand_in(tmp_path: Path) -> None:
    (tmp_path / "d2l").mkdir()
    (tmp_path / "d2l" / "__init__.py").write_text("")
    (tmp_path / "d2l" / "torch.py").write_text("import torch\nname = torch.__name__ + ', theirs'\n")
    done = run("from d2l import torch as d2l\nprint(d2l.name)\n", tmp_path)
    assert done.stdout.decode().strip() == "lantern, theirs"


@pytest.mark.parametrize("encoding", ["gbk", "ascii", "utf-8"])
def test_text_goes_through_a_console_of_any_encoding(tmp_path: Path, encoding: str) -> None:
    done = run("print('精准度 ✓ 97 %')\n", tmp_path, PYTHONIOENCODING=encoding)
    assert done.returncode == 0, done.stderr
    expected = "精准度 ✓ 97 %".encode(encoding, errors="backslashreplace")
    assert done.stdout.strip() == expected


def test_synthetic_data_is_a_line_with_little_noise() -> None:
    lantern.manual_seed(0)
    w = lantern.tensor([2, -3.4])
    X, y = d2l.synthetic_data(w, 4.2, 500)
    noise = y - (X @ w + 4.2).reshape(-1, 1)
    assert 0.008 < noise.std().item() < 0.012
    batches = list(d2l.load_array((X, y), 64, is_train=False))
    assert len(batches) == 8 and lantern.equal(batches[0][0], X[:64])


def test_sgd_by_hand_is_the_optimizer_s() -> None:
    lantern.manual_seed(0)
    X, y = d2l.synthetic_data(lantern.tensor([2, -3.4]), 4.2, 30)
    w = lantern.zeros(2, 1, requires_grad=True)
    b = lantern.zeros(1, requires_grad=True)
    d2l.squared_loss(d2l.linreg(X, w, b), y).sum().backward()
    net = nn.Linear(2, 1)
    nn.init.zeros_(net.weight), nn.init.zeros_(net.bias)
    optimizer = lantern.optim.SGD(net.parameters(), lr=0.05)
    (nn.functional.mse_loss(net(X), y) / 2).backward()
    d2l.sgd([w, b], 0.05, 30)
    optimizer.step()
    assert lantern.allclose(w.T, net.weight) and lantern.allclose(b, net.bias)
    assert w.grad.count_nonzero() == 0


def test_a_classifier_learns_in_train_ch3_with_an_optimizer_and_by_hand(figures: Path) -> None:
    for by_hand in (False, True):
        lantern.manual_seed(0)
        net = nn.Sequential(nn.Flatten(), nn.Linear(64, 10))
        updater = lantern.optim.SGD(net.parameters(), lr=0.3)
        if by_hand:
            parameters = list(net.parameters())

            def updater(batch_size, parameters=parameters):
                d2l.sgd(parameters, 0.3, batch_size)

        loss = nn.CrossEntropyLoss(reduction="none")
        result = d2l.train_ch3(net, digits(True), digits(False), loss, 4, updater)
        assert result[1] > 0.9 and result[2] > 0.9 and result[0] < 0.7
        assert result[2] == d2l.evaluate_accuracy(net, digits(False))
    d2l.predict_ch3(net, digits(False), n=3)
    assert len(list(figures.glob("*.png"))) == 3


def test_train_ch6_prints_what_the_book_prints(capsys) -> None:
    lantern.manual_seed(0)
    net = nn.Sequential(
        nn.Conv2d(1, 8, 3, padding=1), nn.Sigmoid(), nn.AvgPool2d(2), nn.Flatten(),
        nn.Linear(128, 10),
    )  # fmt: skip
    d2l.train_ch6(net, digits(True), digits(False), 2, 0.9, d2l.try_gpu())
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "training on cpu"
    assert lines[1].startswith("loss ") and ", test acc 0." in lines[1]
    assert lines[2].endswith(" examples/sec on cpu")


def test_an_epoch_weights_a_short_last_batch_by_its_size() -> None:
    X, y = lantern.eye(3), lantern.tensor([0, 0, 1])
    net = nn.Linear(3, 2)
    losses = nn.functional.cross_entropy(net(X), y, reduction="none")
    for reduction in ("none", "mean"):
        loss = nn.CrossEntropyLoss(reduction=reduction)
        batches = [(X[:2], y[:2]), (X[2:], y[2:])]
        mean, _ = d2l.train_epoch_ch3(net, batches, loss, lambda size: None)
        assert mean == pytest.approx(losses.mean().item(), rel=1e-6)


def test_sequences_of_text_follow_each_other() -> None:
    corpus = list(range(50))
    for X, Y in d2l.seq_data_iter_random(corpus, 2, 5):
        assert X.shape == (2, 5) and lantern.equal(X + 1, Y)
    before = None
    for X, Y in d2l.seq_data_iter_sequential(corpus, 2, 5):
        assert lantern.equal(X + 1, Y)
        assert before is None or lantern.equal(before[:, -1] + 1, X[:, 0])
        before = X


def test_masked_softmax_gives_nothing_to_what_is_beyond_the_length() -> None:
    weights = d2l.masked_softmax(lantern.rand(2, 2, 4), lantern.tensor([[1, 3], [2, 4]]))
    assert lantern.allclose(weights.sum(-1), lantern.ones(2, 2))
    assert lantern.equal((weights > 0).sum(-1), lantern.tensor([[1, 3], [2, 4]]))


def test_plot_takes_one_curve_several_and_none_but_heights(figures: Path) -> None:
    x = lantern.arange(0, 3, 0.1, requires_grad=True)
    d2l.plot(x, [x**2, 2 * x], "x", "f(x)", legend=["f", "tangent"])
    d2l.plot([1, 2, 3])
    d2l.plot([x, x[:5]], [x, x[:5]])
    with pytest.raises(ValueError, match="2 curves in X, but 3 in Y"):
        d2l.plot([x, x], [x, x, x])
    assert len(list(figures.glob("*-plot-*.png"))) == 3


def test_gradients_are_clipped_at_their_common_norm() -> None:
    net = nn.Linear(3, 2)
    for p in net.parameters():
        p.grad = lantern.full_like(p, 2.0)
    d2l.grad_clipping(net, 1.0)
    total = sum((p.grad**2).sum() for p in net.parameters())
    assert total.item() == pytest.approx(1.0)
