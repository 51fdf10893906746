"""Checks what a retention run reads and writes, before anything is started."""

from __future__ import annotations

import pyarrow as pa

from churn.batch.table_output import is_table
from churn.campaign.call_list import EXPORTED
from churn.campaign.suppression import read_suppressions
from churn.contract import load_contract
from churn.data.sources import open_sink, open_source
from churn.data.sources.sql_address import sql_address
from churn.data.sources.sql_sink import SqlSink
from churn.retention.playbook_file import load_playbook
from churn.retention.renewals import fit_renewals
from churn.retention.value import require_used_settings
from churn.root import ROOT
from churn.settings.retention import RetentionSettings
from runner.batch_input import require_reachable
from runner.inputs import require_portable
from stacks.kubernetes.resources import runs_in_pods
from stacks.spec import StackSpec


def require_retention_places(settings: RetentionSettings, spec: StackSpec) -> None:
    """Checks settings and playbook, and that tables and lists can be used where the steps run.

    Raises:
        InputError: one of them is at fault.
    """
    contract = load_contract(ROOT / settings.data.contract)
    require_used_settings(contract, settings.value, settings.renewals.survivors)
    if settings.renewals.survivors:
        fit_renewals(settings.renewals.survivors)
    load_playbook(settings.playbook_file(contract.name), contract)
    if settings.suppression:
        read_suppressions(settings.suppression_file, contract.id.name)
    if runs_in_pods(spec):
        require_portable(settings.data, root=ROOT, stack=spec.name)
        places = {"input": settings.input, "export": settings.export}
        places |= {"playbook": settings.playbook, "suppression": settings.suppression}
        require_reachable({name: place for name, place in places.items() if place}, spec.name)
        return
    if settings.input:
        open_source(settings.input, contract, setting="input")
    if settings.export:
        _require_export(settings.export)


def _require_export(where: str) -> None:
    if not is_table(where):
        open_sink(where).require_open()
        return
    sink = SqlSink(sql_address(where), key=("customer_id",))
    sink.require_open()
    sink.require_fit(pa.schema([(name, pa.string()) for name in EXPORTED]))
