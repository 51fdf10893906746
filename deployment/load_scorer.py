"""Init hook of a deployed scoring pipeline: loads the production scorer once."""

from deployment.production_scorer import ProductionScorer


def load_scorer(store: str) -> ProductionScorer:
    """Returns the scorer, which every call gets as the pipeline's state.

    Args:
        store: Bundle store, a folder or an fsspec address.

    Raises:
        BundleError: nothing is in production there, or its bundle cannot be served.
    """
    return ProductionScorer(store)
