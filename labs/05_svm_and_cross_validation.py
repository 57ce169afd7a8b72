# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#       format_version: '1.3'
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 5. Support vector machine and cross-validation
#
# A *support vector machine* (SVM) is a classifier of quite another kind. You choose its two
# settings by cross-validation, make your own network fit for the same tools, and compare both
# fairly.

# %%
import time
import tracemalloc
from collections.abc import Callable

import matplotlib.pyplot as plt
import mnistlab as ml
import numpy as np
from course import earlier, ready, task
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.metrics import ConfusionMatrixDisplay, classification_report
from sklearn.model_selection import GridSearchCV, KFold, cross_val_score
from sklearn.neighbors import KNeighborsClassifier
from sklearn.svm import SVC
from sklearn.utils.validation import check_is_fitted, validate_data

DATA = "fashion-mini"
N_IMAGES = 1000
N_EPOCHS = 20

MLPFromScratch = earlier("MLPFromScratch", "my_mlp")
split = ml.split(ml.load(DATA))
X_train = split.train.images[:N_IMAGES].reshape(-1, 784) / 255
y_train = split.train.labels[:N_IMAGES]
X_test, y_test = split.test.images.reshape(-1, 784) / 255, split.test.labels

# %% [markdown]
# ## 5.1 Cross-validation
#
# One validation part gives one number, and with few images it depends on which ones they are.
# *K-fold cross-validation* cuts the training images into K folds of (almost) equal size. Each fold
# validates once, while the classifier trains on the K - 1 others. You get K accuracies, and their
# mean uses every image once. The test part is not touched.
#
# **Task 5a.** Write `k_fold_indices` and `cross_validate`. Fold 1 is the first images, fold 2 the
# next ones, and so on. If the number of images is not divisible by K, the first folds have one
# image more.
#
# <details><summary>Hint 1</summary>
#
# `np.array_split` cuts exactly like this.
# </details>
# <details><summary>Hint 2</summary>
#
# The training indices of a fold are all indices without its own: `np.setdiff1d`.
# </details>
# <details><summary>Hint 3</summary>
#
# `make_classifier()` returns a new, untrained classifier. Call it once per fold: a classifier that
# has trained on the first fold already knows the validation images of the second.
# </details>


# %%
def k_fold_indices(n: int, n_folds: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """(training indices, validation indices) of every fold; folds in order, not shuffled."""
    raise NotImplementedError


def cross_validate(
    make_classifier: Callable, X: np.ndarray, y: np.ndarray, n_folds: int = 5
) -> np.ndarray:
    """The validation accuracy of every fold, each of a new classifier."""
    raise NotImplementedError


k_fold_indices = task(k_fold_indices, "my_cv")
cross_validate = task(cross_validate, "my_cv")
# mnistlab check labs/my_cv.py --task cross_validation

# %%
if ready(k_fold_indices, cross_validate):
    yours = cross_validate(KNeighborsClassifier, X_train, y_train, 5)
    theirs = cross_val_score(KNeighborsClassifier(), X_train, y_train, cv=KFold(5))
    print("yours       ", yours, "mean", yours.mean())
    print("scikit-learn", theirs, "mean", theirs.mean())

# %% [markdown]
# ## 5.2 The SVM's two settings
#
# The SVM compares images by $k(x, x') = e^{-\gamma \lVert x - x' \rVert^2}$: 1 for equal images,
# near 0 for different ones. $\gamma$ says how near two images must be to count as similar; $C$ says
# how much each training error costs. A large $C$ and a large $\gamma$ fit the training images more
# exactly, and may overfit.
#
# **Task 5b.** Write `tune_svm`: a `GridSearchCV` over $C$ in 0.1, 1, 10 and $\gamma$ in `"scale"`,
# `"auto"`, 0.01, with `cv=3`. Return the fitted search.
#
# <details><summary>Hint 1</summary>
#
# The grid is a dictionary: the names of `SVC`'s parameters, and lists of their values.
# </details>
# <details><summary>Hint 2</summary>
#
# How many trainings are this? 3 x 3 points times 3 folds, and one more with the best point on all
# images.
# </details>
# <details><summary>Hint 3</summary>
#
# `GridSearchCV(SVC(kernel="rbf"), grid, cv=3).fit(X, y)` returns itself.
# </details>


# %%
def tune_svm(X: np.ndarray, y: np.ndarray) -> GridSearchCV:
    """The finished search over C and gamma, 3-fold, refitted on all images that it was given."""
    raise NotImplementedError


tune_svm = task(tune_svm, "my_cv")

# %%
if ready(tune_svm):
    search = tune_svm(X_train[: N_IMAGES // 2], y_train[: N_IMAGES // 2])
    table = zip(search.cv_results_["params"], search.cv_results_["mean_test_score"], strict=True)
    for point, accuracy in table:
        print(point, f"{accuracy:.3f}")
    print("best", search.best_params_)

# %% [markdown]
# ## 5.3 Your network as a scikit-learn classifier
#
# scikit-learn's tools work with every object that has `fit`, `predict` and `score`, and that can be
# copied. The rules: `__init__` only stores its arguments under their own names, `fit` makes the
# network and returns `self`, and what `fit` has found ends in an underscore (`classes_`).
# `ClassifierMixin` brings `score`; `BaseEstimator` brings the copying.
#
# **Task 5c.** Write `MLPClassifier` around your `MLPFromScratch`. The labels may be any values,
# such as words.
#
# <details><summary>Hint 1</summary>
#
# `np.unique(y, return_inverse=True)` gives the sorted classes, and for every label its number among
# them.
# </details>
# <details><summary>Hint 2</summary>
#
# `X, y = validate_data(self, X, y)` checks the inputs in `fit`; in `predict` write
# `check_is_fitted(self)` and `validate_data(self, X, reset=False)`.
# </details>
# <details><summary>Hint 3</summary>
#
# `predict` turns numbers back into labels: `self.classes_[numbers]`.
# </details>


# %%
class MLPClassifier(ClassifierMixin, BaseEstimator):
    """fit, predict and score around MLPFromScratch; labels may be any values."""

    def __init__(
        self,
        hidden_size: int = 128,
        learning_rate: float = 0.01,
        epochs: int = 50,
        batch_size: int = 128,
        random_state: int = 0,
    ) -> None:
        self.hidden_size = hidden_size
        self.learning_rate = learning_rate
        self.epochs = epochs
        self.batch_size = batch_size
        self.random_state = random_state

    def fit(self, X: np.ndarray, y: np.ndarray) -> "MLPClassifier":
        """Train a new network on images (N, D) and labels (N,)."""
        raise NotImplementedError

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        """Probabilities (N, K), columns in the order of classes_."""
        raise NotImplementedError

    def predict(self, X: np.ndarray) -> np.ndarray:
        """The most probable class of each image."""
        raise NotImplementedError


MLPClassifier = task(MLPClassifier, "my_estimator")
# mnistlab check labs/my_estimator.py --task estimator

# %%
if ready(MLPClassifier):
    names = np.array(split.train.class_names)[y_train]
    classifier = MLPClassifier(epochs=N_EPOCHS, learning_rate=0.05)
    print("three folds:", cross_val_score(classifier, X_train, names, cv=3))
    rates = {"learning_rate": [0.01, 0.1]}
    grid = GridSearchCV(MLPClassifier(epochs=N_EPOCHS), rates, cv=3).fit(X_train, names)
    print("best learning rate:", grid.best_params_)

# %% [markdown]
# ## 5.4 Network or SVM?
#
# Both train on the same images, and both are tested once, on the same test part. Accuracy is not
# everything: look at the time and the memory too.

# %%
if ready(MLPClassifier, tune_svm):
    contenders = {
        "network": MLPClassifier(epochs=N_EPOCHS, **grid.best_params_),
        "SVM": SVC(**search.best_params_),
    }
    figure, axes = plt.subplots(1, 2, figsize=(12, 5))
    for axis, (name, classifier) in zip(axes, contenders.items(), strict=True):
        tracemalloc.start()
        start = time.perf_counter()
        classifier.fit(X_train, y_train)
        trained = time.perf_counter()
        predicted = classifier.predict(X_test)
        done = time.perf_counter()
        megabytes = tracemalloc.get_traced_memory()[1] / 1e6
        tracemalloc.stop()
        print(
            f"{name}: {(predicted == y_test).mean():.3f} correct, {trained - start:.2f} s to train"
        )
        print(f"{done - trained:.2f} s to predict, {megabytes:.0f} MB of NumPy arrays at most")
        print(classification_report(y_test, predicted, zero_division=0))
        ConfusionMatrixDisplay.from_predictions(y_test, predicted, ax=axis, colorbar=False)
        axis.set_title(name)
    plt.show()

# %% [markdown]
# `tracemalloc` sees what Python and NumPy allocate, but not what the SVM's library allocates
# itself.
#
# ## Question
#
# Which is more accurate, and how does the answer change with the number of training images? The
# SVM's training time grows with the square of it. `mnistlab study mlp-vs-svm` draws both curves;
# `mnistlab study svm-grid` repeats the grid search.
