"""Ten throws of a fair die, many times over: `Multinomial` draws the counts.
The shares come closer to 1/6 as the throws add up, which the picture shows.

掷一个公平的骰子:`Multinomial` 抽取各面出现的次数。
随着次数增加,各面的频率趋近 1/6,如图所示。
"""

import matplotlib.pyplot as plt
from common import picture

import lantern as torch
from lantern.distributions import multinomial

torch.manual_seed(0)
fair_probs = torch.ones([6]) / 6
print(multinomial.Multinomial(10, fair_probs).sample())
counts = multinomial.Multinomial(1000, fair_probs).sample()
print(counts / 1000)

counts = multinomial.Multinomial(10, fair_probs).sample((500,))
shares = counts.cumsum(dim=0)
shares = shares / shares.sum(dim=1, keepdim=True)
print("farthest from 1/6 after 5000 throws:", f"{(shares[-1] - 1 / 6).abs().max().item():.4f}")
figure, axes = plt.subplots(figsize=(6, 4))
for face in range(6):
    axes.plot(shares[:, face].tolist(), label=f"P(die={face + 1})")
axes.axhline(1 / 6, color="black", linestyle="dashed")
axes.set(xlabel="groups of ten throws", ylabel="share")
axes.legend()
picture(figure)
