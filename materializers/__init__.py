"""How this project's types travel as artifacts: native files, metadata, a picture; never a pickle."""
