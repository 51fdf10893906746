"""The model card: what a model is for, how good it is, what it must not be used for, in one page."""
