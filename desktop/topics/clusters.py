"""Clusters and projections."""

from desktop.language import _
from desktop.topics.topic import Topic

TOPIC = Topic(
    "clusters",
    _("Clusters"),
    order=(
        "kmeans",
        "gmm",
        "kde",
        "pca",
        "manifold",
        "tsne",
        "perplexity",
        "umap",
        "distances",
        "sampling",
        "kl",
    ),
    large={
        "pca": ("cloud", "rebuilt", "scatter", "components", "spectrum", "reconstructions"),
        "kde": ("density", "heldout", "map"),
        "sampling": ("cdf", "error", "histogram", "ball"),
        "kl": ("curves", "integrand", "divergences", "estimate", "formula"),
        "distances": ("histogram", "lost", "cloud", "zoom", "pictures"),
    },
    multiples=frozenset({"manifold", "perplexity"}),
    without_curves=frozenset({"kde", "distances", "sampling", "kl"}),
)
