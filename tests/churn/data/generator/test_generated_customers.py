"""Generated customers follow their contract, and are the same ones however they are asked for."""

from __future__ import annotations

from datetime import date

import numpy as np
import pyarrow as pa
import pytest

from churn.contract import load_contract
from churn.data import accepted_snapshot, parse
from churn.data.generator import GeneratedCustomers, GeneratorSettings, generate
from churn.data.intake.parquet_text import as_texts
from churn.data.quality.gate import check
from churn.data.synthetic_ids import is_synthetic
from churn.errors import InputError
from churn.features.encoding import encode


@pytest.mark.parametrize("size", [1, 777, 8192, 12_000])
def test_chunks_of_any_size_hold_the_same_customers(any_contract, size):
    # given 17,000 customers, in blocks of 8,192 within
    settings = GeneratorSettings(rows=17_000, weeks=3, truth=True)
    customers = GeneratedCustomers(any_contract, settings)
    whole = customers.rows().table()

    # when some of them are asked for in pieces, the last pieces first
    first = 8192 - size // 2
    starts = range(first, min(first + 3 * size, 17_000), size)
    pieces = {start: customers.rows(start, size).table() for start in reversed(starts)}

    # then they are the same
    for start, piece in pieces.items():
        assert piece.equals(whole.slice(start, piece.num_rows))
    assert sum(piece.num_rows for piece in pieces.values()) == min(3 * size, 17_000 - first)


def test_another_seed_gives_other_customers(contract):
    one, same, other = (generate(contract, 500, seed=seed) for seed in (1, 1, 2))

    assert one.table().equals(same.table())
    assert not np.array_equal(one.columns["tenure"], other.columns["tenure"])
    assert one.table()["customerID"][0].as_py() == "synthetic-1-000000001"


def test_the_customers_do_not_depend_on_how_many_there_are(contract):
    few, many = generate(contract, 100), generate(contract, 9000)

    assert few.table().equals(
        many.table().slice(0, 100).replace_schema_metadata(few.table().schema.metadata)
    )


def test_the_quality_gate_accepts_them(any_contract, generated, root):
    # given the table as a file would hold it
    texts = as_texts(generated.table().select(list(any_contract.names)))
    frame = parse(texts, any_contract)

    # when it is checked as a new table is, and compared with the snapshot
    report = check(frame, any_contract, accepted_snapshot(any_contract, root=root))

    # then nothing is wrong with them but that they are synthetic
    (warning,) = report.warnings
    assert (report.failures, report.synthetic) == ((), True)
    assert warning.failing_count == 20_000
    assert "and 19,995 more: synthetic customers" in warning.sentence
    assert "synthetic-7" not in report.model_dump_json()


def test_the_table_reads_back_as_what_was_generated(any_contract, generated):
    texts = as_texts(generated.table().select(list(any_contract.names)))
    read = encode(parse(texts, any_contract), any_contract)

    for name, values in generated.columns.items():
        assert np.array_equal(read[name], values), name


def test_the_total_of_all_bills_is_about_months_times_the_bill(contract):
    columns = generate(contract, 20_000).columns
    tenure, bill, total = (columns[name] for name in ("tenure", "MonthlyCharges", "TotalCharges"))

    assert np.array_equal(total[tenure == 1], bill[tenure == 1])
    later = tenure > 12
    ratio = total[later] / (tenure * bill)[later]
    assert np.quantile(np.abs(ratio - 1), 0.95) < 0.11


def test_the_total_is_blank_exactly_where_nothing_was_billed(contract):
    table = generate(contract, 20_000).table()
    blank, tenure = table["TotalCharges"].is_null().to_numpy(), table["tenure"].to_numpy()

    assert 0 < blank.sum() < 100
    assert np.array_equal(blank, tenure == 0)


def test_services_are_absent_without_internet(contract):
    table = generate(contract, 5000).table().to_pandas()
    without = table["InternetService"] == "No"

    for name in ("OnlineSecurity", "TechSupport", "StreamingTV"):
        assert np.array_equal(table[name] == "No internet service", without)


def test_a_charge_is_its_minutes_at_a_rate(root):
    contract = load_contract(root / "data" / "contracts" / "mlc_churn.yaml")
    columns = generate(contract, 5000).columns

    for kind, rate in (("day", 0.17), ("eve", 0.085), ("night", 0.045), ("intl", 0.27)):
        off = columns[f"total_{kind}_charge"] - rate * columns[f"total_{kind}_minutes"]
        assert np.abs(off).max() < 0.0075, kind
    no_plan = columns["voice_mail_plan"] == 0
    assert np.mean((columns["number_vmail_messages"] == 0) == no_plan) > 0.999


def test_outcomes_come_with_the_probability_that_they_are_drawn_with(generated):
    order = np.argsort(generated.probability)
    for part in np.array_split(order, 10):
        expected = generated.probability[part]
        spread = np.sqrt((expected * (1 - expected)).sum())
        assert abs(generated.target[part].sum() - expected.sum()) < 4 * spread


def test_as_many_leave_as_of_the_snapshot(any_contract, generated, root):
    frame = accepted_snapshot(any_contract, root=root)
    real = (frame[any_contract.target.name] == any_contract.target.yes_value).mean()

    assert abs(generated.probability.mean() - real) < 0.006


def test_no_more_of_them_equal_a_real_customer_than_real_customers_equal_each_other(
    any_contract, generated, root
):
    """Telco's few customers of one month and one service are alike; the others are not."""
    columns = encode(accepted_snapshot(any_contract, root=root), any_contract)
    real = list(zip(*(values.tolist() for values in columns.values()), strict=True))
    made = zip(*(generated.columns[name].tolist() for name in columns), strict=True)
    known, once = set(real), [real.count(row) == 1 for row in real]

    copies = np.mean([row in known for row in made])

    assert copies <= 1.5 * (1 - np.mean(once))


def test_observations_fill_the_weeks_evenly_and_outcomes_come_later(contract):
    settings = GeneratorSettings(rows=1000, weeks=4, start=date(2026, 3, 2), outcome_delay=10)
    customers = GeneratedCustomers(contract, settings)
    weeks = [customers.week(number) for number in (1, 2, 3, 4)]

    assert [len(week.target) for week in weeks] == [250] * 4
    for number, week in enumerate(weeks):
        begin = np.datetime64("2026-03-02") + 7 * number
        assert (week.observed >= begin).all()
        assert (week.observed < begin + 7).all()
        assert np.array_equal(week.outcome_known, week.observed + 10)
    table = weeks[3].table()
    assert table["observed_on"][-1].as_py() == date(2026, 3, 29)
    assert table["outcome_known_on"][-1].as_py() == date(2026, 4, 8)


def test_a_contract_with_a_date_has_it_filled(contract):
    content = contract.model_dump(mode="json")
    content["columns"].insert(1, {"name": "seen", "kind": "date", "meaning": "Day of the row"})
    dated = type(contract).model_validate(content)
    # The snapshot has no date, so what is learned comes from the contract without one.
    model = GeneratedCustomers(contract, GeneratorSettings(rows=1))._model
    table = GeneratedCustomers(dated, GeneratorSettings(rows=8, weeks=1), model).rows().table()

    assert table.column_names[1] == "seen"
    assert table["seen"].type == pa.date32()
    assert "observed_on" not in table.column_names


def test_the_table_says_that_it_is_synthetic(generated):
    table = generated.table()
    labels = {key.decode(): value.decode() for key, value in table.schema.metadata.items()}

    assert labels["churn.synthetic"] == "true"
    assert labels["churn.generator"] == "generated:20000?weeks=10&truth=true"
    assert all(map(is_synthetic, table.column(0).to_pylist()))
    assert not is_synthetic("7590-VHVEG")


def test_without_a_snapshot_there_is_nothing_to_learn_from(contract):
    bare = contract.model_copy(update={"snapshot": None})

    with pytest.raises(InputError, match="contract 'telco' names none whose file is there"):
        generate(bare, 10)
