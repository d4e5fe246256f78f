"""Deployments: contracts of a community, rehearsed, deployed, moved and looked at."""
