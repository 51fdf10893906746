"""What a person exports before anything of the stack works, as docs/kubernetes.md has it."""

VARIABLES = {
    "AWS_ENDPOINT_URL": "https://s3.example",
    "CHURN_BUCKET": "churn",
    "CHURN_KUBE_CONTEXT": "kind-churn",
    "CHURN_LEDGER_URL": "postgresql://churn:secret@db.example/churn",
    "CHURN_MLFLOW_URL": "https://mlflow.example",
    "CHURN_PIPELINE_IMAGE": "registry.example/churn-pipeline:0.1.0",
    "CHURN_REGISTRY": "registry.example",
    "CHURN_ZENML_API_KEY": "ZENKEY_none",
    "CHURN_ZENML_URL": "https://zenml.example",
}
