"""Learning rates are compared on a validation set, and the best model is tested once at the end.
Outliers in the training data show why the training loss does not choose.

用验证集比较不同的学习率,选定模型后只在测试集上评估一次。
训练数据中的离群点说明为什么不能用训练误差来选择。
"""

import matplotlib.pyplot as plt
from common import picture

import lantern as torch
from lantern import nn
from lantern.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
X = torch.arange(-3, 3, 0.02).view(-1, 1)
Y = -3 * X + 1 + 0.1 * torch.randn(X.shape)
order = torch.randperm(len(X))
parts = {"training": order[:200], "validation": order[200:250], "test": order[250:]}
X_train, Y_train = X[parts["training"]], Y[parts["training"]].clone()
Y_train[:10] = 40  # outliers 离群点

models, training, validation = [], [], []
learning_rates = [0.0001, 0.001, 0.01, 0.1]
for lr in learning_rates:
    torch.manual_seed(0)
    model = nn.Linear(1, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=lr)
    for epoch in range(10):
        for x, y in DataLoader(TensorDataset(X_train, Y_train), batch_size=5):
            loss = nn.functional.mse_loss(model(x), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    with torch.no_grad():
        training.append(nn.functional.mse_loss(model(X_train), Y_train).item())
        rows = parts["validation"]
        validation.append(nn.functional.mse_loss(model(X[rows]), Y[rows]).item())
    models.append(model)
    print(f"lr {lr:<7} training loss {training[-1]:9.4f}, validation loss {validation[-1]:9.4f}")

best = min(range(len(models)), key=validation.__getitem__)
with torch.no_grad():
    rows = parts["test"]
    loss = nn.functional.mse_loss(models[best](X[rows]), Y[rows]).item()
print(f"chosen 选定: lr {learning_rates[best]}, test loss {loss:.4f}")

figure, axes = plt.subplots(figsize=(5, 3))
axes.loglog(learning_rates, training, "o-", label="training")
axes.loglog(learning_rates, validation, "o-", label="validation")
axes.set(xlabel="learning rate", ylabel="loss")
axes.legend()
picture(figure)
