"""Streams of a Flare job: planned, run until they are done or stopped, and told about."""
