"""Doctor: checks everything that a stack depends on; each problem comes with its remedy."""
