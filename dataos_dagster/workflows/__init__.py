"""Workflows: their manifests, their jobs as a graph, and running them."""
