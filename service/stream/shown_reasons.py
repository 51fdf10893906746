"""Reasons behind a score of the topic, found again from the message that was scored."""

from __future__ import annotations

from functools import lru_cache

from churn.errors import ChurnError
from churn.explain.reasons import ReasonCodes
from churn.feature_store.online.address import open_online_store
from churn.scoring import FieldError
from churn.scoring.store_follower import LoadedBundle, load_version
from service.core.environment_settings import NONE
from service.stream.live_figures import HighRisk
from service.stream.messages import Rejection, parse_event
from service.stream.stream_settings import StreamSettings

_TOP = 2
_REMEMBERED = 100


class ShownReasons:
    """Finds reasons with the version that gave the score, once for each score."""

    def __init__(self, settings: StreamSettings) -> None:
        """Loads nothing yet."""
        self._settings = settings
        self._load = lru_cache(4)(self._load_version)
        self._found: dict[str, tuple[str, ...]] = {}

    def sentences(self, high: HighRisk) -> tuple[str, ...]:
        """What raises a customer's risk; empty where it is not known what exactly was scored."""
        identifier = high.scored.answer.prediction_id
        if identifier not in self._found:
            if len(self._found) == _REMEMBERED:
                self._found.clear()
            try:
                self._found[identifier] = self._find(high)
            except (ChurnError, Rejection, FieldError):
                self._found[identifier] = ()
        return self._found[identifier]

    def _find(self, high: HighRisk) -> tuple[str, ...]:
        bundle, codes = self._load(high.scored.answer.model_version)
        contract, scorer = bundle.scorer.contract, bundle.scorer
        event = parse_event(high.message, contract, self._settings.max_message_bytes)
        row, address = event.row, self._settings.online_store.get_secret_value()
        if event.at is not None and address != NONE:
            with open_online_store(contract, address) as store:
                stored = store.read(event.customer)
            row = {contract.id.name: event.customer, **(stored.row if stored else {})}
        values = scorer.values(row)
        if scorer.score_values(values).probability != high.scored.answer.probability:
            return ()  # another event has changed the customer meanwhile
        reasons = codes.customer(values, scorer.row_scorer.contributions(values), _TOP).reasons
        return tuple(each.sentence for each in reasons if each.direction == "raises")

    def _load_version(self, version: str) -> tuple[LoadedBundle, ReasonCodes]:
        bundle = load_version(self._settings.store, version, self._settings.scratch_folder)
        row_scorer = bundle.scorer.row_scorer
        return bundle, ReasonCodes(row_scorer.features, bundle.scorer.contract, row_scorer.names)
