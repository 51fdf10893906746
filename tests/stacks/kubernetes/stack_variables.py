"""What a person exports before anything of the stack works, as docs/kubernetes.md has it."""

VARIABLES = {
    "AWS_ENDPOINT_URL": "https://s3.example",
    "STACK_BUCKET": "churn",
    "STACK_KUBE_CONTEXT": "kind-churn",
    "STACK_LEDGER_URL": "postgresql://churn:secret@db.example/churn",
    "STACK_MLFLOW_URL": "https://mlflow.example",
    "STACK_PIPELINE_IMAGE": "registry.example/churn-pipeline:0.1.0",
    "STACK_REGISTRY": "registry.example",
    "STACK_ZENML_API_KEY": "ZENKEY_none",
    "STACK_ZENML_URL": "https://zenml.example",
}
