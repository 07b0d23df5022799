"""What Lantern does with GPUs, run on a machine without one: CuPy's place is taken by a stand-in.

The stand-in (`fake_cupy`) keeps to CuPy's rules on what may be mixed, in the CPU's memory; each
test is a process of its own, as other tests must not meet it. `test_cuda_device.py` has the tests
for a real GPU.
"""

from __future__ import annotations

import ast
import json
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
START = "import fake_cupy; fake_cupy.install(); import lantern as torch; import numpy\n"


def run(program: str) -> str:
    """Runs a program with the stand-in; returns what it printed."""
    command = [sys.executable, "-W", "error", "-c", START + textwrap.dedent(program)]
    result = subprocess.run(command, cwd=HERE, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr[-3000:]
    return result.stdout


def test_op_records_give_on_the_gpu_what_they_give_on_the_cpu() -> None:
    command = [sys.executable, "cuda_records.py", "--standin", "--brief"]
    result = subprocess.run(command, cwd=HERE, capture_output=True, text=True)
    *lines, last = result.stdout.splitlines() or [result.stderr[-3000:]]
    assert result.returncode == 0 and json.loads(last)["cases"] > 400, result.stderr[-3000:]
    assert json.loads(last)["failed"] == 0, "\n".join(lines[:20])


def test_the_backend_offers_the_vocabulary_and_the_services_of_the_frame() -> None:
    run(
        """
        from test_vocabulary import SERVICES, accepts, parameters_of
        from lantern.backends.vocabulary import VOCABULARY
        from lantern.backends import numpy as host
        torch.ones(1, device="cuda")
        from lantern.backends import cupy
        wrong = [name for name in VOCABULARY if not hasattr(cupy, name)]
        assert not wrong, wrong
        plain = (name for name in VOCABULARY if hasattr(getattr(cupy, name), "__code__"))
        assert not [name for name in plain if not accepts(getattr(cupy, name), name)]
        assert all(hasattr(cupy, name) for name in SERVICES)
        """
    )


def test_the_backend_asks_of_cupy_only_what_cupy_has() -> None:
    cupy = pytest.importorskip("cupy")
    import fake_cupy

    folder = HERE.parent / "lantern" / "backends" / "cupy"
    for file in folder.glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                if node.value.id == "cupy":
                    assert hasattr(cupy, node.attr), f"{file.name}: cupy.{node.attr}"
    for name in fake_cupy.UFUNCS + fake_cupy.FUNCTIONS:
        assert hasattr(cupy, name)


def test_tensors_move_and_say_where_they_are() -> None:
    run(
        """
        x = torch.tensor([1.0, 2.0], device="cuda")
        assert repr(x) == "tensor([1., 2.], device='cuda:0')"
        assert x.is_cuda and not x.is_cpu and x.device == torch.device("cuda", 0)
        assert x.get_device() == 0 and x.type() == "torch.cuda.FloatTensor"
        assert x.cuda() is x and x.to("cuda") is x and x.cpu().device.type == "cpu"
        y = x.to("cpu", torch.double)
        assert y.dtype is torch.float64 and y.tolist() == [1.0, 2.0]
        assert x.to("cuda:1", non_blocking=True).device.index == 1
        assert x.to(torch.ones(1, dtype=torch.half)).type() == "torch.HalfTensor"
        assert torch.ones(2, 3).t().cuda().stride() == (1, 3)
        half = torch.ones(2, dtype=torch.bfloat16, device="cuda")
        assert (half + 1).dtype is torch.bfloat16 and half.cpu().tolist() == [1.0, 1.0]
        """
    )


def test_gradients_go_back_across_devices() -> None:
    run(
        """
        x = torch.tensor([1.0, 2.0], requires_grad=True)
        loss = (x.cuda() ** 2).sum() + (x * 3).sum().to("cuda")
        loss.backward()
        assert x.grad.tolist() == [5.0, 7.0] and x.grad.device.type == "cpu"
        x.grad = None
        (first,) = torch.autograd.grad((x.cuda() ** 3).sum(), x, create_graph=True)
        (second,) = torch.autograd.grad(first.sum(), x)
        assert second.tolist() == [6.0, 12.0]
        """
    )


def test_operands_on_two_devices_are_refused_by_name() -> None:
    run(
        """
        def raised(function):
            try:
                function()
            except Exception as error:
                return f"{type(error).__name__}: {error}"
            raise AssertionError("nothing was raised")

        x, y = torch.ones(2, device="cuda"), torch.ones(2)
        start = "RuntimeError: Expected all tensors to be on the same device, but found at least "
        assert raised(lambda: x + y).startswith(start + "two devices, cuda:0 and cpu!")
        assert raised(lambda: y + x).startswith(start + "two devices, cpu and cuda:0!")
        assert raised(lambda: y + x.sum()).startswith(start)
        assert raised(lambda: torch.cat([x, y])).startswith(start)
        assert raised(lambda: torch.nn.Linear(2, 2)(x)).startswith(start)
        assert raised(lambda: x + x.to("cuda:1")).startswith(start + "two devices, cuda:0 and c")
        assert "indices should be either on cpu" in raised(lambda: y[torch.tensor([0]).cuda()])
        assert raised(lambda: x.numpy()).startswith(
            "TypeError: can't convert cuda:0 device type tensor to numpy. Use Tensor.cpu()")
        assert "invalid device ordinal" in raised(lambda: torch.ones(1, device="cuda:7"))
        assert (x + torch.tensor(2.0)).device.type == "cuda"
        assert x.numpy(force=True).tolist() == [1.0, 1.0]
        """
    )


def test_indices_from_the_cpu_are_taken_along() -> None:
    run(
        """
        x = torch.arange(6.0, device="cuda").reshape(2, 3)
        assert x[torch.tensor([1, 0])].device.type == "cuda"
        assert x[:, torch.tensor([0, 2])].tolist() == [[0.0, 2.0], [3.0, 5.0]]
        assert x[torch.tensor([True, False])].tolist() == [[0.0, 1.0, 2.0]]
        x[torch.tensor([0])] = 7
        x[torch.tensor([1, 1]), torch.tensor([0, 2])] = torch.tensor([8.0, 9.0], device="cuda")
        assert x.tolist() == [[7.0, 7.0, 7.0], [8.0, 4.0, 9.0]]
        x.copy_(torch.zeros(2, 3)); torch.ones(2, 3).copy_(x)
        assert x.sum().item() == 0
        for place in (5, -4):
            try:
                x[:, torch.tensor([place], device="cuda")]
            except IndexError:
                continue
            raise AssertionError("CuPy would have wrapped it around")
        """
    )


def test_new_tensors_are_put_where_they_are_asked_for() -> None:
    run(
        """
        for made in (
            torch.zeros(2, device="cuda"), torch.arange(3, device="cuda:0"),
            torch.full((2,), 1.5, device="cuda"), torch.linspace(0, 1, 3, device="cuda"),
            torch.eye(2, device="cuda"), torch.rand(2, device="cuda"),
            torch.randint(3, (2,), device="cuda"), torch.tril_indices(2, 2, device="cuda"),
            torch.as_tensor([1.0], None, "cuda"), torch.hann_window(3, device="cuda"),
            torch.zeros(1, device="cuda").new_ones(2), torch.randperm(4, device="cuda"),
            torch.ones_like(torch.zeros(2, device="cuda")),
            torch.ones_like(input=torch.zeros(2, device="cuda")),
            torch.bernoulli(torch.ones(2, device="cuda")),
            torch.nn.Linear(2, 2, device="cuda").weight,
        ):
            assert str(made.device) == "cuda:0", made
        leaf = torch.tensor([1.0], device="cuda", requires_grad=True)
        assert leaf.is_leaf and leaf.requires_grad
        torch.set_default_device("cuda")
        assert torch.ones(1).is_cuda and torch.tensor([1]).is_cuda
        assert torch.ones(1, device="cpu").is_cpu and torch.from_numpy(numpy.ones(1)).is_cpu
        assert torch.nn.Linear(1, 1).weight.is_cuda
        assert torch.get_default_device() == torch.device("cuda:0")
        torch.set_default_device("cpu")
        assert torch.ones(1).is_cpu
        """
    )


def test_a_network_is_trained_as_on_the_cpu() -> None:
    run(
        """
        nn = torch.nn

        def losses(place, kind):
            torch.manual_seed(0)
            net = nn.Sequential(
                nn.Conv2d(1, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2),
                nn.Flatten(), nn.Linear(64, 3),
            )
            x, y = torch.randn(6, 1, 8, 8), torch.tensor([0, 1, 2, 0, 1, 2])
            net, x, y = net.to(place), x.to(place), y.to(place)
            opt = kind(net.parameters(), lr=0.01)
            found = []
            for _ in range(4):
                opt.zero_grad()
                loss = nn.functional.cross_entropy(net(x), y)
                loss.backward()
                nn.utils.clip_grad_norm_(net.parameters(), 1.0)
                opt.step()
                found.append(loss.item())
            return found, opt

        for kind in (torch.optim.SGD, torch.optim.Adam, torch.optim.AdamW, torch.optim.RMSprop):
            first, opt = losses("cpu", kind)
            second, other = losses("cuda", kind)
            assert numpy.allclose(first, second, rtol=1e-4), (kind, first, second)
            other.load_state_dict(opt.state_dict())
            state = next(iter(other.state.values()), {})
            assert all(v.is_cuda for k, v in state.items() if k != "step" and v is not None)
        """
    )


def test_files_keep_the_device_and_map_location_moves() -> None:
    run(
        """
        import io
        for dtype in (torch.float32, torch.bfloat16, torch.int64):
            x = torch.arange(6, device="cuda:1").to(dtype)
            for new in (True, False):
                file = io.BytesIO()
                torch.save({"x": x, "part": x[2:4]}, file, _use_new_zipfile_serialization=new)
                for where, place in ((None, "cuda:1"), ("cpu", "cpu"), ("cuda:0", "cuda:0")):
                    file.seek(0)
                    found = torch.load(file, map_location=where)
                    assert str(found["x"].device) == place
                    assert found["x"].tolist() == [0, 1, 2, 3, 4, 5]
                    assert found["part"].tolist() == [2, 3]
                    found["x"][2] = 9
                    assert found["part"][0].item() == 9, "the memory is shared no longer"
        """
    )


def test_torch_cuda_answers() -> None:
    run(
        """
        cuda = torch.cuda
        assert cuda.is_available() and cuda.device_count() == 2 and cuda.current_device() == 0
        assert cuda.get_device_name() == "Fake GPU" and cuda.get_device_capability() == (9, 0)
        assert cuda.get_device_properties(0).total_memory == 1 << 30
        cuda.synchronize(); cuda.empty_cache()
        with cuda.device(1):
            assert cuda.current_device() == 1 and str(torch.ones(1).cuda().device) == "cuda:1"
        before = cuda.memory_allocated()
        x = torch.ones(1000, device="cuda")
        assert cuda.memory_allocated() == before + 4000 <= cuda.memory_reserved()
        del x
        assert cuda.max_memory_allocated() >= 4000 and cuda.memory_allocated() == before
        cuda.reset_peak_memory_stats()
        assert cuda.max_memory_allocated() < 4000
        start, end = cuda.Event(enable_timing=True), cuda.Event(enable_timing=True)
        start.record(); end.record(); end.synchronize()
        assert start.elapsed_time(end) >= 0
        with cuda.stream(cuda.Stream()):
            torch.ones(2, device="cuda") + 1
        cuda.current_stream().synchronize()
        torch.backends.cuda.matmul.allow_tf32 = True
        import cupy
        assert cupy.compute_type == ("float32", 2)
        torch.set_float32_matmul_precision("highest")
        assert cupy.compute_type == ("float32", 0)
        kept = torch.ones(2).pin_memory()
        assert kept.is_pinned() and kept.tolist() == [1, 1] and not torch.ones(2).is_pinned()
        """
    )


def test_out_of_memory_tells_the_figures_and_leaves_the_process_usable() -> None:
    run(
        """
        try:
            torch.zeros(1 << 40, device="cuda") if False else torch.ones(1 << 29, device="cuda")
        except torch.cuda.OutOfMemoryError as error:
            assert str(error).startswith("CUDA out of memory. ") and "1.00 GiB" in str(error)
            assert isinstance(error, RuntimeError)
        else:
            raise AssertionError("2 GiB fitted into 1 GiB")
        assert torch.ones(2, device="cuda").sum().item() == 2
        """
    )


def test_draws_follow_the_seed_and_their_own_state() -> None:
    run(
        """
        def drawn():
            return torch.rand(3, device="cuda").tolist(), torch.randn(3, device="cuda").tolist()

        torch.manual_seed(5); first = drawn()
        torch.manual_seed(5); assert drawn() == first
        torch.cuda.manual_seed(6); assert drawn() != first
        torch.cuda.manual_seed_all(5); assert drawn() == first
        state = torch.cuda.get_rng_state(); again = drawn()
        torch.cuda.set_rng_state(state); assert drawn() == again
        assert state.numel() == 16 and torch.cuda.initial_seed() == 5
        generator = torch.Generator("cuda").manual_seed(5)
        assert torch.rand(3, device="cuda", generator=generator).tolist() == first[0]
        assert generator.device.type == "cuda" and generator.get_offset() == 1
        torch.manual_seed(5)
        x = torch.empty(3, device="cuda").uniform_()
        assert x.tolist() == first[0]
        kept = torch.nn.functional.dropout(torch.ones(10000, device="cuda"), 0.25)
        assert abs((kept != 0).float().mean().item() - 0.75) < 0.02
        """
    )


def test_mixed_precision_is_for_tensors_of_its_device() -> None:
    run(
        """
        x = torch.eye(2, device="cuda")
        with torch.autocast("cuda", dtype=torch.bfloat16):
            assert torch.is_autocast_enabled("cuda")
            assert (x @ x).dtype is torch.bfloat16
            assert (torch.eye(2) @ torch.eye(2)).dtype is torch.float32
        with torch.autocast("cpu"):
            assert (x @ x).dtype is torch.float32
        net = torch.nn.Linear(2, 2, device="cuda")
        opt, scaler = torch.optim.SGD(net.parameters(), lr=0.1), torch.amp.GradScaler("cuda")
        with torch.autocast("cuda"):
            loss = net(x).float().square().sum()
        scaler.scale(loss).backward(); scaler.step(opt); scaler.update()
        assert net.weight.grad.is_cuda and net.weight.grad.dtype is torch.float32
        """
    )


def test_compile_says_that_it_is_for_the_cpu() -> None:
    run(
        """
        x = torch.ones(2, device="cuda")
        double = torch.compile(lambda x: x * 2)
        try:
            for _ in range(3):
                double(x)
        except NotImplementedError as error:
            assert "on a GPU is not in Lantern yet" in str(error)
        else:
            raise AssertionError("it ran")
        """
    )


def test_the_book_finds_the_gpu() -> None:
    run(
        """
        from lantern.compat import d2l
        from lantern.compat.d2l import torch as book
        assert str(book.try_gpu()) == "cuda:0" and len(book.try_all_gpus()) == 2
        """
    )
