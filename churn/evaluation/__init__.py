"""How well a model does, how sure that is, and the reports that say so."""
