"""Profiles of datasets: statistics, histograms and detected attributes of every column."""
