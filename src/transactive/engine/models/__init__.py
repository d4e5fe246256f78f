"""Who forecasts in a run: models in charge, their training, choice and files."""
