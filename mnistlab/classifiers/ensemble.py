"""Several classifiers as one: the weighted mean of their probabilities.

`mnistlab fit` makes one of the classifiers that it trained; `fit` here trains the members itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Self, Unpack

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, clone

from mnistlab.classifiers.inputs import check_both, check_images, check_training_images
from mnistlab.classifiers.methods import Classifier
from mnistlab.classifiers.selection import greedy_selection
from mnistlab.evaluation import fit_temperature, tempered
from mnistlab.phases import CallbackOptions

WEIGHTS, TEMPERATURES = "weights", "temperatures"
ROUNDING = 1e-6  # how far from 1 the sum of stored weights may be


class EnsembleClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # sklearn is untyped
    """The weighted mean of what M classifiers say, each sharpened by a temperature of its own.

    members: classifiers that have predict_proba and are trained on the same classes and images.

    Fitted: classes_ (K,), image_shape_, members_ (M fitted classifiers), weights_ float64 (M,) of
    sum 1, temperatures_ float64 (M,), n_parameters_, history_ (empty: the members had epochs).
    """

    def __init__(self, members: Sequence[Any] = ()) -> None:
        self.members = members

    def fit(
        self,
        X: ArrayLike,
        y: ArrayLike,
        X_val: ArrayLike | None = None,
        y_val: ArrayLike | None = None,
        **callbacks: Unpack[CallbackOptions],
    ) -> Self:
        """Train every member; weights and temperatures are chosen on the validation images.

        Without any, all members count the same. callbacks: given to every member. Raises ValueError
        as scikit-learn does, and for no members or one without probabilities.
        """
        check_both(X_val, y_val)
        check_training_images(self, X, y)
        fitted = [clone(member).fit(X, y, X_val, y_val, **callbacks) for member in self.members]
        if X_val is None or y_val is None or not len(np.asarray(y_val)):
            n = max(len(fitted), 1)
            return self.take(fitted, np.full(n, 1 / n), np.ones(n))
        codes = np.searchsorted(self.classes_, np.asarray(y_val))
        temperatures = [fit_temperature(codes, member.predict_proba(X_val)) for member in fitted]
        by_member = [
            tempered(member.predict_proba(X_val), temperature)
            for member, temperature in zip(fitted, temperatures, strict=True)
        ]
        weights = greedy_selection(np.stack(by_member), codes).weights
        return self.take(fitted, weights, np.array(temperatures))

    def take(
        self,
        members: Sequence[Classifier],
        weights: NDArray[np.float64],
        temperatures: NDArray[np.float64],
    ) -> Self:
        """Become the ensemble of these fitted members; those of weight 0 are left out.

        Raises ValueError where they do not fit together.
        """
        kept = [place for place in range(len(members)) if weights[place] > 0]
        if not kept:
            raise ValueError("an ensemble needs at least one member")
        self.members_ = tuple(members[place] for place in kept)
        self.weights_ = np.asarray(weights, dtype=np.float64)[kept]
        self.temperatures_ = np.asarray(temperatures, dtype=np.float64)[kept]
        first = self.members_[0]
        self.classes_, self.image_shape_ = first.classes_, first.image_shape_
        self.n_features_in_ = self.image_shape_[0] * self.image_shape_[1]
        self._check()
        self.n_parameters_ = sum(member.n_parameters_ for member in self.members_)
        self.history_: list[dict[str, Any]] = []
        return self

    def predict_proba(self, X: ArrayLike) -> NDArray[np.float64]:
        """Class probabilities (N, K), columns in the order of classes_."""
        images = check_images(self, X)
        p = np.zeros((len(images), len(self.classes_)))
        members = zip(self.members_, self.weights_, self.temperatures_, strict=True)
        for member, weight, temperature in members:
            p += weight * tempered(member.predict_proba(images), temperature)
        return p

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """The most probable class of each image, (N,)."""
        most_probable = self.predict_proba(X).argmax(1)
        return np.asarray(self.classes_[most_probable])

    @property
    def heaviest(self) -> Classifier:
        """The member that counts most."""
        return self.members_[self.order[0]]

    @property
    def order(self) -> list[int]:
        """Places of the members, those that count most first."""
        places: list[int] = (-self.weights_).argsort(kind="stable").tolist()
        return places

    def arrays(self) -> dict[str, NDArray[Any]]:
        """All fitted numbers, those of a member under its place; `restore` takes them back."""
        return {
            WEIGHTS: self.weights_,
            TEMPERATURES: self.temperatures_,
            **{
                f"{place}/{name}": array
                for place, member in enumerate(self.members_)
                for name, array in member.arrays().items()
            },
        }

    def restore(
        self,
        classes: ArrayLike,
        image_shape: tuple[int, int],
        arrays: Mapping[str, NDArray[Any]],
    ) -> Self:
        """Take fitted state from storage instead of training; ValueError where it does not fit."""
        own = {name: array for name, array in arrays.items() if "/" in name}
        names = {WEIGHTS, TEMPERATURES, *own}
        of_members = [_of_member(own, place) for place in range(len(self.members))]
        if names != set(arrays) or sum(map(len, of_members)) != len(own):
            raise ValueError("the arrays are not those of this ensemble")
        weights, temperatures = arrays[WEIGHTS], arrays[TEMPERATURES]
        for numbers in (weights, temperatures):
            if numbers.dtype != np.float64 or numbers.shape != (len(self.members),):
                raise ValueError("the arrays are not those of this ensemble")
        if not (weights > 0).all():
            raise ValueError("a member of the ensemble has no weight")
        pairs = zip(self.members, of_members, strict=True)
        members = [clone(m).restore(classes, image_shape, its) for m, its in pairs]
        return self.take(members, weights, temperatures)

    def _check(self) -> None:
        """ValueError where the members do not fit together."""
        for member in self.members_:
            if not hasattr(member, "predict_proba"):
                raise ValueError(f"{type(member).__name__} gives no probabilities to average")
            if isinstance(member, EnsembleClassifier):
                raise ValueError("a member of an ensemble cannot be an ensemble")
            same_classes = np.array_equal(member.classes_, self.classes_)
            if not same_classes or tuple(member.image_shape_) != tuple(self.image_shape_):
                raise ValueError("the members of an ensemble know different classes or images")
        if abs(self.weights_.sum() - 1) > ROUNDING or not (self.weights_ > 0).all():
            raise ValueError("the weights of an ensemble must be positive and sum to 1")
        if not ((self.temperatures_ > 0) & np.isfinite(self.temperatures_)).all():
            raise ValueError("the temperatures of an ensemble must be positive")


def _of_member(arrays: Mapping[str, NDArray[Any]], place: int) -> dict[str, NDArray[Any]]:
    prefix = f"{place}/"
    return {
        name.removeprefix(prefix): array
        for name, array in arrays.items()
        if name.startswith(prefix)
    }
