"""Reads an experiment's outcomes, and writes a playbook with what it has measured of the offers."""

from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

from zenml import step

from churn.campaign.campaign_experiment import read_campaigns
from churn.campaign.measured_playbook import measured_offers, measured_playbook, playbook_text
from churn.contract import load_contract
from churn.durable import replace_text
from churn.experiments.readout import Readout
from churn.ledger.predictions import PredictionLedger
from churn.retention.playbook_file import load_playbook
from churn.root import ROOT
from churn.settings.retention import RetentionSettings
from materializers.report_materializer import ReportMaterializer
from registry.artifacts import Artifact
from steps.progress import step_progress


@step(enable_cache=False, output_materializers=ReportMaterializer)
def read_experiment(
    settings: dict[str, Any], folders: dict[str, str], began: str
) -> Annotated[Readout, Artifact.READOUT]:
    """Compares treated and holdout by the ledger's outcomes.

    Raises:
        InputError: no look is due, outcomes contradict assignments, or a file is at fault.
    """
    with step_progress("read_experiment") as progress:
        options = RetentionSettings.from_mapping(settings)
        now, folder = datetime.fromisoformat(began), Path(folders["retention"])
        with PredictionLedger(folders["ledger"]) as ledger:
            _, readout = read_campaigns(folder, options.experiment.read, ledger, now)
        contract = load_contract(ROOT / options.data.contract)
        here = folder / now.date().isoformat()
        here.mkdir(parents=True, exist_ok=True)
        playbook = load_playbook(options.playbook_file(contract.name), contract)
        if readout.balanced and measured_offers(playbook, readout):
            measured = measured_playbook(playbook, readout)
            replace_text(here / "measured-playbook.yaml", playbook_text(measured))
        replace_text(here / "readout.json", readout.model_dump_json(indent=1) + "\n")
        found = readout.comparison
        progress.record(
            f"{found.treated_rate:.1%} of the treated left, {found.holdout_rate:.1%} of the holdout: "
            f"{readout.decision} at look {readout.look} of {readout.read_on}",
            {"difference": found.difference, "look": readout.look},
        )
    return readout
