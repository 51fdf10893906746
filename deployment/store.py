"""The store that promotion publishes to: moves its pointer to a version, and back."""

from churn.errors import BundleError
from churn.scoring.address import Address
from churn.scoring.bundle import history, publish, roll_back


class SharedStore:
    """The store's pointer, moved for one version.

    Attributes:
        moved: Whether the pointer was moved here.
    """

    def __init__(self, store: Address, version: str) -> None:
        """Changes nothing."""
        self.store = store
        self.version = version
        self.moved = False

    @property
    def serving(self) -> str | None:
        """Version in production; None where there is none."""
        past = history(self.store)
        return past[-1].version if past else None

    def planned_publish(self) -> str:
        """Returns what `publish` would do, as a sentence."""
        now = self.serving
        if now == self.version:
            return f"Version {self.version} is published in {self.store} already."
        was = f" instead of version {now}" if now else ""
        return f"Publish version {self.version} in {self.store}{was}."

    def publish(self) -> str:
        """Verifies the version's bundle and points to it; returns what changed, as a sentence.

        Raises:
            BundleError: the bundle cannot be served; nothing changed.
        """
        before = history(self.store)
        entry = publish(self.store, self.version)
        self.moved = not before or entry != before[-1]
        where = f"in {self.store}"
        if self.moved:
            was = f" instead of version {before[-1].version}" if before else ""
            return f"Published version {self.version}{was} {where}."
        return f"Version {self.version} was published {where} already; its golden rows replay."

    def roll_back(self, *, smoke_failed: bool) -> str | None:
        """Points to the version before, and returns the one in production then; None for none.

        Args:
            smoke_failed: Whether the version answered wrongly; otherwise the pointer is moved only
                if it was moved here.
        """
        if self.serving != self.version or not (smoke_failed or self.moved):
            return self.serving
        try:
            return roll_back(self.store).version
        except BundleError:
            # There is no version before, or none that can be served: the pointer stays.
            return None
