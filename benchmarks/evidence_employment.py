"""How far estimates without labels are off on real people: employment in Massachusetts, learnt in 2015.

    python -m benchmarks.evidence_employment [--groups 20] [--seed 11]

Prints a Markdown table: the years 2016 to 2018 in chunks of 2,000, and chunks that are drawn of one
group alone, which is a shift of the inputs. The data are the American Community Survey's, from the
wheel of nannyml 0.13.1, which pip fetches; nothing of it is installed.
"""

from __future__ import annotations

import argparse
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmarks.evidence_performance import WINDOW
from churn.evaluation.delong import delong
from churn.monitoring.expected_auc import expected_auc
from churn.monitoring.importance_weights import Codes, window_calibrator
from churn.monitoring.score_calibrator import ScoreCalibrator
from tools.rebuild_snapshot import fetch

GROUPS = {
    "moved within the country last year": ("MIG", "3"),
    "born abroad": ("NATIVITY", "2"),
    "with a disability": ("DIS", "1"),
    "women": ("SEX", "2"),
}
_NANNYML = "nannyml==0.13.1"
_NANNYML_SHA256 = "cf5f4a33489834ae6773cb1baa33a0f98c0a3ee6ed9b43049478b25ce22fe869"
_EMPLOYMENT = "nannyml/datasets/data/employment_MA_{}.pq"
_NO_FEATURES = ["id", "employed", "year", "prediction", "predicted_probability"]
_BINS = 20


@dataclass(frozen=True)
class People:
    """Whose employment was predicted.

    Attributes:
        known: those of 2015, whose outcomes the estimates know.
        later: those after.
    """

    known: pd.DataFrame
    later: pd.DataFrame

    def codes(self, frame: pd.DataFrame) -> Codes:
        """Bins [rows, columns]: twentieths of the known people's ages, and categories."""
        edges = np.unique(self.known["AGEP"].quantile(np.arange(1, _BINS) / _BINS))
        columns = [np.searchsorted(edges, frame["AGEP"], side="right")]
        columns += [
            self.known[name].cat.categories.get_indexer(pd.Index(frame[name])) + 1
            for name in self.known.columns.drop([*_NO_FEATURES, "AGEP"])
        ]
        return np.column_stack(columns).clip(0, 255).astype(np.uint8)


def read_people() -> People:
    """Reads both parts out of the wheel."""
    with (
        tempfile.TemporaryDirectory(prefix="nannyml-") as folder,
        zipfile.ZipFile(fetch(Path(folder), _NANNYML, _NANNYML_SHA256)) as archive,
    ):
        known, later, outcomes = (
            pd.read_parquet(archive.open(_EMPLOYMENT.format(part)))
            for part in ("reference", "analysis", "analysis_target")
        )
    return People(known, later.merge(outcomes, on="id"))


def errors(people: People, chunks: list[NDArray[np.int64]]) -> NDArray[np.float64]:
    """Absolute errors of the ROC-AUC [chunks, 2]: by CBPE, and by PAPE."""
    known = people.known
    score, target = known["predicted_probability"], known["employed"]
    cbpe = ScoreCalibrator.of(score, target)
    known_codes = people.codes(known)
    off = []
    for rows in chunks:
        chunk = people.later.iloc[rows]
        predicted = chunk["predicted_probability"].to_numpy()
        realised = delong(chunk["employed"], predicted).area
        pape = window_calibrator(score, target, known_codes, people.codes(chunk))
        expected = (expected_auc(predicted, each.probability(predicted)) for each in (cbpe, pape))
        off.append([abs(each[0] - realised) if each else np.nan for each in expected])
    return np.array(off)


def employment_table(people: People, generator: np.random.Generator, count: int) -> str:
    """Errors by year, and of so many chunks of each group, as Markdown."""
    rows = np.arange(len(people.later) // WINDOW * WINDOW).reshape(-1, WINDOW)
    years = people.later["year"].to_numpy()[rows[:, WINDOW // 2]]
    found = errors(people, list(rows))
    lines = [
        f"| employment, chunks of {WINDOW:,} | chunks | mean absolute error of CBPE | of PAPE |",
        "|---|---|---|---|",
    ]
    lines += [_line(str(year), found[years == year]) for year in np.unique(years)]
    lines.append(_line("2016 to 2018", found))
    for name, (column, value) in GROUPS.items():
        members = np.flatnonzero(people.later[column].astype(str) == value)
        drawn = [generator.choice(members, WINDOW, replace=False) for _ in range(count)]
        lines.append(_line(f"{name}, alone", errors(people, drawn)))
    return "\n".join(lines)


def _line(name: str, off: NDArray[np.float64]) -> str:
    cbpe, pape = off.mean(axis=0)
    return f"| {name} | {len(off)} | {cbpe:.4f} | {pape:.4f} |"


def main() -> None:
    """Reads, estimates and prints."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--groups", type=int, default=20, help="chunks of each group")
    parser.add_argument("--seed", type=int, default=11)
    options = parser.parse_args()
    print(employment_table(read_people(), np.random.default_rng(options.seed), options.groups))


if __name__ == "__main__":
    main()
