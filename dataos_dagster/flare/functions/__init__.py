"""Functions of a step: what `functions:` does to the rows that the step's SQL produced."""
