"""The files for an executive, and every figure that stands in them."""

from __future__ import annotations

import tempfile
from pathlib import Path

from churn.durable import replace_file, replace_text
from churn.frozen_model import FrozenModel
from churn.reports.executive.deck import write_deck
from churn.reports.executive.evidence import Evidence, Statement
from churn.reports.executive.one_pager import one_pager
from churn.reports.executive.readout_page import render_readout_page

DECK, ONE_PAGER, READOUT, ARTIFACTS = "deck.pptx", "one-pager.pdf", "readout.html", "figures.json"


class Deliverables(FrozenModel):
    """What was written.

    Attributes:
        folder: where.
        files: names.
        statements: every figure in the slides and on the page, with its place in the artifacts.
    """

    folder: str
    files: tuple[str, ...]
    statements: tuple[Statement, ...]


def write_deliverables(folder: Path, seen: Evidence) -> Deliverables:
    """Writes deck, one-pager and readout, and the artifacts that their figures come from."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".unfinished-") as unfinished:
        deck = Path(unfinished) / DECK
        write_deck(deck, seen)
        replace_file(folder / DECK, deck.read_bytes())
    replace_file(folder / ONE_PAGER, one_pager(seen))
    replace_text(folder / READOUT, render_readout_page(seen))
    replace_text(folder / ARTIFACTS, seen.document_text())
    return Deliverables(
        folder=str(folder),
        files=(DECK, ONE_PAGER, READOUT, ARTIFACTS),
        statements=tuple(seen.stated),
    )
