"""LeNet-5, the first network in most courses; torchvision has none."""

from __future__ import annotations

from lantern import nn
from lantern.tensor import Tensor


class LeNet(nn.Module):
    """Two convolutions and three layers, for grey images `(N, 1, 28, 28)`.

    From "Gradient-Based Learning Applied to Document Recognition", Y. LeCun et al., Proceedings
    of the IEEE 1998, with plain pooling and without the radial output.

    >>> import lantern
    >>> LeNet()(lantern.zeros(2, 1, 28, 28)).shape
    torch.Size([2, 10])
    """

    def __init__(self, num_classes: int = 10, activation: type[nn.Module] = nn.Sigmoid) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(1, 6, kernel_size=5, padding=2),
            activation(),
            nn.AvgPool2d(kernel_size=2, stride=2),
            nn.Conv2d(6, 16, kernel_size=5),
            activation(),
            nn.AvgPool2d(kernel_size=2, stride=2),
        )
        self.classifier = nn.Sequential(
            nn.Flatten(),
            nn.Linear(16 * 5 * 5, 120),
            activation(),
            nn.Linear(120, 84),
            activation(),
            nn.Linear(84, num_classes),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Scores `(N, num_classes)` of images."""
        return self.classifier(self.features(x))
