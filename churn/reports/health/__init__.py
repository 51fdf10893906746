"""The health of a model over time: drift, scores, performance, alarms and versions on one page."""
