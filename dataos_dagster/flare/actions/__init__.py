"""Actions of Flare jobs: the maintenance of Iceberg tables."""
