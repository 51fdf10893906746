"""Outcomes, and treatments, on their way to the ledger: each request waits until its own are written.

They have a thread, database connections and limits of their own, so that a ledger that cannot be written
costs no score an answer, holds up no new version and fills no memory.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from churn.errors import InputError
from churn.ledger.predictions import PredictionLedger
from service.api.problems import ProblemError
from service.core.background_thread import BackgroundThread, TooManyCallsError
from service.core.log import log

Record = Callable[[PredictionLedger, Sequence[Any]], None]

_LOCK_SECONDS = 2.0
_ANSWER_SECONDS = 5.0


class OutcomeWriter:
    """The thread that writes outcomes and treatments; both count as outcomes here.

    Attributes:
        waiting: how many requests wait for it.
        ledger: what they are written to.
    """

    def __init__(self, ledger: str, *, requests: int, outcomes: int, max_bytes: int = 0) -> None:
        """Takes the ledger's address and limit, and how many requests and outcomes may wait.

        Raises:
            InputError: that is no address of a database.
        """
        self.waiting = 0
        self._outcomes = 0
        self._most_requests, self._most_outcomes = requests, outcomes
        self.ledger = PredictionLedger(ledger, lock_seconds=_LOCK_SECONDS, max_bytes=max_bytes)
        self._thread = BackgroundThread("outcomes", limit=requests)

    def check_capacity(self, outcomes: int = 1) -> None:
        """Checks that so many more outcomes may wait.

        Raises:
            ProblemError: 503, with Retry-After.
        """
        if self.waiting >= self._most_requests or self._outcomes + outcomes > self._most_outcomes:
            raise _unwritable("More outcomes wait for the ledger than may. Ask again later.")

    async def write(
        self, outcomes: Sequence[Any], record: Record = PredictionLedger.record_outcomes
    ) -> None:
        """Writes all outcomes of a request or none, by that method of the ledger.

        If the answer is 503 they may be written all the same; to send them again does no harm, as of
        several outcomes of a customer the last counts.

        Raises:
            ProblemError: 503, with Retry-After; too many wait, or the ledger cannot be written.
        """
        self.check_capacity(len(outcomes))
        self.waiting += 1
        self._outcomes += len(outcomes)
        try:
            call = self._thread.run(partial(record, self.ledger, outcomes))
            await asyncio.wait_for(call, _ANSWER_SECONDS)
        except (InputError, TooManyCallsError, TimeoutError) as error:
            reason = str(error) or f"It did not answer within {_ANSWER_SECONDS:g} seconds."
            log("error", "ledger_failed", reason=reason)
            raise _unwritable("The ledger cannot be written now. Ask again later.") from None
        finally:
            self.waiting -= 1
            self._outcomes -= len(outcomes)

    def close(self) -> None:
        """Closes the database connections that are not in use."""
        self.ledger.close()


def _unwritable(detail: str) -> ProblemError:
    return ProblemError(503, detail, headers={"retry-after": "5"})
