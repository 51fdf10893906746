"""How good a model is, how sure we are of it, and how both are told."""
