"""Clusters and projections."""
