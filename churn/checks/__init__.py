"""Checks of data and model by other libraries: Deepchecks, Evidently, Great Expectations."""
