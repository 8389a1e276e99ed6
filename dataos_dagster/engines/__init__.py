"""Engines: Spark Connect endpoints outside our process, sessions on them, and which one runs a job."""
