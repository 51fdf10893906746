"""The promotion decision: gates that each give a figure, a threshold and a verdict.

Nothing here changes what is deployed: acting on a decision is up to the pipeline.
"""
