"""Whether the customers of today still look like those the model was trained on.

`distances` says how far a column has moved, and how far it would seem to without any drift.
`drift_check` compares one window with the reference of a bundle. `alarms` turns the checks of a
year into an alarm that is false once in a stated number of years. `estimated_performance` says how
well the model should do without outcomes, `realised_performance` how well it did, and `risk_test`
whether it does more harm than it did.
"""
