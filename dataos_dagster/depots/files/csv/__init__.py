"""CSV as Spark reads it, without Spark: for Sail, whose own reader follows other rules."""
