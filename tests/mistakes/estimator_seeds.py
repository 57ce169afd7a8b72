"""Mistakes in classes for scikit-learn."""

from .seeds import Seed

SEEDS = {
    "labs_estimator": [
        Seed(
            "fit-not-self",
            "batch_size=self.batch_size)\n        return self\n",
            "batch_size=self.batch_size)\n",
            "self.network_.train(",
        ),
        Seed("labels-as-numbers", "return self.classes_[numbers]", "return numbers"),
        Seed(
            "labels-taken-for-numbers",
            "numbers = np.unique(y, return_inverse=True)",
            "numbers = np.unique(y), y.astype(int)",
        ),
        Seed("init-not-stored", "self.learning_rate = learning_rate", "self.lr = learning_rate"),
        Seed(
            "init-changed", "self.hidden_size = hidden_size", "self.hidden_size = int(hidden_size)"
        ),
        Seed(
            "init-does-work",
            "        self.random_state = random_state\n",
            "        self.random_state = random_state\n        self.network_ = None\n",
            "self.network_ = None",
        ),
        Seed("seed-unused", "seed=self.random_state", "seed=0", "    def fit(self"),
        Seed(
            "not-a-classifier",
            "class MLPClassifier(ClassifierMixin, BaseEstimator)",
            "class MLPClassifier(BaseEstimator, ClassifierMixin)",
        ),
        Seed(
            "no-score",
            "class MLPClassifier(ClassifierMixin, BaseEstimator)",
            "class MLPClassifier(BaseEstimator)",
        ),
        Seed(
            "fit-goes-on",
            "        self.network_ = MLPFromScratch(\n            X.shape[1],\n            self.hidden_size,\n            len(self.classes_),\n            self.learning_rate,\n            seed=self.random_state,\n        )\n",
            '        if not hasattr(self, "network_"):\n            self.network_ = MLPFromScratch(X.shape[1], self.hidden_size, len(self.classes_), self.learning_rate, seed=self.random_state)\n',
            "if not hasattr",
        ),
        Seed(
            "rows-depend-on-others",
            "return self.network_.forward(X)",
            "return self.network_.forward(X / X.max())",
        ),
        Seed(
            "number-of-classes-fixed",
            "            len(self.classes_),\n",
            "            10,\n",
            "            10,",
        ),
        Seed(
            "predict-not-classes", "return self.classes_[numbers]", "return self.predict_proba(X)"
        ),
        Seed(
            "not-fitted-unsaid",
            "        check_is_fitted(self)\n        X = validate_data(self, X, dtype=np.float64, reset=False)\n",
            "        X = np.asarray(X, dtype=np.float64)\n",
            "    def predict(self",
            ("other-columns-accepted",),
        ),
        Seed(
            "fit-changes-parameters",
            "        check_classification_targets(y)\n",
            "        check_classification_targets(y)\n        self.batch_size = min(7, len(X))\n",
            "self.batch_size = min",
        ),
        Seed(
            "columns-out-of-order",
            "numbers = self.predict_proba(X).argmax(axis=1)  # first: it checks that fit was called",
            "numbers = self.predict_proba(X).argmin(axis=1)",
            "return self.classes_[numbers]",
        ),
    ],
    "estimator_self_made": [
        Seed(
            "classes-not-set",
            "        self.classes_ = np.unique(y)\n",
            "        self.labels = np.unique(y)\n",
            "    def fit",
            ("exception",),
        ),
        Seed(
            "features-not-counted",
            "        self.n_features_in_ = X.shape[1]\n",
            "",
            "    def fit",
            ("exception",),
        ),
        Seed("not-repeatable", "rng.permutation(len(X))", "np.random.permutation(len(X))"),
        Seed("not-probabilities", "return self._proba(X)", "return X @ self.W_ + self.b_"),
        Seed(
            "estimator-changes-input",
            "        X, y = check_X_y(X, y)\n",
            "        X, y = check_X_y(X, y)\n        X -= X.mean(axis=0)\n",
            "X -= X",
        ),
        Seed(
            "nan-accepted",
            "X, y = check_X_y(X, y)",
            "X, y = np.asarray(X), np.asarray(y)",
            "    def fit",
        ),
        Seed(
            "lists-refused",
            "X, y = check_X_y(X, y)",
            "assert not np.isnan(X).any() or np.zeros(-1)",
            ("index =", "self.n_features_in_ =", "np.zeros(-1)"),
            ("exception", "nan-accepted"),
        ),
        Seed(
            "init-many-arguments",
            "random_state=None):",
            "random_state=None, **kwargs):",
            "    def __init__",
        ),
        Seed(
            "init-does-work",
            "        self.random_state = random_state\n",
            "        self.random_state = random_state\n        self.rng = check_random_state(random_state)\n",
            "self.rng =",
        ),
        Seed("labels-as-numbers", "return self.classes_[best]", "return best"),
        Seed(
            "estimator-does-not-learn",
            "self.W_ -= self.learning_rate * X[rows].T @ error",
            "self.W_ += self.learning_rate * X[rows].T @ error",
            "    def fit",
        ),
    ],
    "estimator_encoder": [
        Seed(
            "score-other",
            "return float(np.mean(self.predict(X) == np.asarray(y)))",
            "return float(np.sum(self.predict(X) == np.asarray(y)))",
        ),
        Seed(
            "other-columns-accepted",
            "        X = validate_data(self, X, reset=False)\n        return self.classes_[",
            "        X = np.asarray(X)[:, : self.n_features_in_]\n        return self.classes_[",
            "    def predict(self",
        ),
        Seed(
            "classes-not-sorted",
            "        self.classes_ = encoder.classes_\n",
            "        self.classes_ = np.array(list(dict.fromkeys(y)))\n",
            "self.classes_ = np",
            ("columns-out-of-order",),
        ),
        Seed(
            "columns-out-of-order",
            "return softmax(self.network_.scores(X))",
            "return softmax(self.network_.scores(X))[:, ::-1]",
            "return self.classes_[",
        ),
        Seed(
            "rows-depend-on-others",
            "        return softmax(self.network_.scores(X))",
            "        X = (X - X.mean(axis=0)) / (X.std(axis=0) + 1e-9)\n        return softmax(self.network_.scores(X))",
            "X = (X - X.mean",
            ("columns-out-of-order",),
        ),
        Seed(
            "fit-not-self",
            "        self.network_ = network\n        return self\n",
            "        self.network_ = network\n        return network\n",
            "return network",
        ),
        Seed("seed-unused", "default_rng(self.seed)", "default_rng(1)", "    def fit"),
        Seed("not-repeatable", "default_rng(self.seed)", "default_rng()"),
        Seed(
            "init-changed",
            "self.hidden_sizes = hidden_sizes",
            "self.hidden_sizes = list(hidden_sizes)",
        ),
    ],
}
