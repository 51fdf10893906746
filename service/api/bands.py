"""Risk bands, where the service has always had them; the domain says what they are."""

from churn.scoring.bands import NAMES, Bands

__all__ = ["NAMES", "Bands"]
