"""The one entry point of plugins: the registry, its contracts, isolation and pins."""
