"""The scorer: one customer or ten million, the same formula and the same bits."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from churn.contract import DataContract
from churn.errors import BundleError
from churn.features.encoding import Columns, Floats, row_count
from churn.models.candidate import FittedModel
from churn.models.model_store import read_model
from churn.models.recalibrated import LogitMap, recalibration_of
from churn.models.row_form import trees_of
from churn.scoring.columns import checked
from churn.scoring.current import CURRENT, read_current
from churn.scoring.encoder import Row, Values
from churn.scoring.expit import expit
from churn.scoring.fast.row_scorer import RowScorer
from churn.scoring.golden_replay import read_golden, replay
from churn.scoring.manifest import MANIFEST, MODEL, Manifest
from churn.scoring.refusal import refusing
from churn.scoring.remote import local_copy
from churn.scoring.score import Explanation, Score, Scores
from churn.scoring.verify import read_contract, verify_bundle

_FEW = 6  # what is shared by so many costs more than it saves
# So many rows stay in the processor's cache; columns a power of two apart would push each other out.
_ROWS_AT_ONCE = 8_000


class Scorer:
    """A loaded bundle. What it answers never changes, so any number of threads can share it.

    Attributes:
        manifest: the bundle's.
        contract: what the fields mean.
        model: what was fitted, in its form for columns.
        version: version of the model.
        threshold: probability from which on `decision` is true.
        features: names of the columns that contributions belong to.
        base: log-odds of the average training customer.
        bitwise: whether one row and many rows agree to the last bit by construction.
        row_scorer: the model for one customer at a time.

    Examples:
        >>> from pathlib import Path
        >>> from tempfile import mkdtemp
        >>> from churn.contract import load_contract
        >>> from churn.data import acquire
        >>> from churn.features.encoding import encode, encode_target
        >>> from churn.models.recipe_catalog import build_candidates
        >>> from churn.models.recipe_settings import default_recipes
        >>> from churn.models.trained import TrainedModel
        >>> from churn.scoring.bundle import Threshold, write_bundle
        >>> contract = load_contract(Path("data/contracts/telco.yaml"))
        >>> customers = acquire("bundled", contract, root=Path(), cache=Path(".churn"))
        >>> columns = encode(customers.frame, contract)
        >>> recipes = default_recipes()
        >>> trained = TrainedModel.train(
        ...     build_candidates(["logistic"], recipes, contract)["logistic"],
        ...     columns,
        ...     encode_target(customers.frame, contract),
        ...     contract=contract,
        ...     data_sha256=customers.source.sha256,
        ...     settings=recipes["logistic"],
        ... )
        >>> bundle = write_bundle(
        ...     Path(mkdtemp()) / "bundle",
        ...     trained,
        ...     columns,
        ...     name="churn",
        ...     version="1",
        ...     threshold=Threshold(value=0.3, basis="an example"),
        ...     metrics={},
        ... )
        >>> sorted(path.name for path in bundle.iterdir())
        ['contract.json', 'golden.json', 'manifest.json', 'model', 'reference.npz']
        >>> scorer = Scorer.load(bundle)
        >>> scorer.version, scorer.threshold
        ('1', 0.3)
        >>> customer = customers.frame.drop(columns="Churn").iloc[0].to_dict()
        >>> score = scorer.score_one(customer)
        >>> round(score.probability, 4), score.decision
        (0.635, True)
        >>> many = scorer.score_many(columns)
        >>> bool(many.probability[0] == score.probability)
        True
    """

    def __init__(self, model: FittedModel, contract: DataContract, manifest: Manifest) -> None:
        self.manifest = manifest
        self.contract = contract
        self.model = model
        self.version = manifest.model.version
        self.threshold = manifest.threshold.value
        self.features = model.features
        self.base = model.base
        self.row_scorer = RowScorer(model, contract)
        self.bitwise = self.row_scorer.bitwise

    @classmethod
    def load(cls, where: str | os.PathLike[str]) -> Scorer:
        """Verifies a bundle, loads it and replays its golden rows.

        Args:
            where: a bundle's folder; or a store's, for its current bundle; or the URI of either
                (file://, or whatever fsspec can read).

        Raises:
            BundleError: there is no bundle, or it is not fit to be served.
        """
        with local_copy(where) as folder:
            if (folder / CURRENT).exists():
                entry = read_current(folder)
                return cls.load_version(entry.folder(folder), entry.version, entry.digest)
            return cls._load(folder, None)

    @classmethod
    def load_version(cls, folder: Path, version: str, digest: str | None) -> Scorer:
        """Loads a bundle of this machine that must be a certain one, as `load` does.

        Args:
            folder: the bundle's.
            version: the version that it must have.
            digest: SHA-256 that its manifest must have; None for any.

        Raises:
            BundleError: there is no such bundle, or it is not fit to be served.
        """
        scorer = cls._load(folder, digest)
        if scorer.version != version:
            raise BundleError(
                f"The bundle {folder} holds version {scorer.version}, not {version}. Write version "
                f"{version} anew, or roll back."
            )
        return scorer

    def compile(self, *, contributions: bool = False) -> bool:
        """Makes `score_many` fast for millions of rows; every row keeps its bits.

        It takes a tenth of a second, and llvmlite, which the extra `batch` brings.

        Args:
            contributions: whether `contributions` is made fast, too.

        Returns:
            Whether all trees of the model are compiled now; those that are not are LightGBM's to score.
        """
        trees = trees_of(self.model.row_form())
        compiled = [each.compile(contributions=contributions) for each in trees]
        return all(compiled)

    def score_one(self, row: Row) -> Score:
        """Scores a customer.

        Args:
            row: every feature of the contract by name, in the contract's raw values: texts and
                numbers as JSON or a CSV row gives them. The customer's id may be among them.

        Raises:
            FieldError: a field is unknown or missing, or its value is not allowed.
        """
        return self.score_values(self.values(row))

    def values(self, row: Row) -> Values:
        """A customer as the model sees it: to be scored, and to be compared in the ledger.

        Raises:
            FieldError: a field is unknown or missing, or its value is not allowed.
        """
        return self.row_scorer.values(row)

    def score_values(self, values: Values) -> Score:
        """Scores an encoded customer."""
        logit = self.row_scorer.logit(values)
        probability = float(expit(logit))
        return Score(probability, logit, probability >= self.threshold, self.version)

    def score_each(self, rows: Sequence[Values]) -> list[Score]:
        """Scores what `values` made of many customers; each gets the bits of `score_values`.

        For customers that come together but each by itself, as requests do: from some thousands
        on, `score_many` is faster.
        """
        if len(rows) < _FEW:
            return [self.score_values(values) for values in rows]
        logits = self.row_scorer.logits(rows)
        threshold, version = self.threshold, self.version
        return [
            Score(probability, logit, probability >= threshold, version)
            for probability, logit in zip(expit(logits).tolist(), logits, strict=True)
        ]

    def score_many(self, columns: Columns) -> Scores:
        """Scores n customers; each gets the very bits that `score_one` gives.

        Args:
            columns: the contract's features as `churn.features.encoding.encode` or `columns`
                makes them.

        Raises:
            InputError: a column is missing, or a value is not what the contract allows.
        """
        known = checked(columns, self.contract)
        logit = np.empty(row_count(known))
        for rows in _slices(len(logit)):
            logit[rows] = self.model.logit({name: all_[rows] for name, all_ in known.items()})
        probability: Floats = expit(logit)
        return Scores(probability, logit, probability >= self.threshold, self.version)

    def columns(self, rows: Iterable[Row]) -> Columns:
        """Raw customers as the columns that `score_many` and `contributions` take.

        Raises:
            FieldError: a customer is refused; the sentence begins with its row, counted from 1.
        """
        return self.row_scorer.encoder.columns(rows)

    def contributions(self, columns: Columns) -> Floats:
        """What each feature adds to the base for n customers, float64[n, features].

        Raises:
            InputError: a column is missing, or a value is not what the contract allows.
        """
        known = checked(columns, self.contract)
        parts = np.empty((row_count(known), len(self.features)), order="F")
        for rows in _slices(len(parts)):
            some = {name: all_[rows] for name, all_ in known.items()}
            parts[rows] = self.model.contributions(some)
        return parts

    def explain(self, row: Row) -> Explanation:
        """Scores a customer and gives the parts; the very bits of `contributions`.

        Raises:
            FieldError: a field is unknown or missing, or its value is not allowed.
        """
        values = self.values(row)
        parts = self.row_scorer.contributions(values)
        return Explanation(
            score=self.score_values(values),
            base=self.base,
            contributions=dict(zip(self.features, parts, strict=True)),
        )

    @classmethod
    def _load(cls, folder: Path, digest: str | None) -> Scorer:
        with refusing(folder):
            manifest = verify_bundle(folder, digest)
            model = read_model(folder / MODEL)
            _require_recalibration(model, manifest, folder)
            scorer = cls(model, read_contract(folder), manifest)
            replay(scorer, read_golden(folder), folder)
        return scorer


def _require_recalibration(model: FittedModel, manifest: Manifest, folder: Path) -> None:
    """What the manifest says of the recalibration is what the model does."""
    if recalibration_of(model) != (manifest.model.recalibration or LogitMap()):
        raise BundleError(
            f"The bundle {folder} has a model with another recalibration than its {MANIFEST} names. "
            "Write the bundle anew."
        )


def _slices(rows: int) -> Iterable[slice]:
    return (slice(start, start + _ROWS_AT_ONCE) for start in range(0, rows, _ROWS_AT_ONCE))
