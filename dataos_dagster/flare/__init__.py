"""The Flare stack: SQL over datasets, on any Spark Connect engine."""
