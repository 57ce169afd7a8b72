"""Solution of chapter 8: write-up C's final network."""

from __future__ import annotations

from torch import Tensor, nn


def _convolution(n_in: int, n_out: int, side: int, dropout: float) -> list[nn.Module]:
    return [
        nn.Conv2d(n_in, n_out, side),
        nn.BatchNorm2d(n_out),
        nn.ReLU(),
        nn.Dropout2d(dropout),
    ]


def _dense(n_in: int, n_out: int, dropout: float) -> list[nn.Module]:
    return [nn.Linear(n_in, n_out), nn.BatchNorm1d(n_out), nn.ReLU(), nn.Dropout(dropout)]


class FinalModel(nn.Module):
    """Four convolutions and five linear layers for images of 32 x 32."""

    def __init__(self, num_classes: int = 10) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            *_convolution(1, 64, 2, 0.1),
            nn.MaxPool2d(2),
            *_convolution(64, 128, 2, 0.3),
            nn.MaxPool2d(2),
            *_convolution(128, 256, 2, 0.5),
            *_convolution(256, 512, 4, 0.5),
            nn.Flatten(),
            *_dense(4608, 512, 0.1),
            *_dense(512, 256, 0.3),
            *_dense(256, 128, 0.5),
            *_dense(128, 64, 0.5),
            nn.Linear(64, num_classes),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Scores (N, K) of images (N, 1, 32, 32)."""
        scores: Tensor = self.layers(x)
        return scores
