"""Mistakes in transfer learning."""

from .seeds import Seed

RESNET_TRAIN = """
    def train(self, mode=True):
        super().train(mode)
        for module in self.modules():
            if isinstance(module, nn.BatchNorm2d) and not module.weight.requires_grad:
                module.eval()
        return self
"""
SEEDS = {
    "labs_transfer": [
        Seed("not-frozen", "        self.features.requires_grad_(False)\n", "", "    def __init__"),
        Seed("frozen-statistics", "        self.features.eval()\n", "", "    def train"),
        Seed(
            "train-returns-nothing",
            "            block.train(mode)\n        return self\n",
            "            block.train(mode)\n",
            "    def train",
        ),
        Seed(
            "unfreezes-nothing",
            "block.requires_grad_(True)",
            "block.requires_grad = True",
            ("block.requires_grad", "for block in"),
        ),
        Seed(
            "unfreezes-first",
            "return blocks[len(blocks) - self.n_unfrozen :]",
            "return blocks[: self.n_unfrozen]",
            "for block in self._trained",
        ),
        Seed(
            "zero-unfreezes-all",
            "return blocks[len(blocks) - self.n_unfrozen :]",
            "return blocks[-self.n_unfrozen :]",
            ("for block in self._trained", "def train"),
            ("frozen-statistics",),
        ),
        Seed(
            "unfreezes-other-count",
            "return blocks[len(blocks) - self.n_unfrozen :]",
            "return blocks[len(blocks) - self.n_unfrozen + 1 :]",
            "for block in self._trained",
        ),
        Seed(
            "unfreezes-all",
            "for block in self._trained_blocks():\n            block.requires_grad_(True)",
            "for block in self.features:\n            block.requires_grad_(True)",
            "for block in self.features",
            ("statistics-after-unfreezing",),
        ),
        Seed(
            "no-pretrained-weights",
            'weights="IMAGENET1K_V1" if pretrained else None',
            "weights=None",
            "    def __init__",
        ),
        Seed(
            "softmax-in-network",
            "self.head(found.mean((2, 3)))",
            "self.head(found.mean((2, 3))).softmax(dim=1)",
        ),
        Seed(
            "evaluation-mode-broken",
            "            block.train(mode)\n",
            "            block.train(mode)\n        self.head.train()\n",
            "    def train",
        ),
        Seed(
            "gradient-cut",
            "        found = self.features(self.to_three_channels(x))\n",
            "        with torch.no_grad():\n            found = self.features(self.to_three_channels(x))\n".replace(
                "torch.", "__import__('torch')."
            ),
            "found = self.features(self",
        ),
        Seed(
            "head-refrozen",
            "        self.n_unfrozen = num_layers\n",
            "        self.n_unfrozen = num_layers\n        self.requires_grad_(False)\n",
            "self.requires_grad_(False)",
        ),
        Seed(
            "layer-unused",
            "found = self.features(self.to_three_channels(x))",
            "found = self.features(x.expand(-1, 3, -1, -1))",
            "self.to_three_channels = ",
        ),
        Seed("linear-wrong-size", "nn.Linear(1280, num_classes)", "nn.Linear(1000, num_classes)"),
        Seed(
            "flatten-missing",
            "self.head(found.mean((2, 3)))",
            "self.head(found)",
            "self.head(found)",
        ),
    ],
    "transfer_resnet": [
        Seed("frozen-statistics", RESNET_TRAIN, "", "param.requires_grad = False"),
        Seed(
            "head-frozen",
            "        for param in self.backbone.parameters():\n            param.requires_grad = False\n        n_features = self.backbone.fc.in_features\n        self.backbone.fc = nn.Linear(n_features, num_classes)\n",
            "        n_features = self.backbone.fc.in_features\n        self.backbone.fc = nn.Linear(n_features, num_classes)\n        for param in self.backbone.parameters():\n            param.requires_grad = False\n",
            "param.requires_grad = False",
        ),
        Seed(
            "not-frozen",
            "        for param in self.backbone.parameters():\n            param.requires_grad = False\n",
            "        for param in self.backbone.layer1.parameters():\n            param.requires_grad = False\n",
            ("param.requires_grad", "for param"),
        ),
        Seed(
            "unfreezes-nothing",
            "            for param in layer.parameters():\n                param.requires_grad = True\n",
            "            layer.requires_grad = True\n",
            ("layer.requires_grad", "for layer in"),
        ),
        Seed("unfreezes-first", "layers[len(layers) - num_layers :]", "layers[:num_layers]"),
        Seed("zero-unfreezes-all", "layers[len(layers) - num_layers :]", "layers[-num_layers:]"),
        Seed(
            "unfreezes-all",
            "for layer in layers[len(layers) - num_layers :]:",
            "for layer in layers:",
        ),
        Seed(
            "scores-shape",
            "        self.backbone.fc = nn.Linear(n_features, num_classes)\n",
            "        self.fc = nn.Linear(n_features, num_classes)\n",
            ("self.backbone = models", "return self.backbone(x)"),
        ),
        Seed(
            "train-returns-nothing",
            "                module.eval()\n        return self\n",
            "                module.eval()\n",
            "    def train",
        ),
        Seed(
            "no-pretrained-weights",
            "weights=models.ResNet18_Weights.DEFAULT",
            "",
            "    def __init__",
        ),
    ],
    "transfer_features": [
        Seed(
            "not-frozen",
            "p.requires_grad_(False)",
            "p.requires_grad_ = False",
            ("self.freeze()", "p.requires_grad_ = False"),
        ),
        Seed(
            "head-refrozen",
            "        self.frozen = len(self.features) - n_blocks\n",
            "        self.frozen = len(self.features) - n_blocks\n        for p in self.parameters():\n            p.requires_grad_(False)\n",
            "            p.requires_grad_(False)\n        for i",
        ),
        Seed(
            "unfreezes-other-count", "if i >= self.frozen:", "if i > self.frozen:", "for i, block"
        ),
        Seed(
            "unfreezes-first",
            "if i >= self.frozen:",
            "if i < n_blocks:",
            "for i, block",
            ("statistics-after-unfreezing",),
        ),
        Seed(
            "statistics-after-unfreezing",
            "self.features[: self.frozen]",
            "self.features[: self.frozen if self.frozen == len(self.features) else 0]",
            "    def train",
        ),
        Seed(
            "frozen-statistics",
            "            block.eval()\n",
            "            block.requires_grad_(False)\n",
            "    def train",
        ),
        Seed(
            "dropout-on-scores",
            "nn.Dropout(dropout), nn.Linear(1280, n_classes)",
            "nn.Linear(1280, n_classes), nn.Dropout(dropout)",
        ),
        Seed(
            "evaluation-mode-broken", "super().train(mode)", "super().train(True)", "    def train"
        ),
        Seed(
            "gradient-cut",
            "self.pool(self.features(images))",
            "self.pool(self.features(images).detach())",
        ),
        Seed("flatten-missing", "nn.Sequential(nn.Flatten(), nn", "nn.Sequential(nn"),
    ],
}
