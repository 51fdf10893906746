"""A deep tabular network (TabM): it enters the same selection as the others, and may lose."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from churn.contract import DataContract
from churn.errors import InputError
from churn.features.encoding import Columns, Floats, take
from churn.models.candidate import Target
from churn.models.deep_extra import TRAINING, require_extra
from churn.models.linear.regression import require_both_outcomes
from churn.models.network.network_input import NetworkInput
from churn.models.network.onnx_model import OnnxModel, open_session, run_network
from churn.models.recipe_inputs import RecipeInputs
from churn.models.recipe_settings import TabularNetSettings
from churn.models.trees.gbm import feature_matrix

if TYPE_CHECKING:
    from churn.models.network.network_training import OnEpoch, Rows, TrainedNetwork

_BACKGROUND_ROWS = 16
_FEWEST_OF_AN_OUTCOME = 10  # so that the validation part holds both


@dataclass(frozen=True)
class TabularNetCandidate:
    """One-hot categories and piecewise-linear numbers into TabM."""

    name: str
    settings: TabularNetSettings
    inputs: RecipeInputs

    @classmethod
    def from_settings(
        cls, name: str, settings: TabularNetSettings, contract: DataContract
    ) -> TabularNetCandidate:
        """The recipe under a contract.

        Raises:
            InputError: PyTorch, tabm, ONNX or onnxruntime is not installed, or the contract lacks
                the roles of a feature group.
        """
        require_extra(f"Recipe '{name}'", TRAINING)
        return cls(name, settings, RecipeInputs.from_contract(contract, settings.features))

    def fit(self, columns: Columns, target: Target) -> OnnxModel:
        """Learns from n rows, a part of which only says when to stop.

        Raises:
            InputError: a column is missing, a code unknown, or an outcome occurs too rarely.
        """
        known = self.known(columns, target)
        training, validation = self._parts(target)
        network_input, trained = self.train(known, target, training, validation)
        return self._fitted(known, network_input, trained)

    def known(self, columns: Columns, target: Target) -> Columns:
        """The columns the network is fed.

        Raises:
            InputError: one is missing, or an outcome occurs too rarely.
        """
        require_both_outcomes(target, self.name)
        left = int(np.sum(target))
        if min(left, len(target) - left) < _FEWEST_OF_AN_OUTCOME:
            raise InputError(
                f"Recipe '{self.name}' keeps rows of both outcomes back to know when to stop, but "
                f"of {len(target)} rows {left} left; bring at least {_FEWEST_OF_AN_OUTCOME} of "
                "each outcome."
            )
        return self.inputs.extend(columns)

    def train(
        self,
        known: Columns,
        target: Target,
        training: Rows,
        validation: Rows,
        *,
        on_epoch: OnEpoch | None = None,
    ) -> tuple[NetworkInput, TrainedNetwork]:
        """Learns the encoding and the weights from `training`, until `validation` says stop.

        `on_epoch` is called after every epoch, and may raise to end the training.

        Raises:
            InputError: a code is unknown.
        """
        from churn.models.network.network_training import train_network

        formulas = self.inputs.engineered.formulas
        coded = {bound.name: bound.formula.categories for bound in formulas}
        network_input = NetworkInput.from_columns(
            take(known, training),
            self.inputs.features,
            self.inputs.categories | {name: count for name, count in coded.items() if count},
            pieces=self.settings.pieces,
        )
        trained = train_network(
            self.settings,
            network_input.encode(known),
            target,
            widths=network_input.widths,
            training=training,
            validation=validation,
            on_epoch=on_epoch,
        )
        return network_input, trained

    def _parts(self, target: Target) -> tuple[Rows, Rows]:
        """The rows to learn from and those that say when to stop, stratified, by the seed."""
        from sklearn.model_selection import train_test_split

        training, validation = train_test_split(
            np.arange(len(target)),
            test_size=self.settings.validation_share,
            stratify=target,
            random_state=self.settings.seed,
        )
        return training, validation

    def _fitted(
        self, known: Columns, network_input: NetworkInput, trained: TrainedNetwork
    ) -> OnnxModel:
        from churn.models.network.network_graph import as_onnx

        network = as_onnx(trained.weights)
        logit = run_network(open_session(network), network_input.encode(known))
        return OnnxModel.from_bytes(
            network,
            network_input,
            base=float(logit.mean()),
            background=_background(known, network_input, logit),
            seed=self.settings.seed,
            engineered=self.inputs.engineered,
        )


def _background(known: Columns, network_input: NetworkInput, logit: Floats) -> Floats:
    """A few training customers whose mean, of features and scores, is close to everybody's.

    Taken greedily, as in herding (Chen, Welling & Smola 2010, UAI): reasons measured against them
    have a fifth of the error of reasons measured against as many customers at even steps of the
    ranking.
    """
    traits = np.column_stack([network_input.encode(known), logit]).astype(np.float64)
    traits -= traits.mean(axis=0)
    length = np.einsum("ij,ij->i", traits, traits)
    chosen: list[int] = []
    total = np.zeros(traits.shape[1])
    for _ in range(min(_BACKGROUND_ROWS, len(traits))):
        # Smallest |total + row|^2, less what all rows share. Not as a product: BLAS may round it
        # in another way on another machine.
        distance = length + 2 * np.einsum("ij,j->i", traits, total)
        distance[chosen] = np.inf
        chosen.append(int(np.argmin(distance)))
        total += traits[chosen[-1]]
    return feature_matrix(
        take(known, np.array(chosen)), network_input.features, network_input.categories, slice(None)
    )
