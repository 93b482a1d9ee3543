"""What could be made, without a list of it: inputs, constraints, and places that cover them."""
