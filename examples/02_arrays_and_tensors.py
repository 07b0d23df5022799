"""The functions of NumPy whose use differs in PyTorch, side by side, after the lecture's table 1-1.
Each line prints both results, or the error that tells what PyTorch wants instead.

讲义表 1-1 中 NumPy 与 PyTorch 用法不同的函数,逐行对照。
每行打印两者的结果,或者打印 PyTorch 给出的错误信息。
"""

import numpy as np

import lantern as torch

torch.manual_seed(0)
np.random.seed(0)
arr, ts = np.arange(6.0).reshape(2, 3), torch.arange(6.0).reshape(2, 3)
v = torch.arange(3.0)


def refused(call):
    try:
        call()
    except (TypeError, RuntimeError, ValueError) as error:
        return f"{type(error).__name__}: {str(error).splitlines()[0]}"
    raise AssertionError("this should have been refused")


print("astype / type       ", arr.astype(int).dtype, ts.type(torch.int64).dtype)
print("random / rand       ", np.random.random((2, 2)).shape, torch.rand(2, 2).shape)
print("randint             ", np.random.randint(0, 9, (2,)).shape, torch.randint(0, 9, (2,)).shape)
print("randint, size 2     ", refused(lambda: torch.randint(0, 9, 2)))
print("normal              ", np.random.normal(0, 1, (2,)).shape, torch.normal(0, 1, (2,)).shape)
print("normal, size 2      ", refused(lambda: torch.normal(0, 1, 2)))
print("copy / clone        ", arr.copy().sum(), ts.clone().sum())
print(
    "concatenate / cat   ", np.concatenate([arr, arr], 1).shape, torch.cat([ts, ts], axis=1).shape
)
print("split: places/sizes ", [x.shape[1] for x in np.split(arr, [1, 2], axis=1)],
      [x.shape[1] for x in torch.split(ts, [1, 2], dim=1)])  # fmt: skip
print("dot / matmul        ", np.dot(arr, arr.T).tolist(), torch.matmul(ts, ts.T).tolist())
print("dot of vectors      ", np.dot([0, 1, 2], [0, 1, 2]), torch.dot(v, v))
print("dot / mv, mm        ", torch.mv(ts, v).tolist(), torch.mm(ts, ts.T).tolist())
print("dot of matrices     ", refused(lambda: torch.dot(ts, ts)))
print("exp of a number     ", np.exp(1), refused(lambda: torch.exp(1)))
print("log of a tensor     ", torch.log(torch.tensor(1.0)))
print("mean of integers    ", np.mean([1, 2]), refused(lambda: torch.mean(torch.tensor([1, 2]))))
print("std of floats       ", torch.std(torch.tensor([1.0, 2.0])))
print("both ways 互相转换  ", torch.tensor(arr).dtype, np.array(ts).dtype)
