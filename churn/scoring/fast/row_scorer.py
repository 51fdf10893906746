"""A fitted model for one customer at a time, under the contract of its columns.

This is the only way into `churn.scoring.fast`: it encodes raw customers, adds their engineered
values, and calls the kernel that the model's row form was compiled to.
"""

from __future__ import annotations

from collections.abc import Sequence

from churn.contract import DataContract
from churn.features.encoding import Columns
from churn.models.candidate import FittedModel
from churn.scoring.encoder import Row, RowEncoder, Values
from churn.scoring.fast.row_formulas import row_formula
from churn.scoring.fast.row_kernels import Copies, row_kernel


class RowScorer:
    """A model that scores customers one by one. It never changes, so threads can share it.

    Attributes:
        contract: what the fields mean.
        encoder: from raw customers to values.
        features: names of the columns that contributions belong to.
        names: of the contract's own among a customer's values; engineered ones are behind them.
        bitwise: whether one row and many rows agree to the last bit by construction.
    """

    def __init__(self, model: FittedModel, contract: DataContract) -> None:
        """Compiles the model's row form."""
        form = model.row_form()
        self.contract = contract
        self.encoder = RowEncoder(contract)
        self.features = model.features
        self.names = self.encoder.names
        engineered = form.engineered
        places = {name: place for place, name in enumerate((*self.names, *engineered.names))}
        self._formulas = tuple(
            (row_formula(bound, contract, places), {places[name] for name in bound.reads})
            for bound in engineered.formulas
        )
        self._kernel = row_kernel(form, self.encoder, places)
        self.bitwise = self._kernel.bitwise
        self.logit = self._kernel.logit
        self.logits = self._kernel.logits
        self.contributions = self._kernel.contributions

    def values(self, row: Row) -> Values:
        """A raw customer as the model sees it.

        Raises:
            FieldError: a field is unknown or missing, or its value is not allowed.
        """
        values = self.encoder.encode(row)
        for formula, _ in self._formulas:
            values.append(formula(values))
        return values

    def table_values(self, columns: Columns) -> list[Values]:
        """The values of n customers of an encoded table."""
        rows = [list(row) for row in zip(*(columns[n].tolist() for n in self.names), strict=True)]
        for values in rows:
            for formula, _ in self._formulas:
                values.append(formula(values))
        return rows

    def logits_changed(self, values: Values, changes: Sequence[dict[int, float]]) -> list[float]:
        """Log-odds of a customer with some values changed, each with the bits of its own `logit`.

        Args:
            values: the customer's, from `values`.
            changes: for each copy, new values by their places among `names`.
        """
        own = len(self.names)
        rows, completed = [], []
        for change in changes:
            row = values[:own]
            for place, value in change.items():
                row[place] = value
            whole = change
            for place, (formula, reads) in enumerate(self._formulas, start=own):
                if reads.isdisjoint(change):
                    row.append(values[place])
                else:
                    row.append(formula(row))
                    whole = {**whole, place: row[-1]}
            rows.append(row)
            completed.append(whole)
        return self._kernel.logits_changed(Copies(values, rows, completed))
