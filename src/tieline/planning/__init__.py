"""Posterior in, proposals out: goals, acquisition functions, batches."""
