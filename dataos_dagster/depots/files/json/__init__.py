"""JSON lines as Spark reads them, without Spark: for Sail, whose own reader follows other rules."""
