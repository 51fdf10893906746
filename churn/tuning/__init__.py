"""Tuning (Optuna): a recipe that chooses its own settings, on the rows it is fitted on alone."""
