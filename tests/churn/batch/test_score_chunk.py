"""A chunk is scored to the bits of the service's answers, with its reasons by their names."""

from __future__ import annotations

from dataclasses import replace

import pyarrow as pa

from churn.batch.score_chunk import score_chunk


def test_every_customer_gets_the_bits_that_a_request_gets(batch_scorer, raw_customers):
    table = raw_customers.slice(0, 500)

    scores = score_chunk(table, batch_scorer, first_row=1).scores

    scorer = batch_scorer.scorer
    answers = [scorer.score_one(row) for row in table.drop(["Churn"]).to_pylist()]
    assert scores["probability"].to_pylist() == [each.probability for each in answers]
    assert scores["decision"].to_pylist() == [each.decision for each in answers]
    bands = [batch_scorer.bands(each.probability) for each in answers]
    assert scores["risk_band"].to_pylist() == bands
    assert scores["customer_id"].to_pylist() == table["customerID"].to_pylist()
    assert scores["row"].to_pylist() == list(range(1, 501))
    assert set(scores["model_version"].to_pylist()) == {"1"}
    assert set(scores["scored_at"].to_pylist()) == {batch_scorer.scored_at}


def test_chunks_of_any_size_give_the_same_rows(batch_scorer, raw_customers):
    table = raw_customers.slice(0, 300)

    whole = score_chunk(table, batch_scorer, first_row=1).scores

    parts = [
        score_chunk(table.slice(at, 70), batch_scorer, first_row=at + 1).scores
        for at in range(0, 300, 70)
    ]
    assert pa.concat_tables(parts).combine_chunks() == whole.combine_chunks()


def test_reasons_are_those_of_the_answer_to_an_explained_request(batch_scorer, raw_customers):
    table = raw_customers.slice(0, 40)
    options = replace(batch_scorer, explain=2)

    scores = score_chunk(table, options, first_row=1).scores

    scorer = options.scorer
    for row, given in zip(table.drop(["Churn"]).to_pylist(), scores["reasons"], strict=True):
        values = scorer.values(row)
        parts = scorer.row_scorer.contributions(values)
        from_columns = [values[scorer.row_scorer.names.index(name)] for name in options.names]
        expected = options.reason_codes.customer(from_columns, parts, 2).reasons
        assert given.as_py() == [vars(reason) for reason in expected]


def test_no_rows_are_no_scores(batch_scorer, raw_customers):
    scored = score_chunk(raw_customers.slice(0, 0), batch_scorer, first_row=1)

    assert scored.scores.num_rows == scored.rejected.num_rows == 0
    assert scored.scores.schema == batch_scorer.schema


def test_a_chunk_of_bad_rows_alone_has_no_scores(batch_scorer, raw_customers):
    table = raw_customers.slice(0, 3)
    table = table.set_column(5, "tenure", pa.array(["a", "b", "c"]))

    scored = score_chunk(table, batch_scorer, first_row=1)

    assert scored.scores.num_rows == 0
    assert scored.rejected["row"].to_pylist() == [1, 2, 3]
