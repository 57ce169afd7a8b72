"""A network with pads, tanh-free LeNet shapes, a dictionary of layers."""

import torch
from torch import nn


class LeNet(nn.Module):
    def __init__(self, n_outputs=10):
        super().__init__()
        self.layers = nn.ModuleDict(
            {
                "c1": nn.Conv2d(1, 6, 5, padding=2),
                "c2": nn.Conv2d(6, 16, 5),
                "f1": nn.Linear(400, 120),
                "f2": nn.Linear(120, 84),
                "out": nn.Linear(84, n_outputs),
            }
        )
        self.drop = nn.Dropout(p=0.25)

    def convolve(self, x, name):
        return nn.functional.max_pool2d(torch.relu(self.layers[name](x)), kernel_size=2)

    def forward(self, x):
        for name in ("c1", "c2"):
            x = self.convolve(x, name)
        x = torch.flatten(x, 1)
        x = self.drop(torch.relu(self.layers["f1"](x)))
        x = torch.relu(self.layers["f2"](x))
        return self.layers["out"](x)
