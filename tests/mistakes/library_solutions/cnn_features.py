"""Features and classifier as two sequences, one module for pooling and one for ReLU."""

import torch


class SimpleCNN(torch.nn.Module):
    def __init__(self, num_classes: int = 10, dropout_rate: float = 0.5):
        super().__init__()
        self.activation = torch.nn.ReLU()
        self.features = torch.nn.Sequential(
            torch.nn.Conv2d(1, 32, 3, padding="same"),
            self.activation,
            torch.nn.MaxPool2d(2, 2),
            torch.nn.Conv2d(32, 64, 3, padding="same"),
            self.activation,
            torch.nn.MaxPool2d(2, 2),
        )
        self.classifier = torch.nn.Sequential(
            torch.nn.Linear(64 * 7 * 7, 128),
            self.activation,
            torch.nn.Dropout(dropout_rate),
            torch.nn.Linear(128, num_classes),
        )

    def forward(self, images):
        features = self.features(images)
        rows = torch.flatten(features, start_dim=1)
        return self.classifier(rows)
