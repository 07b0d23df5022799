"""One line turns a training step into native code: forward, backward, optimizer in one call.
The losses are those of the plain step, and the time of both is printed.

一行代码把整个训练步骤(前向、反向、优化器)编译为一次本机调用。
损失与普通写法相同,并打印两者的耗时。
"""

import time

import lantern as torch
from lantern import nn

N, D_in, H, D_out = 64, 1000, 100, 10


def losses(compiled, steps=200):
    torch.manual_seed(0)
    x, y = torch.randn(N, D_in), torch.randn(N, D_out)
    model = nn.Sequential(nn.Linear(D_in, H), nn.ReLU(), nn.Linear(H, D_out))
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-4)
    loss_fn = nn.MSELoss()

    def step(x, y):
        loss = loss_fn(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss

    if compiled:
        step = torch.compile(step)
    found = [step(x, y).item() for _ in range(3)]  # the first calls record and compile
    start = time.perf_counter()
    found += [step(x, y).item() for _ in range(steps)]
    seconds = (time.perf_counter() - start) / steps
    print(f"{'compiled' if compiled else 'eager':9} {1e6 * seconds:7.0f} µs a step")
    return torch.tensor(found)


plain, native = losses(False), losses(True)
print("largest relative difference of the losses:", f"{((plain - native) / plain).abs().max():.1e}")
