"""Kafka: topics as datasets, read and written in batches and as streams."""
