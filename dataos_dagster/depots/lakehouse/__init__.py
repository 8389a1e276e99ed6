"""Iceberg lakehouses: tables in a folder with the layout of Iceberg's Hadoop catalog, or behind a REST catalog."""
