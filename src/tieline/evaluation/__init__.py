"""How good a prediction is, and whether its uncertainty can be trusted."""
