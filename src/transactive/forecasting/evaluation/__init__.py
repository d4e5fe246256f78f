"""How good forecasts are: scores, back-tests, contests, calibration, monitors."""
