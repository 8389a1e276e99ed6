"""Assertions of Flare jobs: tests of what was read or made, each with a value, an operator and a limit."""
