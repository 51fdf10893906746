"""Query parameters of the routes that score customers."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeVar
from urllib.parse import parse_qsl

import msgspec

from churn.contract import DataContract
from service.api.problems import ProblemError

Options = TypeVar("Options", bound="ScoreOptions")


class ScoreOptions(msgspec.Struct, frozen=True):
    """Parameters of a request for a score."""

    ignore: (
        Annotated[
            Literal["target"],
            msgspec.Meta(
                description="The column that is predicted may stand in a row; it is not read"
            ),
        ]
        | None
    ) = None

    def without_ignored(self, row: Any, contract: DataContract) -> Any:
        """Returns a decoded customer without target and date, if they are to be ignored."""
        if self.ignore and type(row) is dict:
            for name in contract.unscored:
                row.pop(name, None)
        return row


def parse_options(query: bytes, kind: type[Options]) -> Options:
    """Returns the parameters of a request, whose names have been checked.

    Raises:
        ProblemError: a value is not allowed.
    """
    if not query:
        return kind()
    parameters = dict(parse_qsl(query.decode("latin-1"), keep_blank_values=True))
    try:
        return msgspec.convert(parameters, kind, strict=False)
    except msgspec.ValidationError as error:
        reason, _, field = str(error).partition(" - at `$.")
        field = field.rstrip("`")
        raise ProblemError(422, f"Parameter '{field}': {reason}.", field=field) from None


def describe_options(kind: type[ScoreOptions]) -> dict[str, Any]:
    """Returns the parameters for the OpenAPI document."""
    schema = msgspec.json.schema_components([kind])[1][kind.__name__]
    return {
        "parameters": [
            {"name": name, "in": "query", "required": False, "schema": each}
            for name, each in schema["properties"].items()
        ]
    }
