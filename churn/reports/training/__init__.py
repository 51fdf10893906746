"""Everything a training run has to say about its model, as one report that people read."""
