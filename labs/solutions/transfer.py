"""Solution of chapter 9: MobileNetV2, frozen, with a new input and a new head."""

from __future__ import annotations

from torch import Tensor, nn
from torchvision.models import mobilenet_v2


class TransferLearningModel(nn.Module):
    """Grey images pass a new 1x1 convolution, the frozen features, and a new linear layer."""

    def __init__(self, num_classes: int = 10, pretrained: bool = True) -> None:
        super().__init__()
        network = mobilenet_v2(weights="IMAGENET1K_V1" if pretrained else None)
        self.to_three_channels = nn.Conv2d(1, 3, kernel_size=1)
        self.features = network.features
        self.head = nn.Linear(1280, num_classes)
        self.n_unfrozen = 0
        self.features.requires_grad_(False)

    def forward(self, x: Tensor) -> Tensor:
        """Scores (N, K) of images (N, 1, H, W)."""
        found = self.features(self.to_three_channels(x))
        scores: Tensor = self.head(found.mean((2, 3)))
        return scores

    def unfreeze_layers(self, num_layers: int) -> None:
        """Train the last `num_layers` blocks of the features as well."""
        self.n_unfrozen = num_layers
        for block in self._trained_blocks():
            block.requires_grad_(True)
        self.train(self.training)

    def train(self, mode: bool = True) -> TransferLearningModel:
        """As usual, but frozen blocks stay in evaluation mode: their statistics are frozen too."""
        super().train(mode)
        self.features.eval()
        for block in self._trained_blocks():
            block.train(mode)
        return self

    def _trained_blocks(self) -> list[nn.Module]:
        blocks = list(self.features)
        return blocks[len(blocks) - self.n_unfrozen :]
