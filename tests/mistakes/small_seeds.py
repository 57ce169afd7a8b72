"""Mistakes in gradient checks, folds and splits."""

from .seeds import Seed

SEEDS = {
    "labs_comparison": [
        Seed(
            "same-network",
            "    histories = {}\n    for name, make_optimizer in OPTIMIZERS.items():\n        torch.manual_seed(seed)\n        model = make_model()\n",
            "    histories = {}\n    torch.manual_seed(seed)\n    model = make_model()\n    for name, make_optimizer in OPTIMIZERS.items():\n",
            "model = make_model()",
        ),
        Seed(
            "other-first-weights",
            "        torch.manual_seed(seed)\n",
            "",
            (
                "make_optimizer(model.parameters())",
                "histories[name] = train_model",
                "model = make_model()",
            ),
        ),
        Seed(
            "same-optimizer",
            "make_optimizer(model.parameters()),",
            "OPTIMIZERS['Adam'](model.parameters()),",
            ("AdamW(", "torch.optim.Adam(parameters"),
        ),
        Seed(
            "one-result",
            "        histories[name] = train_model(",
            "        histories = {name: None}\n        histories[name] = train_model(",
            "def compare_optimizers",
        ),
    ],
    "labs_gradients": [
        Seed(
            "one-sided",
            "        parameter[index] = value - step\n        below = loss()\n        parameter[index] = value\n        gradient[index] = (above - below) / (2 * step)",
            "        parameter[index] = value\n        below = loss()\n        gradient[index] = (above - below) / step",
            "gradient[index] =",
        ),
        Seed("step-not-halved", "(above - below) / (2 * step)", "(above - below) / step"),
        Seed(
            "not-restored",
            "        parameter[index] = value\n        gradient",
            "        gradient",
            "gradient[index] =",
        ),
        Seed("gradient-check-sign", "(above - below) / (2 * step)", "(below - above) / (2 * step)"),
        Seed("difference-not-divided", "(above - below) / (2 * step)", "above - below"),
    ],
    "labs_cv": [
        Seed(
            "fold-leakage",
            "[(np.setdiff1d(everything, fold), fold) for fold in folds]",
            "[(everything, fold) for fold in folds]",
            "def k_fold_indices",
            ("fold-validated-on-training",),
        ),
        Seed(
            "fold-swapped",
            "[(np.setdiff1d(everything, fold), fold) for fold in folds]",
            "[(fold, np.setdiff1d(everything, fold)) for fold in folds]",
            "def k_fold_indices",
        ),
        Seed(
            "fold-left-out",
            "folds = np.array_split(everything, n_folds)",
            "folds = np.array_split(everything[: n // n_folds * n_folds], n_folds)",
            "def k_fold_indices",
        ),
        Seed(
            "fold-count",
            "np.array_split(everything, n_folds)",
            "np.array_split(everything, n_folds - 1)",
            "def k_fold_indices",
        ),
        Seed(
            "fold-validated-on-training",
            "(classifier.predict(X[val]) == y[val])",
            "(classifier.predict(X[train]) == y[train])",
        ),
        Seed("fold-mean", "return np.array(accuracies)", "return np.mean(accuracies)"),
        Seed(
            "fold-scaled-together",
            "    accuracies = []\n",
            "    accuracies = []\n    X = (X - X.mean(axis=0)) / X.std(axis=0)\n",
            "    X = (X - X.mean",
        ),
        Seed(
            "fold-accuracy",
            "(classifier.predict(X[val]) == y[val]).mean()",
            "(classifier.predict(X[val]) == y[val]).sum()",
        ),
    ],
    "labs_data": [
        Seed(
            "parts-sizes",
            "X_rest, y_rest, test_size=0.5,",
            "X_rest, y_rest, test_size=0.15,",
            "def split_data",
        ),
        Seed(
            "parts-not-stratified",
            "        X, y, test_size=0.3, random_state=42, stratify=y\n",
            "        X, y, test_size=0.3, random_state=1\n",
            "def split_data",
        ),
        Seed(
            "parts-overlap",
            "    return X_train, X_val, X_test, y_train, y_val, y_test\n",
            "    return X_train, X_val, X_val, y_train, y_val, y_val\n",
            "def split_data",
        ),
        Seed(
            "parts-not-repeatable",
            "test_size=0.5, random_state=42,",
            "test_size=0.5,",
            "def split_data",
        ),
        Seed(
            "parts-labels",
            "    return X_train, X_val, X_test, y_train, y_val, y_test\n",
            "    return X_train, X_val, X_test, y_train[::-1], y_val, y_test\n",
            "def split_data",
        ),
        Seed(
            "parts-left-out",
            "    return X_train, X_val, X_test, y_train, y_val, y_test\n",
            "    return X_train[:-20], X_val, X_test, y_train[:-20], y_val, y_test\n",
            "def split_data",
        ),
    ],
}
