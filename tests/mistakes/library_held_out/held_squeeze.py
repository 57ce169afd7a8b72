"""SqueezeNet, which has no batch normalisation, with a convolution as its head."""

from torch import nn
from torchvision.models import SqueezeNet1_1_Weights, squeezenet1_1


class TransferNet(nn.Module):
    def __init__(self, num_classes=10):
        super().__init__()
        base = squeezenet1_1(weights=SqueezeNet1_1_Weights.DEFAULT)
        self.stem = nn.Conv2d(1, 3, 1)
        self.body = base.features
        self.head = nn.Conv2d(512, num_classes, 1)
        for parameter in self.body.parameters():
            parameter.requires_grad = False

    def forward(self, x):
        x = self.body(self.stem(x))
        return self.head(x).mean(dim=(-2, -1))

    def unfreeze_layers(self, count):
        for index in range(len(self.body) - count, len(self.body)):
            for parameter in self.body[index].parameters():
                parameter.requires_grad = True
