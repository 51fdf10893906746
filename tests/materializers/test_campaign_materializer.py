import numpy as np
import pyarrow as pa
import pytest

from churn.campaign.call_list import CampaignLists
from churn.campaign.campaign_plan import AllocationFacts, CampaignPlan, LimitUse
from churn.campaign.scored_customers import ScoredCustomers
from churn.retention.playbook_file import load_playbook
from churn.retention.value import RemainingMargin
from materializers.campaign_materializer import CampaignMaterializer
from tests.materializers.test_materializers import materialize, store

__all__ = ["materialize", "store"]


@pytest.fixture(params=["customers", "margin", "plan", "lists"])
def handed_on(request, root, contract):
    texts = pa.table({"customer_id": ["a", "b"], "risk_band": ["low", "high"]})
    limit = LimitUse(name="budget", used=1.0, bound=2.0, price=0.5)
    facts = AllocationFacts(
        method="HiGHS",
        profit=3.0,
        cost=1.0,
        bound=3.0,
        gap=0.0,
        limits=(limit,),
    )
    some = np.array([0.25, 0.5])
    playbook = load_playbook(root / "data" / "playbooks" / "telco.yaml", contract)
    columns = {"tenure": np.array([1.0, 2.0]), "gender": np.array([0, 1], np.int8)}
    made = {
        "customers": ScoredCustomers(contract, "m", "7", 0.3, columns, some, texts, set_aside=1),
        "margin": RemainingMargin(some, np.ones((2, 3), np.float32), ("assumed",)),
        "plan": CampaignPlan(
            playbook,
            np.array([-1, 3]),
            some,
            some,
            some,
            some,
            some > 0.3,
            some > 0.1,
            texts,
            facts,
        ),
        "lists": CampaignLists(texts, texts.slice(1)),
    }
    return made[request.param]


def test_what_a_step_hands_on_comes_back_whole_and_without_a_pickle(
    handed_on, materialize, tmp_path
):
    materializer = materialize(CampaignMaterializer)

    materializer.save(handed_on)
    back = materializer.load(type(handed_on))

    for name, value in vars(handed_on).items():
        read = getattr(back, name)
        if name == "columns":
            assert all(np.array_equal(value[each], read[each]) for each in value)
            assert [each.dtype for each in read.values()] == [each.dtype for each in value.values()]
        elif isinstance(value, np.ndarray):
            assert np.array_equal(value, read)
        else:
            assert value == read
    kinds = {path.suffix for path in (tmp_path / "artifact").iterdir()}
    assert kinds <= {".npz", ".json", ".parquet"}
    assert materializer.extract_metadata(handed_on)
