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
# # 10. Comparing honestly
#
# Model A is right on 84.1 % of the test images, model B on 83.6 %. Is A better? With other test
# images, or another random seed, it may be the other way round. Four tools answer such questions.

# %%
from dataclasses import replace

import matplotlib.pyplot as plt
import mnistlab as ml
import numpy as np
from course import earlier, ready, task

DATA = "fashion-mini"
N_IMAGES = 1000
N_EPOCHS = 10
N_SEEDS = 5

MLPFromScratch = earlier("MLPFromScratch", "my_mlp")
SoftmaxRegression = earlier("SoftmaxRegression", "my_softmax")
split = ml.split(ml.load(DATA))
X_train = split.train.images[:N_IMAGES].reshape(-1, 784) / 255
y_train = split.train.labels[:N_IMAGES]
X_val, y_val = split.val.images.reshape(-1, 784) / 255, split.val.labels
X_test, y_test = split.test.images.reshape(-1, 784) / 255, split.test.labels

# %% [markdown]
# ## 10.1 How exact is an accuracy?
#
# If a model is right on $k$ of $n$ images, its accuracy on *all possible* images is near
# $\hat p = k/n$, within about $\sqrt{\hat p (1 - \hat p) / n}$ (one *standard error*). Wilson's
# interval (1927) with $z = 1.96$ contains the true accuracy in 95 % of all cases, even near 100 %:
#
# $$ \frac{\hat p + \frac{z^2}{2n}}{1 + \frac{z^2}{n}} \pm
# \frac{z}{1 + \frac{z^2}{n}} \sqrt{\frac{\hat p (1 - \hat p)}{n} + \frac{z^2}{4 n^2}} $$
#
# **Task 10a.** Write `wilson_interval`.
#
# <details><summary>Hint 1</summary>
#
# Compute the middle and the half width separately, then return middle - half, middle + half.
# </details>
# <details><summary>Hint 2</summary>
#
# Both have the same denominator.
# </details>
# <details><summary>Hint 3</summary>
#
# For 10 of 10 the upper end must be exactly 1, and the lower one about 0.72.
# </details>


# %%
def wilson_interval(n_correct: int, n: int, z: float = 1.959964) -> tuple[float, float]:
    """The 95 % interval of an accuracy that was measured on n images."""
    raise NotImplementedError


wilson_interval = task(wilson_interval, "my_evidence")

# %%
if ready(wilson_interval):
    for n in (100, 1000, 10_000):
        low, high = wilson_interval(round(0.84 * n), n)
        print(f"84 % of {n} images: {100 * low:.1f} % to {100 * high:.1f} %")

# %% [markdown]
# ## 10.2 Two models, the same images
#
# Both models see the same test images, and most of these are easy for both. Only the images where
# exactly one of them is right tell which is better. If both were equally good, each of these $n$
# images would go to A or B like a coin. McNemar's exact test (1947) asks how improbable so unequal
# a result is. With $m$ images for the worse model,
#
# $$ p = 2 \sum_{k=0}^{m} \binom{n}{k} 2^{-n}, \quad \text{at most } 1. $$
#
# **Task 10b.** Write `mcnemar`.
#
# <details><summary>Hint 1</summary>
#
# `(is_correct_a & ~is_correct_b).sum()` counts the images where only A is right.
# </details>
# <details><summary>Hint 2</summary>
#
# `math.comb(n, k)` is the binomial coefficient, as an exact integer.
# </details>
# <details><summary>Hint 3</summary>
#
# For 5 images against 5, twice the sum is above 1. Return 1 then.
# </details>


# %%
def mcnemar(is_correct_a: np.ndarray, is_correct_b: np.ndarray) -> float:
    """The exact p-value of "both models are equally good"; two arrays of True and False."""
    raise NotImplementedError


mcnemar = task(mcnemar, "my_evidence")

# %%
softmax_regression = SoftmaxRegression(784, 10)
softmax_regression.train(X_train, y_train, epochs=N_EPOCHS)
network = MLPFromScratch(learning_rate=0.05, seed=0)
network.train(X_train, y_train, epochs=N_EPOCHS)
predictions = {
    "softmax regression": softmax_regression.predict(X_test),
    "MLP": network.predict(X_test),
}
correct = {name: predicted == y_test for name, predicted in predictions.items()}
print({name: float(each.mean()) for name, each in correct.items()})
if ready(mcnemar):
    print("p =", mcnemar(*correct.values()))

# %% [markdown]
# A small p says that chance alone would rarely make such a difference. A large p does **not** say
# that the models are equal: perhaps there were too few images.
#
# ## 10.3 Seeds
#
# McNemar's test compares two *trained models*. Whether a *method* is better is another question:
# train both methods several times with different random seeds. Use the same seeds for both, and
# look at the differences, one per seed.

# %%
differences, accuracies = [], []
for seed in range(N_SEEDS):
    pair = []
    for hidden_size in (16, 128):
        network = MLPFromScratch(784, hidden_size, 10, learning_rate=0.05, seed=seed)
        network.train(X_train, y_train, epochs=N_EPOCHS)
        pair.append((network.predict(X_val) == y_val).mean())
    accuracies.append(pair)
    differences.append(pair[1] - pair[0])
print("validation accuracies with 16 and 128 hidden units, one row per seed:")
print(np.array(accuracies))
mean = np.mean(differences)
error = np.std(differences, ddof=1) / np.sqrt(N_SEEDS)
print(f"difference {100 * mean:.1f} points, standard error over seeds {100 * error:.1f} points")

# %% [markdown]
# ## 10.4 The luckiest of ten
#
# Ten networks, all of them right on exactly 84 % of all possible images, are tested on the same
# 1,000 images. How good does the best of them look? This is what you report if you choose by test
# accuracy.

# %%
rng = np.random.default_rng(0)
measured = rng.binomial(1000, 0.84, size=(10_000, 10)) / 1000
print(f"one network: {measured[:, 0].mean():.4f} on average")
print(f"the best of ten: {measured.max(axis=1).mean():.4f} on average")

# %% [markdown]
# ## 10.5 Class by class
#
# The *confusion matrix* counts how often an image of class $i$ (row) was taken for class $j$
# (column). For a class, *precision* is the fraction of its predictions that are right, *recall* the
# fraction of its images that are found, and $F_1$ their harmonic mean,
#
# $$ F_1 = \frac{2 P R}{P + R} = \frac{2 \cdot \text{correct}}{\text{predicted} + \text{true}}. $$
#
# **Task 10c.** Write `confusion_matrix` and `precision_recall_f1`. A class that is never predicted
# gets 0, not an error.
#
# <details><summary>Hint 1</summary>
#
# `np.add.at(counts, (y_true, y_pred), 1)` counts every pair; `counts[y_true, y_pred] += 1` counts
# repeated pairs only once.
# </details>
# <details><summary>Hint 2</summary>
#
# The diagonal holds the correct ones; the sum over a column is how often a class was predicted, the
# sum over a row how many images it has.
# </details>
# <details><summary>Hint 3</summary>
#
# `np.maximum(predicted, 1)` avoids the division by 0 where nothing was predicted.
# </details>


# %%
def confusion_matrix(y_true: np.ndarray, y_pred: np.ndarray, n_classes: int) -> np.ndarray:
    """Counts (K, K): row is the true class, column the predicted one."""
    raise NotImplementedError


def precision_recall_f1(confusion: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Three values per class."""
    raise NotImplementedError


confusion_matrix = task(confusion_matrix, "my_evidence")
precision_recall_f1 = task(precision_recall_f1, "my_evidence")

# %%
if ready(confusion_matrix, precision_recall_f1):
    counts = confusion_matrix(y_test, predictions["MLP"], 10)
    names = split.test.class_names
    for name, *values in zip(names, *precision_recall_f1(counts), strict=True):
        print(f"{name:12}", " ".join(f"{value:.2f}" for value in values))
    plt.imshow(counts, cmap="Blues")
    plt.xticks(range(10), names, rotation=90)
    plt.yticks(range(10), names)
    plt.xlabel("predicted")
    plt.ylabel("true")
    plt.show()

# %% [markdown]
# ## 10.6 A study of your own
#
# A *study* puts it together: one question, several *arms*, the same seeds for each, and a rule,
# written down **before** anything runs, that turns the numbers into an answer. Here the rule is a
# function.

# %%
recipe = ml.get_recipe("mlp-tuned")
short = (replace(recipe.phases[0], epochs=3),)
small, large = (
    replace(
        recipe,
        name=f"hidden-{n}",
        model_args={"hidden_sizes": (n,)},
        n_train=N_IMAGES,
        phases=short,
    )
    for n in (16, 128)
)


def decide(results: list[ml.ArmResult]) -> str:
    """The answer, from the finished runs of both arms."""
    (gain,) = ml.wording.gains([(results[1], results[0])])
    return f"128 hidden units instead of 16 gain {ml.wording.gain_text(gain)}."


study = ml.Study(
    name="width",
    system="-",
    question="How much accuracy do 128 hidden units gain over 16?",
    arms=(ml.Arm(small), ml.Arm(large)),
    decide=decide,
    n_seeds=N_SEEDS,
)
result = ml.run_study(study, DATA)
print(result.answer)

# %% [markdown]
# ## Question
#
# Ask one of your own. Take something that you believed while doing this course ("a larger batch is
# better", "Adam beats SGD"), write the arms and the rule, decide how many seeds you need, and run
# it: `ml.run_study(study, "fashion-mnist")`. Publish the answer also if it is "no difference
# shown".
