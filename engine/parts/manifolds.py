"""The matrices behind the older maps: paths along the data for Isomap, weights of neighbours for LLE.

Sources: J. Tenenbaum, V. de Silva, J. Langford, "A global geometric framework for nonlinear dimensionality
reduction", 2000; S. Roweis, L. Saul, "Nonlinear dimensionality reduction by locally linear embedding", 2000.
"""

from __future__ import annotations

import numpy as np
import torch

RIDGE = 1e-3
"""Share of a point's own scatter added to it, where it has more neighbours than the data have directions."""


def distances(x: torch.Tensor) -> torch.Tensor:
    """All distances of the rows of ``x`` (N, D), (N, N) float64."""
    return torch.cdist(x.double(), x.double(), compute_mode="donot_use_mm_for_euclid_dist")


def geodesic(distance: torch.Tensor, index: torch.Tensor) -> torch.Tensor:
    """Lengths of the shortest paths from neighbour to neighbour, (N, N) float64.

    distance: (N, N). index: (N, k) the neighbours of each. Where the neighbours fall into pieces that no path
    joins, the shortest bridges between the pieces are added: the edges of the minimum spanning tree.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import dijkstra, minimum_spanning_tree

    n, k = index.shape
    all_of_them = distance.numpy()
    tree = minimum_spanning_tree(all_of_them).tocoo()  # distances of 0 count as no edge there
    rows = np.concatenate([np.repeat(np.arange(n), k), tree.row])
    columns = np.concatenate([index.reshape(-1).numpy(), tree.col])
    # Points that sit on each other are a tiny way apart, or the graph would not join them.
    lengths = np.maximum(all_of_them[rows, columns], 1e-12 * max(float(all_of_them.max()), 1e-30))
    graph = coo_array((lengths, (rows, columns)), shape=(n, n)).tocsr()
    # A pair named twice was added up; each length is needed once.
    graph.data = np.maximum(all_of_them[graph.nonzero()], lengths.min())
    paths = dijkstra(graph, directed=False)
    paths[np.isinf(paths)] = paths[np.isfinite(paths)].max()  # only where all points are one
    return torch.from_numpy(paths)


def double_centred(distance: torch.Tensor) -> torch.Tensor:
    """K = −½ J D² J with J = 1 − 11ᵀ/N, (N, N): the inner products of points with these distances."""
    square = distance**2
    mean = square.mean(0)  # (N,)
    return -(square - mean[None] - mean[:, None] + mean.mean()) / 2


def reconstruction(x: torch.Tensor, index: torch.Tensor) -> torch.Tensor:
    """M = (1 − W)ᵀ (1 − W), (N, N) float64, where row i of W rebuilds x_i from its neighbours:
    Σ_j w_ij x_j ≈ x_i with Σ_j w_ij = 1.

    x: (N, D). index: (N, k).
    """
    n, k = index.shape
    x = x.double()
    difference = x[index] - x[:, None]  # (N, k, D)
    scatter = difference @ difference.transpose(1, 2)  # (N, k, k)
    trace = scatter.diagonal(dim1=1, dim2=2).sum(1)  # (N,)
    ridge = RIDGE * torch.where(trace > 0, trace, torch.ones_like(trace))
    scatter += ridge[:, None, None] * torch.eye(k, dtype=torch.float64)
    w = torch.linalg.solve(scatter, torch.ones(n, k, 1, dtype=torch.float64))[:, :, 0]  # (N, k)
    w /= w.sum(1, keepdim=True)
    missed = torch.eye(n, dtype=torch.float64).scatter_add_(1, index, -w)  # 1 − W
    return missed.T @ missed
