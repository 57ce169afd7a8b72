"""ResNet-18 with a new last layer; colour images made by repeating; frozen norms by overriding."""

import torch
import torch.nn as nn
from torchvision import models


class TransferLearningModel(nn.Module):
    def __init__(self, num_classes=10):
        super().__init__()
        self.backbone = models.resnet18(weights=models.ResNet18_Weights.DEFAULT)
        for param in self.backbone.parameters():
            param.requires_grad = False
        n_features = self.backbone.fc.in_features
        self.backbone.fc = nn.Linear(n_features, num_classes)

    def forward(self, x):
        if x.shape[1] == 1:
            x = x.repeat(1, 3, 1, 1)
        return self.backbone(x)

    def unfreeze_layers(self, num_layers):
        layers = list(self.backbone.children())
        for layer in layers[len(layers) - num_layers :]:
            for param in layer.parameters():
                param.requires_grad = True

    def train(self, mode=True):
        super().train(mode)
        for module in self.modules():
            if isinstance(module, nn.BatchNorm2d) and not module.weight.requires_grad:
                module.eval()
        return self
