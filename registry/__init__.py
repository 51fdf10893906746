"""Model versions: the Model Control Plane, MLflow's alias, and the code a version was made by."""
