"""The same bundle behind Seldon: Core 1's microservice, Core 2's MLServer, and their manifests."""
