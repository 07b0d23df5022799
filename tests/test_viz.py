"""Pictures: where they appear, and that what they show is what happened."""

from __future__ import annotations

import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

import lantern
from lantern import nn

pytest.importorskip("matplotlib").use("Agg")
from lantern import viz  # noqa: E402
from lantern.viz import fonts  # noqa: E402


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LANTERN_FIGURES", str(tmp_path))
    return tmp_path


@pytest.fixture(autouse=True)
def own_settings():
    import matplotlib
    from matplotlib import pyplot

    with matplotlib.rc_context():
        yield
    pyplot.close("all")


def is_png(path: Path) -> bool:
    return path.read_bytes().startswith(b"\x89PNG")


def line(n: int = 40) -> tuple[lantern.Tensor, lantern.Tensor]:
    X = lantern.linspace(-3, 3, n).view(-1, 1)
    return X, 2 * X - 1


def test_a_surface_holds_the_mean_square_error_of_each_line() -> None:
    X, Y = line()
    surface = viz.plot_error_surfaces(4, 3, X, Y, 9, go=False)
    slopes, biases = lantern.linspace(-4, 4, 9), lantern.linspace(-3, 3, 9)
    for i, j in ((0, 0), (2, 7), (8, 3)):
        loss = nn.functional.mse_loss(slopes[j] * X + biases[i], Y)
        assert surface.Z[i, j].item() == pytest.approx(loss.item(), rel=1e-5)
    where = surface.Z.argmin().item()
    assert (surface.w.reshape(-1)[where].item(), surface.b[where // 9, 0].item()) == (2.0, -0.75)


def test_labels_that_are_classes_give_the_surface_of_cross_entropy() -> None:
    X = lantern.linspace(-1, 1, 20).view(-1, 1)
    Y = (X > 0.2).float()
    surface = viz.plot_error_surfaces(15, 13, X, Y, 5, go=False)
    loss = nn.functional.binary_cross_entropy(lantern.sigmoid(7.5 * X - 6.5), Y)
    assert surface.Z[1, 3].item() == pytest.approx(loss.item(), rel=1e-5)


def test_a_way_over_the_surface_takes_numbers_tensors_and_models(folder: Path) -> None:
    X, Y = line()
    surface = viz.plot_error_surfaces(15, 13, X, Y, 10)
    surface.set_para_loss(-15.0, -10.0, 900.0)
    surface.set_para_loss(
        lantern.tensor([[1.0]]).tolist(), lantern.tensor([2.0]), lantern.tensor(3)
    )
    model = nn.Linear(1, 1)
    surface.set_para_loss(model, 0.5)
    assert surface.W == [-15.0, 1.0, pytest.approx(model.weight.item())]
    assert surface.B == [-10.0, 2.0, pytest.approx(model.bias.item())]
    assert surface.LOSS == [900.0, 3.0, 0.5]
    surface.plot_ps()
    surface.final_plot()
    surface._live.finish()
    assert len(list(folder.glob("*.png"))) == 3 and all(map(is_png, folder.glob("*.png")))
    with pytest.raises(ValueError, match="one slope and one bias"):
        surface.set_para_loss(nn.Linear(2, 1), 0.5)
    with pytest.raises(ValueError, match="40 samples and Y has 3"):
        viz.plot_error_surfaces(1, 1, X, Y[:3], go=False)


def test_a_live_figure_is_one_file_that_is_written_again(folder: Path, capsys) -> None:
    curves = viz.Curves()
    for epoch in range(4):
        curves.add(epoch, loss=lantern.tensor(1.0 / (1 + epoch)), accuracy=0.5)
    assert curves["loss"] == pytest.approx([1.0, 1 / 2, 1 / 3, 1 / 4])
    (path,) = folder.glob("*.png")
    first = path.read_bytes()
    curves._live.finish()
    assert is_png(path) and path.read_bytes() != first
    assert capsys.readouterr().err == f"figure: {path}\n"
    assert [each.name for each in folder.iterdir()] == [path.name]


def test_curves_in_a_terminal_stay_within_their_box_also_with_nan() -> None:
    curves = viz.Curves(terminal=True)
    for x, y in enumerate([3.0, float("nan"), 1.0, float("inf"), 2.0]):
        curves.add(x, loss=y)
    lines = curves.text(width=30, height=5).splitlines()
    assert len(lines) == 6 and all(len(line) <= 33 for line in lines[:5])
    assert lines[0].startswith("3 ┤") and lines[4].startswith("1 ┤")


def test_a_graph_shows_each_op_and_parameter_once(folder: Path) -> None:
    net = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 1))
    loss = net(lantern.ones(2, 3)).sum() + net[0].weight.sum()
    graph = viz.make_dot(loss, dict(net.named_parameters()))
    labels = [label for label, _ in graph.labels]
    assert labels.count("0.weight\\n(4, 3)") == 1 and labels.count("ReluBackward0") == 1
    parameter = labels.index("0.weight\\n(4, 3)")
    assert len([edge for edge in graph.edges if edge[0] == parameter]) == 2
    root = ElementTree.fromstring(graph.save(folder / "graph").read_text(encoding="utf-8"))
    texts = [text.text for text in root.iter("{http://www.w3.org/2000/svg}text")]
    assert "AddmmBackward0" in texts and "(4, 3)" in texts
    with pytest.raises(ValueError, match="needs a gradient"):
        viz.make_dot(lantern.ones(2))
    with pytest.raises(NotImplementedError, match="'png'"):
        graph.render("graph", format="png")


def test_a_deep_graph_is_drawn_without_recursion() -> None:
    y = lantern.ones((), requires_grad=True)
    for _ in range(3000):
        y = y * 1.5
    assert viz.make_dot(y).svg.count("<rect") == 3003


def test_a_summary_counts_parameters_and_multiplications() -> None:
    net = nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2), nn.Sigmoid(), nn.AvgPool2d(2), nn.Conv2d(6, 16, 5),
        nn.Flatten(), nn.Linear(16 * 100, 10),
    )  # fmt: skip
    net[5].bias.requires_grad_(False)
    table = viz.summary(net, (2, 1, 28, 28))
    assert table.total_params == sum(p.numel() for p in net.parameters())
    assert table.total_params - table.trainable_params == 10
    # places times weights: 28x28 of 150, 10x10 of 2400, and the matrix, for two images
    assert table.total_mult_adds == 2 * (784 * 150 + 100 * 2400 + 16000)
    assert [row.output for row in table.rows][4] == "(2, 16, 10, 10)"
    assert net.training and "(2, 6, 28, 28)" in str(table)


def test_a_summary_counts_shared_parameters_once_and_leaves_the_model_as_it_was() -> None:
    shared = nn.Linear(4, 4)
    net = nn.Sequential(shared, nn.BatchNorm1d(4), nn.Dropout(0.5), shared)
    before = {name: value.clone() for name, value in net.state_dict().items()}
    lantern.manual_seed(3)
    state = lantern.get_rng_state()
    table = viz.summary(net, (5, 4))
    assert table.total_params == 20 + 8
    assert table.total_mult_adds == 2 * 5 * 16
    assert all(lantern.equal(before[n], v) for n, v in net.state_dict().items())
    assert lantern.equal(state, lantern.get_rng_state())
    assert not net[0]._forward_hooks
    assert viz.summary(net).total_mult_adds == 0


def test_a_boundary_gives_each_place_its_class(folder: Path) -> None:
    points = lantern.tensor([[-1.0, 0.0], [1.0, 0.0], [0.5, 2.0]])
    labels = lantern.tensor([0, 1, 1])
    net = nn.Sequential(nn.Dropout(0.9), nn.Linear(2, 1), nn.Sigmoid())
    with lantern.no_grad():
        net[1].weight.copy_(lantern.tensor([[5.0, 0.0]]))
        net[1].bias.zero_()
    axes = viz.decision_boundary(net, points, labels, n_samples=20)
    image = axes.images[0].get_array()
    assert (image[:, 0] != image[:, -1]).any(-1).all() and net.training
    assert any(map(is_png, folder.glob("*.png")))
    with pytest.raises(ValueError, match=r"\(3, 1\)"):
        viz.decision_boundary(net, points[:, :1], labels)


def test_chinese_labels_find_a_font_or_name_the_cure(monkeypatch) -> None:
    import matplotlib

    assert fonts.has_chinese("损失") and not fonts.has_chinese("loss", None)
    monkeypatch.setattr(fonts, "_installed", lambda look_again=False: None)
    with pytest.warns(UserWarning, match="fonts-noto-cjk"):
        assert fonts.use_chinese_font() is None
    monkeypatch.setattr(fonts, "_installed", lambda look_again=False: "SimHei")
    assert fonts.use_chinese_font() == "SimHei"
    usual, fallback = matplotlib.rcParams["font.family"]
    assert (usual, fallback) == (matplotlib.rcParams["font.sans-serif"][0], "SimHei")
    fonts.prepare_labels("损失")  # finds the font in use, and asks for no other
    assert matplotlib.rcParams["font.family"] == [usual, "SimHei"]


def test_without_matplotlib_the_error_names_the_extra(monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ModuleNotFoundError, match=r"lantern-dl\[plots\]"):
        viz.Curves()
