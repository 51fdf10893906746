r"""The model behind Seldon Core 1's own microservice, over REST and gRPC.

    OMP_NUM_THREADS=1 seldon-core-microservice service.seldon.model.ChurnModel \
        --service-type MODEL --parameters \
        '[{"name": "bundle_uri", "type": "STRING", "value": "/bundles"}]'

Runs in an environment of its own (requirements.txt beside this file): seldon-core wants numpy
before 2 and protobuf before 4.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from json import JSONDecodeError
from typing import Any

import numpy as np
from flask import Blueprint, jsonify
from seldon_core.flask_utils import SeldonMicroserviceException
from seldon_core.user_model import SeldonNotImplementedError, SeldonResponse
from werkzeug.exceptions import HTTPException

from churn.errors import InputError
from churn.scoring import Scorer, Scores
from service.seldon.customers import score_document, score_table
from service.seldon.seldon_message import require_customers

ANSWERS = ("probability", "decision")


class BadRequestError(SeldonMicroserviceException):  # type: ignore[misc]
    """A request is at fault: 400 over REST, the same sentence over gRPC."""

    def __init__(self, sentence: str, status_code: int = 400) -> None:
        super().__init__(sentence, status_code=status_code)

    def __str__(self) -> str:
        """Returns the sentence; Seldon's own exception has no text, and gRPC shows nothing else."""
        return str(self.message)


class ChurnModel:
    """Scores customers; everything it needs is in the bundle.

    Loads in the constructor: the microservice forks its servers afterwards, so a bundle that cannot
    be used ends the process before a port opens, and the workers share its memory.
    """

    def __init__(self, bundle_uri: str = "") -> None:
        """Loads a bundle or a store's, from a folder or what fsspec reads; BUNDLE_URI's by default.

        Raises:
            InputError: neither names a bundle.
            BundleError: there is none, or it cannot be used.
        """
        # Before the library is loaded: threads of OpenMP do not survive the fork that follows.
        os.environ.setdefault("OMP_NUM_THREADS", "1")
        uri = bundle_uri or os.environ.get("BUNDLE_URI", "")
        if not uri:
            raise InputError(
                "No bundle is named; set the parameter bundle_uri or the variable BUNDLE_URI."
            )
        self.scorer = Scorer.load(uri)
        self.model_error_handler = _error_handlers()

    def predict_raw(self, message: Any) -> Any:
        """Checks a request before Seldon unpacks it, and leaves the rest to `predict`.

        Raises:
            BadRequestError: it has no table and no jsonData.
            SeldonNotImplementedError: otherwise; Seldon then calls `predict`.
        """
        try:
            require_customers(message)
        except InputError as error:
            raise BadRequestError(str(error)) from None
        raise SeldonNotImplementedError("predict does it")

    def predict(
        self, features: Any, names: Sequence[str], meta: Mapping[str, Any] | None = None
    ) -> SeldonResponse:
        """Scores the customers of a table, array[n, columns], or of a JSON document.

        Returns:
            For a table, float64[n, 2] of probability and decision (1.0 or 0.0); for a document, an
            object a customer. The version and the threshold are in the tags.

        Raises:
            BadRequestError: a customer is at fault.
        """
        del meta
        try:
            if isinstance(features, np.ndarray):
                scores = score_table(self.scorer, features, names)
                answer: Any = np.column_stack([scores.probability, scores.decision])
            else:
                scores = score_document(self.scorer, features)
                answer = _document(scores, alone=not isinstance(features, list))
        except InputError as error:
            raise BadRequestError(str(error)) from None
        return SeldonResponse(answer, tags=self.tags(), metrics=_metrics(scores))

    def class_names(self) -> list[str]:
        """Returns the names of the columns of an answered table."""
        return list(ANSWERS)

    def tags(self) -> dict[str, Any]:
        """Returns the tags in the meta of every answer."""
        return {"version": self.scorer.version, "threshold": self.scorer.threshold}

    def health_status(self) -> list[str]:
        """Returns the answer of /health/status: a process that is this far has a verified bundle."""
        return ["ready", self.scorer.version]

    def init_metadata(self) -> dict[str, Any]:
        """Returns the answer of /metadata: the model, its inputs and outputs, and where it comes from."""
        manifest = self.scorer.manifest
        names = [column.name for column in self.scorer.contract.features]
        table = {"names": names, "shape": [len(names)]}
        return {
            "name": manifest.model.name,
            "versions": [self.scorer.version],
            "platform": "seldon",
            "inputs": [{"messagetype": "ndarray", "schema": table}],
            "outputs": [
                {"messagetype": "ndarray", "schema": {"names": list(ANSWERS), "shape": [2]}}
            ],
            "custom": {
                "recipe": manifest.model.recipe,
                "profile": manifest.model.profile or "not recorded",
                "contract": manifest.contract.digest,
                "data_sha256": manifest.data_sha256,
                "threshold": f"{manifest.threshold.value!r}",
                "threshold_basis": manifest.threshold.basis,
            },
        }


def _document(scores: Scores, *, alone: bool) -> Any:
    rows = [
        {"probability": probability, "decision": decision, "version": scores.version}
        for probability, decision in zip(
            scores.probability.tolist(), scores.decision.tolist(), strict=True
        )
    ]
    return rows[0] if alone else {"customers": rows}


def _metrics(scores: Scores) -> list[dict[str, Any]]:
    counts = {
        "churn_customers_scored_total": len(scores.probability),
        "churn_customers_at_risk_total": int(scores.decision.sum()),
    }
    return [
        {"type": "COUNTER", "key": key, "value": value, "tags": {"version": scores.version}}
        for key, value in counts.items()
    ]


def _error_handlers() -> Blueprint:
    """Returns handlers for errors of the client that Seldon would answer with 500."""
    blueprint = Blueprint("churn_errors", __name__)

    @blueprint.app_errorhandler(HTTPException)
    def http_error(error: HTTPException) -> Any:
        return _answer(f"{error.name}: {error.description}", error.code or 500)

    @blueprint.app_errorhandler(RecursionError)
    def too_deep(error: RecursionError) -> Any:
        del error
        return _answer("The request's JSON is nested too deeply; send a flat object.", 400)

    @blueprint.app_errorhandler(JSONDecodeError)
    def invalid_json(error: JSONDecodeError) -> Any:
        del error
        return _answer("The request is no JSON; send one object.", 400)

    return blueprint


def _answer(sentence: str, code: int) -> Any:
    response = jsonify(BadRequestError(sentence, code).to_dict())
    response.status_code = code
    return response
