"""Schedules beside PyTorch's: the same rates to the last bit, and the same state."""

from __future__ import annotations

import pytest
import schedule_cases as cases

import lantern

torch = pytest.importorskip("torch")


@pytest.mark.parametrize("kind", ["SGD", "Adam"])
@pytest.mark.parametrize("tensor", [False, True])
@pytest.mark.parametrize("name", cases.SCHEDULES)
def test_rates_and_state_are_those_of_torch(name, tensor, kind):
    found, ours = cases.run(lantern, cases.SCHEDULES[name], kind, tensor)
    expected, theirs = cases.run(torch, cases.SCHEDULES[name], kind, tensor)
    assert found == expected
    if not tensor:
        assert ours.state_dict() == theirs.state_dict()
        groups, others = ours.optimizer.param_groups, theirs.optimizer.param_groups
        assert [list(each) for each in groups] == [list(each) for each in others]
        assert [str(each) for each in ours.get_last_lr()] == [
            str(each) for each in theirs.get_last_lr()
        ]


@pytest.mark.parametrize("name", ["lambda", "step", "milestones", "linear", "cosine", "polynomial"])
@pytest.mark.parametrize("last", [0, 3, 9])
def test_resumed_schedules_are_those_of_torch(name, last):
    def resumed(lt):
        optimizer = cases.optimizer_of(lt)
        for group in optimizer.param_groups:
            group["initial_lr"] = 0.3
        text = cases.SCHEDULES[name][:-1] + f", last_epoch={last})"
        schedule = cases.make(lt, text, optimizer)
        found = [schedule.get_last_lr()]
        for _ in range(5):
            optimizer.step()
            schedule.step()
            found.append(schedule.get_last_lr())
        return found

    assert resumed(lantern) == resumed(torch)
