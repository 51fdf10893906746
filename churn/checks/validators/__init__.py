"""A stack's data validator: Great Expectations, Deepchecks or Evidently compares new rows with known ones."""
