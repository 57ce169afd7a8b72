"""Mistakes in seven other solutions, written when the checker was finished, to measure it."""

from .seeds import Seed

SEEDS = {
    "columns": [
        Seed("not-averaged", "dW1 = 1 / m * dZ1.dot(X.T)", "dW1 = dZ1.dot(X.T)"),
        Seed(
            "bias-wrong-axis",
            "db2 = 1 / m * np.sum(dZ2, axis=1, keepdims=True)",
            "db2 = 1 / m * np.sum(dZ2, axis=0, keepdims=True)",
        ),
        Seed("mask-missing", "W2.T.dot(dZ2) * (Z1 > 0)", "W2.T.dot(dZ2)"),
        Seed("weights-not-transposed", "W2.T.dot(dZ2)", "W2.dot(dZ2)"),
        Seed("loss-over-classes", "m = Y.shape[1]", "m = Y.shape[0]", "return -np.sum"),
        Seed(
            "softmax-wrong-axis",
            "exp / exp.sum(axis=0, keepdims=True)",
            "exp / exp.sum(axis=1, keepdims=True)",
        ),
        Seed("step-sign", "W2 = W2 - alpha * dW2", "W2 = W2 + alpha * dW2"),
        Seed("not-updated", "    b1 = b1 - alpha * db1\n", "", "def update_params"),
        Seed("bias-summed-over-all", "np.sum(dZ1, axis=1, keepdims=True)", "np.sum(dZ1)"),
    ],
    "torch_layout": [
        Seed(
            "mask-inverted", "delta[self.hidden_sum <= 0] = 0.0", "delta[self.hidden_sum > 0] = 0.0"
        ),
        Seed(
            "mask-missing",
            "        delta[self.hidden_sum <= 0] = 0.0\n",
            "",
            ("delta = delta @", 'self.grads["fc1.weight"] ='),
        ),
        Seed(
            "not-averaged",
            "        delta /= len(targets)\n",
            "",
            ("delta = self", "delta[range", 'self.grads["fc2.weight"] ='),
        ),
        Seed(
            "transposed",
            'self.grads["fc2.weight"] = delta.T @ self.hidden',
            'self.grads["fc2.weight"] = self.hidden.T @ delta',
        ),
        Seed("loss-summed", "-np.log(picked).mean()", "-np.log(picked).sum()"),
        Seed("momentum-missing", "self.momentum * self.velocity[name] + grad", "grad"),
        Seed(
            "momentum-is-one",
            "self.momentum * self.velocity[name] + grad",
            "self.velocity[name] + grad",
        ),
        Seed(
            "not-shuffled",
            "rows = rng.permutation(len(X))",
            "rows = np.arange(len(X))",
            "for _ in range",
        ),
        Seed(
            "bias-one-image",
            'self.grads["fc1.bias"] = delta.sum(0)',
            'self.grads["fc1.bias"] = delta[0]',
        ),
    ],
    "lists": [
        Seed(
            "averaged-twice",
            "grad_b = delta.sum(axis=0, keepdims=True)",
            "grad_b = delta.mean(axis=0, keepdims=True)",
        ),
        Seed(
            "mask-missing",
            "(delta @ self.weights[i].T) * (self.sums[i - 1] > 0)",
            "delta @ self.weights[i].T",
        ),
        Seed("mask-of-wrong-layer", "(self.sums[i - 1] > 0)", "(self.sums[i] > 0)"),
        Seed(
            "gradient-sign",
            "(self.activations[-1] - y_true) / len(y_true)",
            "(y_true - self.activations[-1]) / len(y_true)",
        ),
        Seed(
            "before-activation",
            "grad_w = self.activations[i].T @ delta",
            "grad_w = (self.sums[i - 1] if i else X).T @ delta",
        ),
        Seed(
            "softmax-underflow",
            "z.max(axis=1)[:, None]",
            "z.max()",
            ("np.exp(z) / np.exp(z)", "z = z - z.max()"),
        ),
        Seed("activation-missing", "else np.maximum(0, z))", "else z)"),
        Seed(
            "images-never-used", "range(0, n, batch_size)", "range(batch_size, n, 2 * batch_size)"
        ),
        Seed(
            "learning-rate-missing",
            "self.weights[i] - self.learning_rate * grad_w",
            "self.weights[i] - grad_w",
        ),
    ],
    "returned_gradients": [
        Seed(
            "labels-not-subtracted",
            "        dS[np.arange(N), y] -= 1\n",
            "",
            ("dS = dS / N", "dS = P.copy()"),
        ),
        Seed("averaged-twice", "dZ1.sum(axis=0), A1", "dZ1.mean(axis=0), A1"),
        Seed("mask-of-gradient", "np.where(Z1 > 0, dA1, 0)", "np.where(dA1 > 0, dA1, 0)"),
        Seed(
            "nesterov",
            "getattr(self, name) + velocities[i])",
            "getattr(self, name) + momentum * velocities[i] - lr * gradients[i])",
        ),
        Seed("momentum-damped", "- lr * gradients[i]", "- (1 - momentum) * lr * gradients[i]"),
        Seed("labels-not-shuffled", "X[order], y[order]", "X[order], y"),
        Seed(
            "shuffled-once",
            "rng.permutation(len(X))",
            "np.random.default_rng(seed).permutation(len(X))",
        ),
        Seed(
            "loss-log-of-mean",
            "np.mean(-np.log(np.maximum(P[np.arange(y.size), y], 1e-12)))",
            "-np.log(np.mean(P[np.arange(y.size), y]))",
        ),
        Seed("loss-of-largest", "P[np.arange(y.size), y]", "P.max(axis=1)"),
    ],
    "course_terse": [
        Seed(
            "init-wrong-size",
            "(2 / a) ** 0.5, (a, b)",
            "(2 / b) ** 0.5, (a, b)",
            ("self.W1, self.b1", "he = "),
        ),
        Seed("mask-threshold", "lambda x: x > 0)", "lambda x: x > 0.5)"),
        Seed(
            "loss-over-all-entries",
            "-np.mean(np.sum(y_true * np.log(y_pred + 1e-8), axis=1))",
            "-np.mean(y_true * np.log(y_pred + 1e-8))",
        ),
        Seed("weights-of-wrong-layer", "d2 @ self.W2.T", "d2 @ self.W1.T"),
        Seed("input-of-wrong-layer", '"W2": self.h.T @ d2', '"W2": x.T @ d2'),
        Seed("velocity-sign", "0.9 * self.v.get", "-0.9 * self.v.get"),
        Seed(
            "validation-trained",
            "            hits = ",
            "            self.backward(X_val, y_val, self.forward(X_val))\n            hits = ",
            "self.backward(X_val",
        ),
    ],
    "loose_layers": [
        Seed(
            "gradients-added-up",
            "        self.dbias = np.sum(dout, axis=0, keepdims=True)",
            "        self.dbias = getattr(self, 'dbias', 0) + np.sum(dout, axis=0, keepdims=True)",
        ),
        Seed(
            "mask-missing",
            "        dinputs[self.inputs <= 0] = 0\n",
            "",
            ("return dinputs", "dinputs = dout"),
        ),
        Seed(
            "weights-not-transposed", "np.dot(dout, self.weights.T)", "np.dot(dout, self.weights)"
        ),
        Seed(
            "softmax-wrong-axis",
            "e / e.sum(axis=1, keepdims=True)",
            "e / e.sum(axis=0, keepdims=True)",
        ),
        Seed("learning-rate-twice", "layer.bias += v_b", "layer.bias += self.lr * v_b"),
    ],
    "globals_script": [
        Seed("bias-left-out", "softmax(h @ W2 + b2)", "softmax(h @ W2)"),
        Seed("mask-missing", "    dh[h == 0] = 0\n", "", ("dW1 = x.T @ dh", "dh = d @")),
        Seed("averaged-twice", "dW2 = h.T @ d", "dW2 = h.T @ d / len(t)"),
        Seed(
            "updated-too-early",
            "    dh = d @ W2.T\n",
            "    W2_new = W2 - lr * dW2\n    dh = d @ W2_new.T\n",
            "dh = d @",
        ),
    ],
}
