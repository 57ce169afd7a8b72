"""Mistakes in the layered network."""

from .seeds import Seed

VELOCITIES = (
    "        self.vW = momentum * self.vW - lr * self.dW\n"
    "        self.vb = momentum * self.vb - lr * self.db\n"
)
SEEDS = [
    Seed(
        "init-zero",
        "np.random.normal(0.0, np.sqrt(2.0 / n_in), (n_in, n_out))",
        "np.ones((n_in, n_out))",
    ),
    Seed(
        "init-not-centred",
        "np.random.normal(0.0, np.sqrt(2.0 / n_in), (n_in, n_out))",
        "np.random.rand(n_in, n_out)",
    ),
    Seed("init-bias", "self.b = np.zeros(n_out)", "self.b = np.random.randn(n_out)"),
    Seed("bias-left-out", "return x @ self.W + self.b", "return x @ self.W"),
    Seed("bias-sign", "return x @ self.W + self.b", "return x @ self.W - self.b"),
    Seed("transposed", "self.dW = self.x.T @ grad", "self.dW = grad.T @ self.x"),
    Seed("not-transposed", "self.dW = self.x.T @ grad", "self.dW = self.x @ grad"),
    Seed("averaged-twice", "self.dW = self.x.T @ grad", "self.dW = self.x.T @ grad / len(self.x)"),
    Seed("averaged-twice", "grad.sum(axis=0)", "grad.mean(axis=0)"),
    Seed("bias-wrong-axis", "grad.sum(axis=0)", "grad.sum(axis=1)"),
    Seed("bias-summed-over-all", "self.db = grad.sum(axis=0)", "self.db = grad.sum()"),
    Seed("bias-not-summed", "self.db = grad.sum(axis=0)", "self.db = grad"),
    Seed("bias-one-image", "self.db = grad.sum(axis=0)", "self.db = grad[0]"),
    Seed("bias-largest", "grad.sum(axis=0)", "grad.max(axis=0)"),
    Seed("weights-not-transposed", "return grad @ self.W.T", "return grad @ self.W"),
    Seed("gradient-for-weights", "return grad @ self.W.T", "return grad @ self.dW.T"),
    Seed(
        "updated-too-early",
        "        return grad @ self.W.T",
        "        old = self.W.copy()\n        self.W = self.W - 0.07 * self.dW\n"
        "        out = grad @ self.W.T\n        self.W = old\n        return out",
        "out = grad @ self.W.T",
    ),
    Seed("gradient-sign", "return grad @ self.W.T", "return -grad @ self.W.T"),
    Seed(
        "gradients-added-up",
        "        self.dW = self.x.T @ grad",
        "        self.dW = getattr(self, 'dW', 0) + self.x.T @ grad",
    ),
    Seed("weights-in-gradient", "self.dW = self.x.T @ grad", "self.dW = self.x.T @ grad * self.W"),
    Seed("factor-two", "self.dW = self.x.T @ grad", "self.dW = 2 * self.x.T @ grad"),
    Seed("gradient-missing", "self.db = grad.sum(axis=0)", "self.db = np.zeros_like(self.b)"),
    Seed("mask-missing", "return grad * self.mask", "return grad"),
    Seed("mask-inverted", "return grad * self.mask", "return grad * ~self.mask"),
    Seed("mask-of-gradient", "return grad * self.mask", "return grad * (grad > 0)"),
    Seed("mask-threshold", "self.mask = x > 0", "self.mask = x > 1", "", ("activation-threshold",)),
    Seed("mask-alone", "return grad * self.mask", "return self.mask * 1.0"),
    Seed("activation-missing", "return x * self.mask", "return x"),
    Seed("absolute-value", "return x * self.mask", "return np.abs(x)"),
    Seed("step-activation", "return x * self.mask", "return self.mask * 1.0"),
    Seed(
        "softmax-wrong-axis",
        "exps / exps.sum(axis=1, keepdims=True)",
        "exps / exps.sum(axis=0, keepdims=True)",
    ),
    Seed("softmax-over-batch", "exps / exps.sum(axis=1, keepdims=True)", "exps / exps.sum()"),
    Seed("softmax-sign", "exps = np.exp(shifted)", "exps = np.exp(-shifted)"),
    Seed("loss-summed", "-np.log(picked + 1e-12).mean()", "-np.log(picked + 1e-12).sum()"),
    Seed("loss-sign", "-np.log(picked + 1e-12).mean()", "np.log(picked + 1e-12).mean()"),
    Seed("loss-log-missing", "-np.log(picked + 1e-12).mean()", "-picked.mean()"),
    Seed("loss-log-of-mean", "-np.log(picked + 1e-12).mean()", "-np.log(picked.mean() + 1e-12)"),
    Seed("loss-log-base", "-np.log(picked + 1e-12).mean()", "-np.log2(picked + 1e-12).mean()"),
    Seed("loss-log-of-rest", "-np.log(picked + 1e-12).mean()", "-np.log(1 - picked).mean()"),
    Seed(
        "labels-not-subtracted",
        "        grad[np.arange(len(self.labels)), self.labels] -= 1\n",
        "",
        "grad = grad / len",
    ),
    Seed("gradient-sign", "grad = grad / len(self.labels)", "grad = -grad / len(self.labels)"),
    Seed(
        "not-averaged",
        "        grad = grad / len(self.labels)\n",
        "",
        ("grad = self.probs.copy()", "grad[np.arange", "return grad\n\n\nclass Network"),
    ),
    Seed("averaged-twice", "grad = grad / len(self.labels)", "grad = grad / len(self.labels) ** 2"),
    Seed("wrong-count", "grad = grad / len(self.labels)", "grad = grad / self.probs.shape[1]"),
    Seed(
        "softmax-derivative-again",
        "grad = grad / len(self.labels)",
        "grad = grad * self.probs * (1 - self.probs) / len(self.labels)",
    ),
    Seed(
        "softmax-twice",
        "        return x\n\n    def loss",
        "        e = np.exp(x - x.max(axis=1, keepdims=True))\n"
        "        return e / e.sum(axis=1, keepdims=True)\n\n    def loss",
        ("return e / e.sum", "self.probs = exps", "loss = -np"),
        ("softmax-twice",),
    ),
    Seed(
        "momentum-missing", "self.vW = momentum * self.vW - lr * self.dW", "self.vW = -lr * self.dW"
    ),
    Seed("step-sign", "self.W += self.vW", "self.W -= self.vW"),
    Seed(
        "momentum-damped",
        "self.vW = momentum * self.vW - lr * self.dW",
        "self.vW = momentum * self.vW - (1 - momentum) * lr * self.dW",
    ),
    Seed("learning-rate-twice", "self.W += self.vW", "self.W += lr * self.vW"),
    Seed(
        "learning-rate-missing",
        "self.vW = momentum * self.vW - lr * self.dW",
        "self.vW = momentum * self.vW - self.dW",
    ),
    Seed(
        "momentum-order",
        VELOCITIES + "        self.W += self.vW\n",
        "        self.W += self.vW\n" + VELOCITIES,
    ),
    Seed("not-updated", "        self.b += self.vb\n", "", "def step(self, lr"),
    Seed(
        "velocity-sign",
        "self.vb = momentum * self.vb - lr * self.db",
        "self.vb = -momentum * self.vb - lr * self.db",
    ),
    Seed(
        "not-shuffled",
        "np.random.permutation(len(X))",
        "np.arange(len(X))",
        "for _ in range(epochs)",
    ),
    Seed(
        "shuffled-once",
        "        for _ in range(epochs):\n            order = np.random.permutation(len(X))\n",
        "        order = np.random.permutation(len(X))\n        for _ in range(epochs):\n",
        "order = np.random.permutation",
    ),
    Seed("with-replacement", "np.random.permutation(len(X))", "np.random.choice(len(X), len(X))"),
    Seed("never-updated", "                self.step()\n", "", "for start in range"),
    Seed(
        "labels-not-shuffled",
        "                self.backward(logits, y[rows])",
        "                self.backward(logits, y[start : start + batch_size])",
    ),
    Seed("argmax-wrong-axis", "scores.argmax(axis=1)", "scores.argmax(axis=0)"),
    Seed("argmin", "scores.argmax(axis=1)", "scores.argmin(axis=1)"),
]
