"""From a record to the numbers that models read."""
