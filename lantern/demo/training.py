"""How a demo runs: train as PyTorch's users write it, check, save, load again, draw."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import lantern
from lantern import nn
from lantern.demo.tasks import DemoError, Task
from lantern.utils.data import DataLoader

CHECKPOINT = Path("lantern-demo.pt")
PICTURE = Path("lantern-demo.png")


@dataclass
class History:
    """The course of a training: losses by batch, and by epoch on the images held out."""

    batch_loss: list[float] = field(default_factory=list)
    held_out_loss: list[float] = field(default_factory=list)
    seconds: float = 0.0


def demonstrate(task: Task, epochs: int) -> None:
    """Runs `task` from its data to `lantern-demo.png`, and prints what came of it.

    Raises `DemoError` when the checkpoint does not give the trained model back.
    """
    print(
        f"{task.title}: {len(task.train):,} images to learn from, {len(task.held_out):,} held out",
        flush=True,
    )
    lantern.manual_seed(0)
    model = task.model()
    optimizer = task.optimizer(model.parameters())
    held_out = DataLoader(task.held_out, batch_size=1000)
    history = train(task, model, optimizer, held_out, epochs)
    scores, labels = evaluate(model, held_out)
    guesses = scores.argmax(1)
    right = int((guesses == labels).sum())
    print(
        f"{right:,} of {len(labels):,} held-out images are right: {right / len(labels):.1%} "
        f"after {epochs} epoch{'s' * (epochs > 1)} in {history.seconds:.1f} s"
    )
    lantern.save({"model": model.state_dict(), "optimizer": optimizer.state_dict()}, CHECKPOINT)
    check_checkpoint(task, held_out, scores)
    print(
        f"{CHECKPOINT}  checkpoint, {CHECKPOINT.stat().st_size / 1000:,.0f} kB; "
        "loaded into a fresh model, it gives the same scores to the last bit"
    )
    try:
        from lantern.demo.picture import draw
    except ModuleNotFoundError as error:
        if error.name != "matplotlib":
            raise
        print("no picture: matplotlib is not installed (pip install matplotlib)")
        return
    draw(PICTURE, task, history, guesses.tolist(), labels.tolist())
    print(f"{PICTURE}  loss, sample digits, confusion matrix")


def train(
    task: Task,
    model: nn.Module,
    optimizer: lantern.optim.Optimizer,
    held_out: DataLoader,
    epochs: int,
) -> History:
    """Trains `model` for so many epochs, with a progress bar on standard error."""
    from tqdm import tqdm

    batches = DataLoader(task.train, batch_size=task.batch_size, shuffle=True)
    criterion = nn.CrossEntropyLoss()
    history = History()
    start = time.perf_counter()
    # A log file gets a line every few seconds instead of a bar that redraws itself.
    interval = 0.1 if sys.stderr.isatty() else 5.0
    with tqdm(total=epochs * len(batches), unit="batch", mininterval=interval) as bar:
        for epoch in range(epochs):
            model.train()
            for images, labels in batches:
                loss = criterion(model(images), labels)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                history.batch_loss.append(loss.item())
                bar.update()
            scores, labels = evaluate(model, held_out)
            history.held_out_loss.append(criterion(scores, labels).item())
            accuracy = (scores.argmax(1) == labels).float().mean().item()
            bar.set_description(f"epoch {epoch + 1}/{epochs}, held out {accuracy:.1%}", False)
    history.seconds = time.perf_counter() - start
    return history


def evaluate(model: nn.Module, batches: DataLoader) -> tuple[lantern.Tensor, lantern.Tensor]:
    """The scores `(N, classes)` that `model` gives to all images of `batches`, and the labels."""
    model.eval()
    with lantern.no_grad():
        answers = [(model(images), labels) for images, labels in batches]
    scores, labels = zip(*answers, strict=True)
    return lantern.cat(scores), lantern.cat(labels)


def check_checkpoint(task: Task, held_out: DataLoader, scores: lantern.Tensor) -> None:
    """Loads the checkpoint into a fresh model, whose scores must be `scores`, or `DemoError`."""
    checkpoint = lantern.load(CHECKPOINT)
    fresh = task.model()
    fresh.load_state_dict(checkpoint["model"])
    task.optimizer(fresh.parameters()).load_state_dict(checkpoint["optimizer"])
    again, _ = evaluate(fresh, held_out)
    if not lantern.equal(again, scores):
        raise DemoError(f"{CHECKPOINT} does not give the trained model back")
