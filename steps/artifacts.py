"""The name of every artifact, in one place."""

from enum import StrEnum


class Artifact(StrEnum):
    """Artifact names as they appear in the dashboard and on the Model Control Plane."""

    CUSTOMERS = "customers"
    QUALITY_REPORT = "quality_report"
    SNAPSHOT = "data_snapshot"
    SPLIT = "row_split"
    SELECTION = "model_selection"
    PROTOCOL = "protocol_report"
    NESTED = "nested_report"
    TUNING = "tuning_report"
    MODEL = "churn_model"
    EVALUATION = "gate_evaluation"
    VALIDATION = "validation_report"
    VALIDATOR_REPORT = "validator_report"
    VALIDATOR_VERDICT = "validator_verdict"
    DECISION = "promotion_decision"
    TRAINING_REPORT = "training_report"
    TRACKED_RUN = "tracked_run"
    REGISTRATION = "model_registration"
    OUT_OF_FOLD = "out_of_fold_scores"
    THRESHOLD = "threshold_report"
    SLICES = "slices_report"
    EXPLANATION = "explanation_report"
    STABILITY = "reason_stability"
    MODEL_CARD = "model_card"
    PAIR = "promotion_pair"
    OUTCOME = "promotion_outcome"
    SCORE = "customer_score"
