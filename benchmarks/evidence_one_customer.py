"""One raw customer to a probability, beside the same model through other interfaces.

    OMP_NUM_THREADS=1 python -m benchmarks.evidence_one_customer [--rounds 7]

Prints one JSON object, a ratio of CPU times a round: the trees' score over encoder and
`Booster.predict`, the blend's score over a scikit-learn pipeline on a one-row DataFrame. Both sides
of a round score the same customers, one after the other, and must agree.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np

from benchmarks.evidence_scoring import CLOSE, Peer, as_table, one_by_one, require_equal
from benchmarks.measuring import ROOT
from churn.contract import load_contract
from churn.data import acquire
from churn.features.encoding import encode, encode_target
from churn.models.blend import BlendModel
from churn.models.recipe_catalog import build_candidates
from churn.models.recipe_settings import default_recipes
from churn.models.trained import TrainedModel
from churn.models.trees.gbm import GbmModel
from churn.scoring.bundle import Threshold, bundle_folder, load_bundle, write_bundle
from churn.scoring.encoder import RowEncoder

SOME, FEW = 2000, 100
Row = dict[str, Any]


def seconds(work: Callable[[Sequence[Row]], object], rows: Sequence[Row]) -> float:
    """CPU seconds a customer."""
    began = time.process_time()
    work(rows)
    return (time.process_time() - began) / len(rows)


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=7)
    rounds = parser.parse_args().rounds
    contract = load_contract(ROOT / "data" / "contracts" / "telco.yaml")
    data = acquire("bundled", contract, root=ROOT, cache=Path(".churn") / "downloads")
    columns, target = encode(data.frame, contract), encode_target(data.frame, contract)
    recipes = default_recipes()
    models, scorers = {}, {}
    with tempfile.TemporaryDirectory() as scratch:
        for name in ("gbm", "blend"):
            models[name] = TrainedModel.train(
                build_candidates([name], recipes, contract)[name], columns, target,
                contract=contract, data_sha256=data.source.sha256, settings=recipes[name],
            )  # fmt: skip
            folder = write_bundle(
                bundle_folder(Path(scratch) / name, "1"), models[name], columns, name="churn",
                version="1", threshold=Threshold(value=0.5, basis="benchmark"), metrics={},
            )  # fmt: skip
            scorers[name] = load_bundle(folder)
    table = as_table(columns, contract)
    rows: list[Row] = table.head(SOME).to_dict("records")  # type: ignore[assignment]
    few = rows[:: SOME // FEW]
    trees, blend = models["gbm"].model, models["blend"].model
    assert isinstance(trees, GbmModel)  # noqa: S101
    assert isinstance(blend, BlendModel)  # noqa: S101
    member = blend.members["gbm"]
    assert isinstance(member, GbmModel)  # noqa: S101
    booster = lightgbm.Booster(model_str=trees.trees.text)
    encoder = RowEncoder(contract)
    places = [encoder.names.index(name) for name in trees.features]
    peer = Peer(contract, table, target, member)

    def by_booster(some: Sequence[Row]) -> list[float]:
        logits = []
        for row in some:
            values = encoder.encode(row)
            matrix = np.array([[values[place] for place in places]])
            logit = np.asarray(booster.predict(matrix, raw_score=True, num_threads=1))
            logits.append(float(logit[0]))
        return logits

    def by_scorer(name: str) -> Callable[[Sequence[Row]], list[float]]:
        return lambda some: [scorers[name].score_one(row).logit for row in some]

    require_equal("Booster.predict", by_booster(few), by_scorer("gbm")(few), 0)
    require_equal("the pipeline", one_by_one(peer, few), by_scorer("blend")(few), CLOSE)
    ratios: dict[str, list[float]] = {"booster": [], "pipeline": []}
    for _ in range(rounds):
        ratios["booster"].append(seconds(by_scorer("gbm"), rows) / seconds(by_booster, rows))
        slow = seconds(lambda some: one_by_one(peer, some), few)
        ratios["pipeline"].append(seconds(by_scorer("blend"), rows) / slow)
    print(json.dumps(ratios))


if __name__ == "__main__":
    main()
