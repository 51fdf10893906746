"""The hook that a deployed scoring pipeline begins with: loads the production scorer once."""

from deployment.production_scorer import ProductionScorer


def load_scorer(store: str) -> ProductionScorer:
    """What every call finds as the pipeline's state.

    Args:
        store: The bundle store, a folder or what fsspec reads.

    Raises:
        BundleError: nothing is in production there, or it is not fit to be served.
    """
    return ProductionScorer(store)
