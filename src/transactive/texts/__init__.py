"""Texts for people: how exact numbers, times and findings are said. For faces, services and statements only."""
