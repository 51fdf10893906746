"""Stacks that run in pods: the cluster, its rights, resources of steps, and rendered manifests."""
