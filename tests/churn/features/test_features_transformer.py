import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.compose import make_column_transformer
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from churn.errors import InputError
from churn.features.feature_set import feature_set
from churn.features.transformer import FeatureFormulas


def test_a_table_and_its_columns_give_the_formulas_values(contract, telco, telco_columns):
    expected = feature_set(contract).compute(telco_columns)
    transformer = FeatureFormulas(contract).fit(telco.frame)

    assert list(transformer.get_feature_names_out()) == list(expected)
    for given in (telco.frame, telco_columns):
        found = transformer.transform(given)
        assert np.array_equal(found, np.stack(list(expected.values()), axis=1))


def test_it_can_hand_out_a_named_table(contract, telco):
    transformer = FeatureFormulas(contract, groups=("services",)).set_output(transform="pandas")
    found = transformer.fit_transform(telco.frame.iloc[100:103])

    assert isinstance(found, pd.DataFrame)
    assert list(found.columns) == ["service_count", "protection_count", "streaming_count"]
    assert list(found.index) == [100, 101, 102]


def test_it_clones_and_returns_its_parameters(contract):
    transformer = FeatureFormulas(contract, groups=("tenure",))
    copy = clone(transformer)

    assert copy is not transformer
    assert copy.get_params()["groups"] == ("tenure",)
    assert copy.get_params()["contract"] == contract


def test_it_works_in_a_pipeline(contract, telco, telco_target):
    pipeline = make_pipeline(
        FeatureFormulas(contract), StandardScaler(), LogisticRegression(max_iter=200)
    )
    pipeline.fit(telco.frame, telco_target)
    chance = pipeline.predict_proba(telco.frame)[:, 1]

    assert chance[telco_target == 1].mean() > chance[telco_target == 0].mean() + 0.1


def test_it_works_beside_other_transformers_on_the_columns_it_reads(contract, telco):
    together = make_column_transformer(
        (StandardScaler(), ["tenure"]),
        (FeatureFormulas(contract, groups=("tenure",)), ["tenure"]),
    )
    found = together.fit_transform(telco.frame)

    assert found.shape == (telco.rows, 2)
    assert list(together.get_feature_names_out())[-1].endswith("tenure_bucket")


def test_groups_without_formulas_make_no_columns(contract, telco_columns):
    assert FeatureFormulas(contract, groups=()).fit_transform(telco_columns).shape == (7043, 0)


def test_it_refuses_what_it_cannot_read(contract, telco):
    transformer = FeatureFormulas(contract)
    with pytest.raises(NotFittedError):
        transformer.transform(telco.frame)
    transformer.fit(telco.frame)
    with pytest.raises(InputError, match="was given a list"):
        transformer.transform([[1, 2]])
    with pytest.raises(InputError, match="'MonthlyCharges' is missing"):
        transformer.transform(telco.frame.drop(columns="MonthlyCharges"))
