"""Solutions of chapter 7: write-up E's small network and write-up A's SimpleCNN."""

from __future__ import annotations

from torch import Tensor, nn


class SmallCNN(nn.Module):
    """Convolutions of 16 and 32 channels and one linear layer: 20,490 parameters."""

    def __init__(self, num_classes: int = 10) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(1, 16, 3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(16, 32, 3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Flatten(),
            nn.Linear(32 * 7 * 7, num_classes),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Scores (N, K) of images (N, 1, 28, 28)."""
        scores: Tensor = self.layers(x)
        return scores


class SimpleCNN(nn.Module):
    """Convolutions of 32 and 64 channels, a hidden layer of 128, dropout: 421,642 parameters."""

    def __init__(self, num_classes: int = 10) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 32, 3, padding=1)
        self.conv2 = nn.Conv2d(32, 64, 3, padding=1)
        self.pool = nn.MaxPool2d(2)
        self.fc1 = nn.Linear(64 * 7 * 7, 128)
        self.fc2 = nn.Linear(128, num_classes)
        self.dropout = nn.Dropout(0.5)

    def forward(self, x: Tensor) -> Tensor:
        """Scores (N, K) of images (N, 1, 28, 28)."""
        x = self.pool(self.conv1(x).relu())
        x = self.pool(self.conv2(x).relu())
        x = self.dropout(self.fc1(x.flatten(1)).relu())
        scores: Tensor = self.fc2(x)
        return scores
