"""Folders and files: csv, json, parquet, text and what else Spark reads, on a local disk or in a bucket."""
