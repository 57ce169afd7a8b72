"""Images as points: principal components, a map in two dimensions, what neighbours agree on.

Labels do not influence where a point lies. Studies and profiles use this file; scikit-learn is
loaded only when it is needed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mnistlab.data.scaling import fit_scaling

if TYPE_CHECKING:
    from sklearn.decomposition import PCA

N_NEIGHBOURS = 10


def as_rows(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Images (N, H, W) as rows (N, H * W), min-max scaled to 0..1 over all of them."""
    shift, scale = fit_scaling("min-max", images)
    rows: NDArray[np.float32] = images.reshape(len(images), -1) - np.float32(shift)
    rows /= np.float32(scale)
    return rows


def principal_components(rows: NDArray[np.float32], n_components: int, seed: int) -> PCA:
    """A PCA fitted on rows (N, D), with n_components or as many as N and D allow."""
    from sklearn.decomposition import PCA

    return PCA(min(n_components, *rows.shape), random_state=seed).fit(rows)


def variance_shares(pca: PCA) -> tuple[float, ...]:
    """The fraction of the variance each component explains, largest first; at most 1 in all."""
    shares = np.asarray(pca.explained_variance_ratio_, dtype=np.float64)
    whole = max(1.0, float(shares.sum()))  # sums in float32 may come out a little above 1
    return tuple(float(share / whole) for share in shares)


def neighbour_map(
    rows: NDArray[np.float32], perplexity: float, seed: int
) -> tuple[NDArray[np.float32], float]:
    """t-SNE of rows (N, D): points (N, 2), and the perplexity that was used.

    With few images the perplexity is at most (N - 1) / 3, which t-SNE requires.
    """
    from sklearn.manifold import TSNE

    perplexity = min(perplexity, (len(rows) - 1) / 3)
    if rows.shape[1] == 1:  # t-SNE starts from two principal components
        rows = np.pad(rows, ((0, 0), (0, 1)))
    return TSNE(perplexity=perplexity, random_state=seed).fit_transform(rows), perplexity


def neighbour_agreement(rows: NDArray[Any], labels: NDArray[np.int64]) -> float:
    """Leave-one-out accuracy of a 10-nearest-neighbours classifier on rows (N, D)."""
    from sklearn.neighbors import NearestNeighbors

    n_neighbours = min(N_NEIGHBOURS, len(rows) - 1)
    nearest = NearestNeighbors(n_neighbors=n_neighbours).fit(rows).kneighbors(return_distance=False)
    votes = np.apply_along_axis(np.bincount, 1, labels[nearest], minlength=labels.max() + 1)
    return float((votes.argmax(1) == labels).mean())
