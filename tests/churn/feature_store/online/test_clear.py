"""The command that empties an online store for one contract."""

from datetime import UTC, datetime

import pytest

from churn.feature_store.online.clear import VARIABLE, main
from churn.feature_store.online.online_store import OnlineStoreError
from churn.feature_store.online.stored_customer import CustomerUpdate


def test_it_removes_the_customers_and_says_so(online, address, root, monkeypatch, capsys):
    online.write([CustomerUpdate("C1", datetime(2026, 3, 2, tzinfo=UTC), {"tenure": 1})])
    monkeypatch.setenv(VARIABLE, address)

    assert main([str(root / "data/contracts/telco.yaml")]) == 0

    assert "Removed the customers of contract telco" in capsys.readouterr().out
    with pytest.raises(OnlineStoreError, match="holds no customers"):
        online.read("C1")


def test_a_store_that_is_not_there_is_not_made(root, tmp_path, capsys):
    file = tmp_path / "online.db"

    assert main([str(root / "data/contracts/telco.yaml"), "--store", f"sqlite:///{file}"]) == 0
    assert main([str(root / "data/contracts/telco.yaml"), "--store", "mysql://u:s3cret@h"]) == 2
    assert main([str(tmp_path / "none.yaml")]) == 2

    assert not file.exists()
    assert "s3cret" not in capsys.readouterr().err
