"""Vectorised Python: functions from Arrow arrays to Arrow arrays, for what engines do differently or not at all.

They run inside Sail's process or Spark's Python workers, which may be on machines without this package: they are sent
there as code, so they use the standard library and pyarrow only.
"""
