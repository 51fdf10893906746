"""ZenML steps, one a file by stage: each unpacks artifacts, calls the domain and logs a finding."""
