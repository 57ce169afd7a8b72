"""Mistakes in networks in PyTorch."""

from .seeds import Seed

SMALL = "class SmallCNN(nn.Module):"
SEEDS = {
    "labs_cnn": [
        Seed(
            "relu-missing",
            "x = self.pool(self.conv1(x).relu())",
            "x = self.pool(self.conv1(x))",
            "x = self.pool(self.conv2(x)",
        ),
        Seed(
            "relu-missing",
            "self.dropout(self.fc1(x.flatten(1)).relu())",
            "self.dropout(self.fc1(x.flatten(1)))",
            "scores: Tensor = self.fc2(x)",
        ),
        Seed(
            "softmax-in-network",
            "scores: Tensor = self.fc2(x)",
            "scores: Tensor = self.fc2(x).softmax(1)",
        ),
        Seed("flatten-batch", "self.fc1(x.flatten(1))", "self.fc1(x.flatten())"),
        Seed("flatten-missing", "self.fc1(x.flatten(1))", "self.fc1(x)"),
        Seed("linear-wrong-size", "nn.Linear(64 * 7 * 7, 128)", "nn.Linear(64 * 14 * 14, 128)"),
        Seed(
            "channels-do-not-fit",
            "nn.Conv2d(32, 64, 3, padding=1)",
            "nn.Conv2d(16, 64, 3, padding=1)",
        ),
        Seed(
            "dropout-missing",
            "x = self.dropout(self.fc1(x.flatten(1)).relu())",
            "x = self.fc1(x.flatten(1)).relu()",
            "scores: Tensor = self.fc2(x)",
        ),
        Seed("dropout-rate", "nn.Dropout(0.5)", "nn.Dropout(0.2)"),
        Seed(
            "layer-unused",
            "x = self.pool(self.conv1(x).relu())",
            "x = self.pool(nn.functional.pad(x, (0, 0)).expand(-1, 32, -1, -1).relu())",
            "self.conv1 = nn.Conv2d(1, 32",
        ),
        Seed(
            "average-pool",
            "self.pool = nn.MaxPool2d(2)",
            "self.pool = nn.AvgPool2d(2)",
            "x = self.pool(self.conv1",
        ),
        Seed(
            "not-relu",
            "x = self.pool(self.conv1(x).relu())",
            "x = self.pool(self.conv1(x).sigmoid())",
        ),
        Seed(
            "super-init-missing",
            "        super().__init__()\n        self.conv1",
            "        self.conv1",
            "    def __init__(self, num_classes: int = 10) -> None:\n        self.conv1",
        ),
        Seed(
            "relu-on-scores", "scores: Tensor = self.fc2(x)", "scores: Tensor = self.fc2(x).relu()"
        ),
        Seed(
            "gradient-cut",
            "x = self.pool(self.conv2(x).relu())",
            "x = self.pool(self.conv2(x).relu()).detach()",
        ),
        Seed(
            "classes-fixed",
            "nn.Linear(128, num_classes)",
            "nn.Linear(128, 10)",
            "    def __init__(self, num_classes: int = 10) -> None:\n        super().__init__()\n        self.conv1",
        ),
        Seed("kernel-size", "nn.Conv2d(32, 64, 3, padding=1)", "nn.Conv2d(32, 64, 5, padding=2)"),
        Seed("layer-size", "nn.Conv2d(16, 32, 3, padding=1)", "nn.Conv2d(16, 24, 3, padding=1)"),
    ],
    "cnn_functional": [
        Seed(
            "dropout-in-evaluation",
            "F.dropout(x, p=0.4, training=self.training)",
            "F.dropout(x, p=0.4)",
        ),
        Seed("relu-missing", "x = F.relu(self.fc1(x))", "x = self.fc1(x)", "return self.fc2(x)"),
        Seed("softmax-in-network", "return self.fc2(x)", "return F.softmax(self.fc2(x), dim=1)"),
        Seed("reshape-wrong-size", "x.view(-1, 320)", "x.view(x.size(0), 500)"),
        Seed("reshape-wrong-size", "x = x.view(-1, 320)", "x = x.view(-1, 160)"),
        Seed("norm-wrong-size", "nn.BatchNorm2d(10)", "nn.BatchNorm2d(20)"),
        Seed(
            "layer-made-in-forward",
            "x = F.relu(self.fc1(x))",
            "x = F.relu(nn.Linear(320, 50)(x))",
            "x = F.relu(nn.Linear",
            ("layer-unused",),
        ),
        Seed(
            "tensor-for-parameter",
            "self.fc2 = nn.Linear(50, 10)",
            "self.fc2 = lambda x: x @ self.w\n        self.w = torch.randn(50, 10, requires_grad=True)",
            "self.fc2 = lambda",
        ),
        Seed(
            "batch-statistics",
            "nn.BatchNorm2d(10)",
            "nn.BatchNorm2d(10, track_running_stats=False)",
            "x = F.relu(F.max_pool2d(self.bn1",
        ),
        Seed(
            "norm-never-trained",
            "x = F.relu(F.max_pool2d(self.bn1(self.conv1(x)), 2))",
            "self.bn1.eval()\n        x = F.relu(F.max_pool2d(self.bn1(self.conv1(x)), 2))",
            "x = F.relu(F.max_pool2d(self.bn1",
        ),
        Seed("images-mixed", "x = x.view(-1, 320)", "x = x.permute(1, 2, 3, 0).reshape(-1, 320)"),
        Seed("batch-of-one", "return self.fc2(x)", "return self.fc2(x).squeeze()"),
        Seed("classes-for-scores", "return self.fc2(x)", "return self.fc2(x).argmax(dim=1)"),
        Seed("forward-returns-nothing", "return self.fc2(x)", "x = self.fc2(x)"),
        Seed("sigmoid-on-scores", "return self.fc2(x)", "return torch.sigmoid(self.fc2(x))"),
        Seed(
            "dropout-on-scores",
            "return self.fc2(x)",
            "return F.dropout(self.fc2(x), training=self.training)",
        ),
        Seed(
            "layer-not-called",
            "x = F.relu(F.max_pool2d(self.conv2(x), 2))",
            "x = nn.ReLU(F.max_pool2d(self.conv2(x), 2))",
        ),
        Seed(
            "gradient-cut",
            "x = F.relu(self.fc1(x))",
            "with torch.no_grad():\n            x = F.relu(self.fc1(x))",
            "x = F.relu(self.fc1(x))",
        ),
    ],
    "cnn_blocks": [
        Seed(
            "not-registered",
            "nn.ModuleList(Block(a, b) for a, b in zip(sizes, sizes[1:]))",
            "[Block(a, b) for a, b in zip(sizes, sizes[1:])]",
            ("self.skip =", "nn.Conv2d(n_in, n_out, 3", "self.blocks = ["),
        ),
        Seed(
            "softmax-in-network",
            "nn.Linear(widths[-1], n_classes)\n",
            "nn.Linear(widths[-1], n_classes), nn.Softmax(dim=1)\n",
            "nn.AdaptiveAvgPool2d(1)",
        ),
        Seed(
            "layer-unused",
            "self.body(x) + self.skip(x)",
            "self.body(x) + x.mean(1, keepdim=True)",
            "self.skip =",
        ),
        Seed(
            "channels-do-not-fit",
            "nn.Conv2d(n_out, n_out, 3, padding=1, bias=False)",
            "nn.Conv2d(n_in, n_out, 3, padding=1, bias=False)",
            "nn.Conv2d(n_in, n_out, 3, padding=1, bias=False),\n            nn.BatchNorm2d(n_out),\n        )",
        ),
        Seed(
            "scores-shape",
            "nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(0.2), nn.Linear(widths[-1], n_classes)",
            "nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(0.2), nn.Linear(widths[-1], 128)",
            "nn.AdaptiveAvgPool2d(1)",
        ),
        Seed(
            "flatten-missing",
            "nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn",
            "nn.AdaptiveAvgPool2d(1), nn",
        ),
    ],
    "cnn_features": [
        Seed(
            "padding-missing",
            'torch.nn.Conv2d(1, 32, 3, padding="same")',
            "torch.nn.Conv2d(1, 32, 3)",
        ),
        Seed(
            "relu-missing",
            "            torch.nn.Linear(64 * 7 * 7, 128),\n            self.activation,\n",
            "            torch.nn.Linear(64 * 7 * 7, 128),\n",
            "torch.nn.Linear(128, num_classes)",
        ),
        Seed(
            "average-pool",
            "            torch.nn.MaxPool2d(2, 2),\n        )",
            "            torch.nn.AvgPool2d(2, 2),\n        )",
            "torch.nn.AvgPool2d",
        ),
        Seed(
            "layer-bias-missing",
            "torch.nn.Linear(64 * 7 * 7, 128)",
            "torch.nn.Linear(64 * 7 * 7, 128, bias=False)",
        ),
        Seed(
            "layer-size",
            "torch.nn.Linear(64 * 7 * 7, 128),\n            self.activation,\n            torch.nn.Dropout(dropout_rate),\n            torch.nn.Linear(128,",
            "torch.nn.Linear(64 * 7 * 7, 100),\n            self.activation,\n            torch.nn.Dropout(dropout_rate),\n            torch.nn.Linear(100,",
        ),
        Seed(
            "not-relu",
            "self.activation = torch.nn.ReLU()",
            "self.activation = torch.nn.LeakyReLU()",
        ),
        Seed(
            "dropout-on-scores",
            "            torch.nn.Linear(128, num_classes),\n",
            "            torch.nn.Linear(128, num_classes),\n            torch.nn.Dropout(0.1),\n",
            "torch.nn.Dropout(0.1)",
        ),
    ],
}
