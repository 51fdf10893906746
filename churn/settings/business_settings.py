"""What settings leave open, taken from the data contract of the business."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from churn.contract import Business, DataContract, Role, load_contract
from churn.profile import model_name


def follow_contract(settings: Any, root: Path) -> Any:
    """Returns a pipeline's settings, the model's name, words and currency filled in where left open.

    What the settings state is kept; the settings of a pipeline that makes no use of a model are
    returned as they are.

    Raises:
        InputError: the contract cannot be read.
    """
    contract = load_contract(root / settings.data.contract)
    model = getattr(settings, "model", None)
    if model is None:
        return settings
    given = {name: value for name, value in model.model_dump().items() if value}
    words = {"name": model_name(contract.name, settings.profile), **_words(contract)}
    open_fields = {
        name: value
        for name, value in words.items()
        if name in type(model).model_fields and name not in given
    }
    changes: dict[str, Any] = {"model": model.model_copy(update=open_fields)}
    currency = contract.business.currency if contract.business else None
    if currency and (value := getattr(settings, "value", None)) and not value.currency:
        changes["value"] = value.model_copy(update={"currency": currency})
    return settings.model_copy(update=changes)


def _words(contract: DataContract) -> dict[str, str]:
    """What the model predicts and what is to be considered, as the contract states or implies."""
    business = contract.business or Business()
    sensitive = [column.name for column in contract.with_role(Role.SENSITIVE)]
    ethics = (
        f"Its inputs include {', '.join(sensitive)}; see the model's report before acting on groups."
        if sensitive
        else "The data contract declares no column sensitive, so no such groups were compared."
    )
    return {
        "description": business.description
        or f"Probability that a customer leaves ({contract.title}).",
        "ethics": business.ethics or ethics,
    }
