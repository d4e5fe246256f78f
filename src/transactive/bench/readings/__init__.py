"""Readings: what it takes to read the exports of meters."""
