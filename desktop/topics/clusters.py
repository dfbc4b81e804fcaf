"""Clusters and projections."""

from desktop.language import _
from desktop.topics.topic import Topic

TOPIC = Topic(
    "clusters",
    _("Clusters"),
    order=("kmeans", "pca"),
    large={"pca": ("cloud", "rebuilt", "scatter", "components", "spectrum", "reconstructions")},
)
