"""Porous volumes as a few numbers that a network learned."""
