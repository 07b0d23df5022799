"""What many scripts do without a thought: ask for None, list tensors, divide by a whole zero."""

import numpy as np
import torch

x = torch.tensor([1.0, 0.0, -2.0])
print(x == None, x != None, None == x)  # noqa: E711
bias = torch.ones(2)
print("no bias" if bias == None else "a bias")  # noqa: E711
print(x // 0, x % 0, torch.fmod(x, 0), 5 // torch.tensor([0.0]), 5 % torch.tensor([0.0]))
print(torch.tensor([3], dtype=torch.half) // 0, torch.tensor([3]) // 0.0, torch.tensor([]).long() // 0)

losses = [torch.tensor(0.5), torch.ones(1), torch.full((1, 1), 2.5)]
print(torch.tensor(losses), torch.tensor([losses, losses]).shape, torch.Tensor(losses))
print(torch.tensor([torch.ones(1).long(), 3.5]), torch.tensor([torch.ones(1).double()]))
print(torch.tensor([[1.0, 2.0], torch.ones(2)]), torch.tensor([[], torch.ones(0)]))
print(torch.tensor([torch.tensor(2), torch.tensor([3])], dtype=torch.int32))
print(torch.tensor([torch.tensor([3]), torch.tensor(False), True], dtype=torch.bool))
print(torch.as_tensor([torch.ones(1), 2]), torch.ones(1).new_tensor([torch.ones(1), 2]))
print(torch.tensor([np.ones(1), torch.ones(1)]), torch.tensor([torch.ones(1), np.float64(1)]))
print(torch.tensor(1.9, dtype=torch.int), torch.tensor(-2.5, dtype=torch.int8))
print(torch.tensor(1.9, dtype=torch.long).shape, torch.as_tensor(2.5, dtype=torch.short) + 1)
