"""From the production version to a service that answers with it, proven over HTTP."""
