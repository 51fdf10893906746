"""Model versions on ZenML's Model Control Plane and in MLflow: read, judged, promoted, rolled back."""
