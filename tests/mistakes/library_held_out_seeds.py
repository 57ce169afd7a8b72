"""Mistakes in four other programs, written when the checks of library tasks were finished."""

from .seeds import Seed

SEEDS = {
    "held_lenet": [
        Seed(
            "relu-missing",
            'x = torch.relu(self.layers["f2"](x))',
            'x = self.layers["f2"](x)',
            'return self.layers["out"](x)',
        ),
        Seed(
            "not-registered",
            "nn.ModuleDict(\n            {",
            "dict(\n            {",
            ('"c1": nn', "self.layers = dict"),
        ),
        Seed("linear-wrong-size", "nn.Linear(400, 120)", "nn.Linear(16 * 7 * 7, 120)"),
        Seed("layer-unused", 'x = torch.relu(self.layers["f2"](x))', "x = x[:, :84]", '"f2": nn'),
    ],
    "held_trainer": [
        Seed(
            "best-by-reference",
            "                    best_model_wts = copy.deepcopy(model.state_dict())\n    model",
            "                    best_model_wts = model.state_dict()\n    model",
        ),
        Seed(
            "mean-of-batches",
            "                running_loss += loss.item() * images.size(0)\n                running_corrects += torch.sum(preds == labels.data).item()\n                seen += images.size(0)\n",
            "                running_loss += loss.item()\n                running_corrects += torch.mean((preds == labels.data).float()).item()\n                seen += 1\n",
            ("epoch_loss = running", "epoch_acc = running"),
        ),
        Seed(
            "train-not-restored",
            '            if phase == "train":\n                model.train()\n            else:\n                model.eval()\n',
            '            if phase == "val":\n                model.eval()\n',
            "                model.eval()",
        ),
        Seed(
            "loop-validation-trained",
            '                with torch.set_grad_enabled(phase == "train"):\n                    outputs = model(images)\n                    preds = outputs.argmax(dim=1)\n                    loss = criterion(outputs, labels)\n                    if phase == "train":\n',
            "                if True:\n                    outputs = model(images)\n                    preds = outputs.argmax(dim=1)\n                    loss = criterion(outputs, labels)\n                    if phase in dataloaders:\n",
            "loss.backward()",
            ("validation-with-gradients",),
        ),
    ],
    "held_estimator": [
        Seed("seed-unused", "RandomState(self.random_state)", "RandomState(42)", "    def fit"),
        Seed("labels-as-numbers", "np.take(self.classes_, p.argmax(axis=1))", "p.argmax(axis=1)"),
        Seed(
            "fit-goes-on",
            "        self.coefs_ = [\n            draw.randn(X.shape[1], self.hidden) * np.sqrt(2 / X.shape[1]),\n            draw.randn(self.hidden, len(self.classes_)) * np.sqrt(2 / self.hidden),\n        ]\n",
            '        self.coefs_ = getattr(self, "coefs_", None) or [\n            draw.randn(X.shape[1], self.hidden) * np.sqrt(2 / X.shape[1]),\n            draw.randn(self.hidden, len(self.classes_)) * np.sqrt(2 / self.hidden),\n        ]\n',
            "        self.coefs_ = getattr",
        ),
        Seed(
            "estimator-changes-input",
            "        X = validate_data(self, X, reset=False)\n",
            "        X = validate_data(self, X, reset=False)\n        X *= 1.0 + 1e-3\n",
            "X *= 1.0",
        ),
    ],
    "held_squeeze": [
        Seed(
            "unfreezes-not-last",
            "range(len(self.body) - count, len(self.body))",
            "range(len(self.body) - count, len(self.body) - 1)",
        ),
        Seed(
            "head-frozen",
            "in self.body.parameters():\n            parameter.requires_grad = False",
            "in self.parameters():\n            parameter.requires_grad = False",
            ("parameter.requires_grad = False", "for parameter in self.parameters"),
        ),
        Seed(
            "unfreezes-nothing",
            "            for parameter in self.body[index].parameters():\n                parameter.requires_grad = True\n",
            "            self.body[index].requires_grad = True\n",
            ("self.body[index].requires_grad", "for index in"),
        ),
        Seed(
            "softmax-in-network",
            "self.head(x).mean(dim=(-2, -1))",
            "self.head(x).mean(dim=(-2, -1)).softmax(-1)",
        ),
    ],
}
