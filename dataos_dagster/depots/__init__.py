"""Depots: what a project reads and writes, and the one door to it."""
