"""One short declaration per tab, in the order of the tabs."""

from desktop.topics import clusters
from desktop.topics.topic import Topic

TOPICS: tuple[Topic, ...] = (clusters.TOPIC,)

__all__ = ["TOPICS", "Topic"]
