"""A trained support vector machine as plain arrays, and its decisions by blocked matrix products.

libsvm computes one kernel value at a time; here one product computes those of a block of images
with all support vectors. The numbers are the same, and saving a machine needs no private part of
scikit-learn.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from functools import cached_property
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

# Of the size of a pair's terms: a sum below hangs on the rounding of 32 bits, and so does its vote.
ROUNDING = 16 * float(np.finfo(np.float32).eps)
BLOCK_BYTES = 8 * 2**20  # of kernel values: a block must stay in the cache between products


@dataclass(frozen=True)
class SupportVectors:
    """An RBF machine of K classes with S support vectors, sorted by class.

    vectors (S, D), coefficients (K - 1, S), intercepts (K (K - 1) / 2,) and n_support (K,)
    are support_vectors_, dual_coef_, intercept_ and n_support_ of scikit-learn's SVC, with
    the signs it shows for two classes. Raises ValueError for arrays that do not fit together.
    """

    vectors: NDArray[Any]
    coefficients: NDArray[Any]
    intercepts: NDArray[np.float64]
    n_support: NDArray[np.int64]
    gamma: float

    def __post_init__(self) -> None:
        floats = (self.vectors, self.coefficients, self.intercepts)
        if (
            any(values.dtype not in (np.float32, np.float64) for values in floats)
            or self.n_support.dtype.kind not in "iu"
            or (self.vectors.ndim, self.n_support.ndim) != (2, 1)
            or len(self.n_support) < 2
            or np.any((self.n_support < 0) | (self.n_support > len(self.vectors)))
        ):
            raise ValueError("these are not the arrays of a support vector machine")
        n_classes, n_vectors = len(self.n_support), len(self.vectors)
        expected = {
            "n_support": (int(self.n_support.sum()), n_vectors),
            "coefficients": (self.coefficients.shape, (n_classes - 1, n_vectors)),
            "intercepts": (self.intercepts.shape, (n_classes * (n_classes - 1) // 2,)),
        }
        for name, (got, wanted) in expected.items():
            if got != wanted:
                raise ValueError(f"{name} of a support vector machine: {got} for {wanted}")
        if not (np.isfinite(self.gamma) and self.gamma > 0):
            raise ValueError(f"gamma must be positive, got {self.gamma}")
        for values in floats:
            if not np.isfinite(values).all():
                raise ValueError("a support vector machine holds a number that is not finite")

    def __getstate__(self) -> dict[str, Any]:
        """For pickle: the fields, without the values that are computed from them."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    @property
    def pairs(self) -> list[tuple[int, int]]:
        """The pairs of classes, in the order of the intercepts."""
        return list(combinations(range(len(self.n_support)), 2))

    def decision(self, X: NDArray[Any]) -> NDArray[np.float64]:
        """One against one: (N, K (K - 1) / 2), positive for the first class of the pair.

        The value of a pair is the sum of coefficient times exp(-gamma |x - s|^2) over the
        support vectors s of both classes, plus the pair's intercept. Where 32 bits cannot tell its
        sign, it is summed in 64, so that an image has one answer, alone and in any batch.
        """
        values = np.empty((len(X), len(self.pairs)))
        sign = -1.0 if len(self.n_support) == 2 else 1.0  # SVC flips the sign for two classes
        for rows in self._blocks(len(X)):
            np.matmul(self._kernel(X[rows]), self.pair_coefficients, out=values[rows])
        values += self.intercepts
        if self.vectors.dtype == np.float32:
            unsure = np.flatnonzero((np.abs(values) < ROUNDING * self._sizes).any(1))
            for rows in self._blocks(len(unsure)):
                values[unsure[rows]] = self._in_64_bits(X[unsure[rows]])
        return sign * values

    def _in_64_bits(self, X: NDArray[Any]) -> NDArray[np.float64]:
        """The sums of all pairs with their intercepts, (n, pairs)."""
        x, s = X.astype(np.float32).astype(np.float64), self.vectors.astype(np.float64)
        squares = np.einsum("nd,nd->n", x, x)[:, None] + np.einsum("sd,sd->s", s, s)
        kernel = np.exp(-self.gamma * np.maximum(squares - 2 * (x @ s.T), 0))
        return np.asarray(kernel @ self.pair_coefficients + self.intercepts)

    def predict(self, X: NDArray[Any]) -> NDArray[np.int64]:
        """The class with the most votes of all pairs, as an index (N,); of equal ones the first."""
        return np.asarray(self._votes(self.decision(X)).argmax(1))

    def one_against_rest(self, X: NDArray[Any]) -> NDArray[np.float64]:
        """(N, K), or (N,) for two classes: what SVC calls decision_function.

        The votes; equal ones are ordered by the sum of the pairs' values, scaled to below a third
        (scikit-learn's rule).
        """
        decision = self.decision(X)
        if len(self.n_support) == 2:
            return -decision[:, 0]
        sums = np.zeros((len(X), len(self.n_support)))
        for column, (i, j) in enumerate(self.pairs):
            sums[:, i] += decision[:, column]
            sums[:, j] -= decision[:, column]
        return np.asarray(self._votes(decision) + sums / (3 * (np.abs(sums) + 1)))

    def _votes(self, decision: NDArray[np.float64]) -> NDArray[np.int64]:
        votes = np.zeros((len(decision), len(self.n_support)), dtype=np.int64)
        for column, (i, j) in enumerate(self.pairs):
            first = decision[:, column] > 0
            votes[:, i] += first
            votes[:, j] += ~first
        return votes

    def _kernel(self, X: NDArray[Any]) -> NDArray[Any]:
        """exp(-gamma |x - s|^2) (n, S), with |x - s|^2 / 2 = |x|^2 / 2 + |s|^2 / 2 - x s."""
        X = X.astype(self.vectors.dtype, copy=False)
        kernel: NDArray[Any] = X @ self.vectors.T
        kernel -= self.half_squares
        kernel -= np.einsum("nd,nd->n", X, X)[:, None] / 2
        kernel *= self.vectors.dtype.type(2 * self.gamma)
        np.minimum(kernel, 0, out=kernel)  # rounding may leave a distance below zero
        np.exp(kernel, out=kernel)
        return kernel

    def _blocks(self, n: int) -> Iterator[slice]:
        row_bytes = max(self.vectors.dtype.itemsize * len(self.vectors), 1)
        step = max(BLOCK_BYTES // row_bytes, 1)
        for start in range(0, n, step):
            yield slice(start, start + step)

    @cached_property
    def half_squares(self) -> NDArray[Any]:
        """Half the squared length of each support vector, (S,)."""
        half: NDArray[Any] = np.einsum("sd,sd->s", self.vectors, self.vectors) / 2
        return half

    @cached_property
    def _sizes(self) -> NDArray[np.float64]:
        """The largest sum of the sizes of a pair's terms, (pairs,)."""
        return np.asarray(np.abs(self.pair_coefficients).sum(0, dtype=np.float64))

    @cached_property
    def pair_coefficients(self) -> NDArray[Any]:
        """(S, pairs) from (K - 1, S), which has a vector's coefficients against other classes."""
        ends = np.cumsum(self.n_support)
        of = [slice(end - n, end) for n, end in zip(self.n_support, ends, strict=True)]
        matrix = np.zeros((len(self.vectors), len(self.pairs)), self.vectors.dtype)
        for column, (i, j) in enumerate(self.pairs):
            matrix[of[i], column] = self.coefficients[j - 1, of[i]]
            matrix[of[j], column] = self.coefficients[i, of[j]]
        return matrix
