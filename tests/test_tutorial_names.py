"""Names that tutorials use around a program: profilers, timers, logs, wrappers, questions."""

from __future__ import annotations

import json
import subprocess
import sys
import warnings

import pytest

import lantern as torch
from lantern import nn


def test_data_parallel_calls_the_module_and_puts_its_name_before_the_keys():
    plain = nn.Sequential(nn.Linear(2, 3), nn.ReLU())
    wrapped = nn.DataParallel(plain)
    x = torch.randn(4, 2)
    assert torch.equal(wrapped(x), plain(x))
    assert list(wrapped.state_dict()) == ["module.0.weight", "module.0.bias"]
    assert wrapped.module is plain
    assert repr(wrapped).startswith("DataParallel(\n  (module): Sequential(")
    with pytest.raises(NotImplementedError, match="2 devices"):
        nn.DataParallel(plain, device_ids=[0, 1])


def test_there_are_no_process_groups_and_the_errors_say_so():
    import lantern.distributed as dist

    assert not dist.is_available() and not dist.is_initialized()
    with pytest.raises(NotImplementedError, match="one process"):
        dist.init_process_group("gloo")
    with pytest.raises(ValueError, match="Default process group has not been initialized"):
        dist.get_rank()
    with pytest.raises(NotImplementedError, match="one process"):
        nn.parallel.DistributedDataParallel(nn.Linear(1, 1))


SPAWNING = """
import torch, torch.multiprocessing as mp
def work(rank, queue):
    queue.put((rank, torch.ones(2) * rank))
def fail(rank):
    raise ValueError("number %d" % rank)
if __name__ == "__main__":
    queue = mp.get_context("spawn").SimpleQueue()
    mp.spawn(work, args=(queue,), nprocs=2)
    print(sorted((rank, x.tolist()) for rank, x in (queue.get(), queue.get())))
    try:
        mp.spawn(fail, nprocs=1)
    except mp.ProcessRaisedException as error:
        print(str(error).strip().splitlines()[0], str(error).splitlines()[-1])
    context = mp.spawn(work, args=(queue,), nprocs=1, join=False)
    for each in context.processes:
        each.join()
    print(context.join())
"""


def test_spawned_processes_compute_and_their_errors_arrive(tmp_path):
    script = tmp_path / "spawning.py"
    script.write_text(SPAWNING)
    done = subprocess.run(
        [sys.executable, "-m", "lantern", "run", script], capture_output=True, text=True
    )
    assert done.stdout.splitlines() == [
        "[(0, [0.0, 0.0]), (1, [1.0, 1.0])]",
        "-- Process 0 terminated with the following error: ValueError: number 0",
        "True",
    ], done.stderr


def test_the_profiler_counts_and_times_ops_and_leaves_no_trace():
    from lantern.profiler import ProfilerActivity, profile, record_function

    model, x = nn.Linear(3, 2), torch.randn(4, 3)
    before = type(torch.add), vars(torch.Tensor)["exp"]
    with profile(activities=[ProfilerActivity.CPU], record_shapes=True) as prof:
        with record_function("model"):
            y = model(x)
        (y.exp() + y).sum().backward()
    counts = {row.key: row.count for row in prof.key_averages()}
    assert counts["model"] == counts["exp"] == counts["add"] == counts["backward"] == 1
    assert (type(torch.add), vars(torch.Tensor)["exp"]) == before
    rows = {row.key: row for row in prof.key_averages(group_by_input_shape=True)}
    assert rows["exp"].input_shapes == ((4, 2),)
    assert rows["model"].cpu_time_total >= rows["model"].self_cpu_time_total > 0
    table = prof.key_averages().table(sort_by="self_cpu_time_total", row_limit=3)
    assert "Self CPU time total" in table and "# of Calls" in table
    lines = [len(prof.key_averages().table(row_limit=n).splitlines()) for n in (0, 3, -1)]
    assert [n - lines[0] for n in lines] == [0, 3, len(counts)]
    assert torch.allclose(model.weight.grad, (y.exp() + 1).T @ x)


def test_many_calls_of_an_op_are_counted_whether_it_was_fast_already_or_not():
    from lantern.profiler import profile

    x = torch.ones(3)
    for _ in range(2):
        with profile() as prof:
            for _ in range(100):
                x.cosh()
                torch.cosh(x)
        assert {row.key: row.count for row in prof.key_averages()} == {"cosh": 200}


def test_a_schedule_chooses_the_steps_that_are_timed(tmp_path):
    from lantern.profiler import profile, schedule

    found = []

    def ready(prof):
        prof.export_chrome_trace(str(tmp_path / "trace.json"))
        found.append([row.count for row in prof.key_averages() if row.key == "exp"])

    plan = schedule(wait=1, warmup=1, active=2, repeat=1)
    with profile(schedule=plan, on_trace_ready=ready) as prof:
        for _ in range(8):
            torch.ones(2).exp()
            prof.step()
    assert found == [[2]]
    events = json.loads((tmp_path / "trace.json").read_text())["traceEvents"]
    assert sum(event["name"] == "exp" for event in events) == 2


def test_a_timer_measures_with_the_threads_it_is_given():
    from lantern.utils.benchmark import Timer

    seen = []
    threads = torch.get_num_threads()
    timer = Timer("seen.append(torch.get_num_threads())", globals={"seen": seen}, label="threads")
    found = timer.timeit(20)
    assert found.number_per_run == 20 and set(seen) == {1}
    assert torch.get_num_threads() == threads
    lines = repr(found).splitlines()
    assert lines[1] == "threads" and lines[-1] == "  1 measurement, 20 runs , 1 thread"
    assert sum(timer.blocked_autorange(min_run_time=0.01).raw_times) >= 0.01


def test_scripting_leaves_functions_as_they_are_and_says_so_once(monkeypatch):
    monkeypatch.setattr(torch.jit, "_told", False)
    model = nn.Linear(2, 1)
    with pytest.warns(UserWarning, match="leaves functions and modules as they are"):
        assert torch.jit.script(model) is model
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert torch.jit.trace(model, torch.ones(2)) is model
    with pytest.raises(NotImplementedError, match="state_dict"):
        torch.jit.save(model, "model.pt")


def test_logs_take_tensors(tmp_path):
    pytest.importorskip("tensorboardX")
    from lantern.utils.tensorboard import SummaryWriter

    with SummaryWriter(tmp_path / "logs") as writer:
        writer.add_scalar("loss", torch.tensor(1.5, requires_grad=True), 0)
        writer.add_scalars("both", {"a": torch.tensor(1.0), "b": 2.0}, 1)
        writer.add_histogram("weights", nn.Linear(3, 2).weight, 0)
        writer.add_image("picture", torch.rand(3, 8, 8), 0)
        writer.add_text("words", "text", 0)
        with pytest.raises(NotImplementedError, match="make_dot"):
            writer.add_graph(nn.Linear(1, 1), torch.ones(1))
    (log,) = (tmp_path / "logs").glob("events.out.tfevents.*")
    data = log.read_bytes()
    assert b"loss" in data and b"weights" in data and b"picture" in data


def test_weights_are_loaded_from_an_address(tmp_path, monkeypatch):
    source = tmp_path / "net.pth"
    torch.save({"w": torch.ones(2)}, source)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "home"))
    assert torch.hub.get_dir() == str(tmp_path / "home" / "hub")
    loaded = torch.hub.load_state_dict_from_url(source.as_uri())
    assert loaded["w"].tolist() == [1.0, 1.0]
    assert (tmp_path / "home" / "hub" / "checkpoints" / "net.pth").exists()
    with pytest.raises(RuntimeError, match="invalid hash value"):
        torch.hub.download_url_to_file(source.as_uri(), str(tmp_path / "copy"), "0123")
    with pytest.raises(NotImplementedError, match="no code to run"):
        torch.hub.load("pytorch/vision", "resnet18")


def test_a_hook_of_several_tensors_is_called_once_all_gradients_are_there():
    a, b = torch.ones(2, requires_grad=True), torch.ones(2, requires_grad=True)
    calls = []
    handle = torch.autograd.graph.register_multi_grad_hook((a, b), calls.append)
    (a * 2 + b * 3).sum().backward()
    assert [[g.tolist() for g in grads] for grads in calls] == [[[2.0, 2.0], [3.0, 3.0]]]
    handle.remove()
    (a * b).sum().backward()
    assert len(calls) == 1


def test_places_are_written_by_function_too():
    x, places = torch.zeros(3), (torch.tensor([1, 1]),)
    assert torch.index_put(x, places, torch.ones(2), True).tolist() == [0.0, 2.0, 0.0]
    assert x.tolist() == [0.0, 0.0, 0.0]
    assert torch.index_put_(x, places, torch.ones(2)) is x and x[1] == 1.0


def test_questions_about_devices_and_types():
    assert not torch.backends.mkl.is_available() and torch.backends.mkldnn.enabled
    assert torch.accelerator.device_count() == torch.cuda.device_count()
    assert torch.typename(torch.ones(1)) == "torch.FloatTensor" and torch.typename(3) == "int"
    assert torch.is_storage(torch.ones(1).untyped_storage()) and not torch.is_storage(1)
    from lantern.nn.attention import SDPBackend, sdpa_kernel

    q = torch.randn(1, 2, 3, 4)
    with sdpa_kernel([SDPBackend.FLASH_ATTENTION, SDPBackend.MATH]):
        assert nn.functional.scaled_dot_product_attention(q, q, q).shape == q.shape
