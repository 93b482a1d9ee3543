"""Bayesian models: a question goes in with a table, a posterior comes out."""
