"""The drift reference in a bundle: of the bundle's own contract, or refused by name."""

import numpy as np
import pytest

from churn.errors import BundleError
from churn.monitoring.drift_reference import build_reference
from churn.scoring.bundle import read_reference
from churn.scoring.bundle.reference import as_bytes


@pytest.fixture
def file(contract, telco_columns, tmp_path):
    """The reference of a hundred customers."""
    some = {name: values[:100] for name, values in telco_columns.items()}
    path = tmp_path / "reference.npz"
    path.write_bytes(as_bytes(build_reference(some, np.linspace(0.1, 0.9, 100), contract)))
    return path


@pytest.mark.parametrize(
    ("without", "more", "said"),
    [
        ("-", {"categories/Contract/counts": np.arange(2)}, "'Contract' has 2 categories in it, 3"),
        ("-", {"categories/Plan/counts": np.arange(2)}, "'Plan' is in it alone"),
        ("numbers/tenure/", {}, "'tenure' is not in it"),
    ],
    ids=["fewer categories", "another column", "a column less"],
)
def test_a_reference_of_another_contract_is_refused(file, contract, tmp_path, without, more, said):
    with np.load(file) as arrays:
        known = {name: each for name, each in arrays.items() if not name.startswith(without)}
    np.savez(tmp_path / "other.npz", **known | more)

    with pytest.raises(BundleError, match="another contract") as refused:
        read_reference(tmp_path / "other.npz", contract)
    assert said in str(refused.value)


def test_a_reference_that_cannot_be_read_is_refused(file, contract, tmp_path):
    (tmp_path / "torn.npz").write_bytes(file.read_bytes()[:900])
    with pytest.raises(BundleError, match=r"torn\.npz cannot be read"):
        read_reference(tmp_path / "torn.npz", contract)
