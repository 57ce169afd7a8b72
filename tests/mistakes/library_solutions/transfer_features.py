"""MobileNetV2's features and a head; a method that freezes; images of three channels."""

import torch
from torch import nn
from torchvision.models import MobileNet_V2_Weights, mobilenet_v2


class GarmentNet(nn.Module):
    def __init__(self, n_classes=10, dropout=0.2):
        super().__init__()
        network = mobilenet_v2(weights=MobileNet_V2_Weights.IMAGENET1K_V1)
        self.features = network.features
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.head = nn.Sequential(nn.Flatten(), nn.Dropout(dropout), nn.Linear(1280, n_classes))
        self.frozen = len(self.features)
        self.freeze()

    def freeze(self):
        for p in self.features.parameters():
            p.requires_grad_(False)

    def unfreeze(self, n_blocks):
        self.frozen = len(self.features) - n_blocks
        for i, block in enumerate(self.features):
            if i >= self.frozen:
                for p in block.parameters():
                    p.requires_grad_(True)

    def train(self, mode: bool = True):
        super().train(mode)
        for block in self.features[: self.frozen]:
            block.eval()
        return self

    def forward(self, images):
        return self.head(self.pool(self.features(images)))
