"""A CSV file is written and read with pandas, its gaps filled with the mean of their column.
The result becomes tensors of float64, and of float32 for a network.

写出 CSV 文件,用 pandas 读取,用列均值填补缺失的数值。
结果转换为 float64 张量;送入网络前转为 float32。
"""

import os
import tempfile

import lantern as torch

try:
    import pandas as pd
except ModuleNotFoundError:
    raise SystemExit("this example needs pandas: pip install pandas") from None

folder = tempfile.mkdtemp()
os.makedirs(os.path.join(folder, "data"), exist_ok=True)
data_file = os.path.join(folder, "data", "house_tiny.csv")
with open(data_file, "w") as f:
    f.write("NumRooms,Alley,Price\n")
    f.write("NA,Pave,127500\n")
    f.write("2,NA,106000\n")
    f.write("4,NA,178100\n")
    f.write("NA,NA,140000\n")

data = pd.read_csv(data_file)
print(data)
inputs, outputs = data.iloc[:, 0:2], data.iloc[:, 2]
inputs = inputs.fillna(inputs.mean(numeric_only=True))
inputs = pd.get_dummies(inputs, dummy_na=True)
print(inputs)
X = torch.tensor(inputs.to_numpy(dtype=float))
y = torch.tensor(outputs.to_numpy(dtype=float))
print(X, y)

net = torch.nn.Linear(X.shape[1], 1)
try:
    net(X)
except RuntimeError as error:
    print("RuntimeError:", str(error).splitlines()[0])
print(net(X.float()).dtype)
