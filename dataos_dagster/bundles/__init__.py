"""Bundles: what belongs together, and how it becomes Dagster definitions."""
