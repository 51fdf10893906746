import numpy as np
import pytest

from churn.batch.given_places import open_table
from churn.campaign.scored_customers import score_customers
from churn.campaign.supported_offers import supported_offers
from churn.retention.playbook_file import load_playbook
from churn.scoring.store_follower import load_version

ROWS = 60


@pytest.fixture(scope="module")
def playbook(root, contract):
    return load_playbook(root / "data" / "playbooks" / "telco.yaml", contract)


@pytest.fixture(scope="module")
def bundle(published_store):
    return load_version(str(published_store), "1")


@pytest.fixture
def scored(root, contract, bundle, tmp_path):
    path = tmp_path / "customers.csv"
    lines = (root / "data" / "raw" / "telco.csv").read_text().splitlines()[: ROWS + 1]
    path.write_text("\n".join(lines) + "\n")
    table = open_table(str(path), contract)
    return score_customers(table, bundle.scorer, bundle.bands, model="m", reasons=1)


def test_a_customer_whose_columns_contradict_each_other_stops_no_one_elses_offer(
    scored, bundle, playbook, contract
):
    # Given a customer with DSL who, by another column, has no internet
    before = supported_offers(scored, bundle.scorer, playbook, np.arange(ROWS))
    place = next(row for row, said in enumerate(before) if said)
    without = contract.column("OnlineSecurity").categories.index("No internet service")
    assert (
        contract.column("InternetService").categories[scored.columns["InternetService"][place]]
        != "No"
    )
    scored.columns["OnlineSecurity"][place] = without

    found = supported_offers(scored, bundle.scorer, playbook, np.arange(ROWS))

    assert found == [*before[:place], "", *before[place + 1 :]]
