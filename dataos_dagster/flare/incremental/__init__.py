"""Reading what is new since the last run, and writing it exactly once."""
