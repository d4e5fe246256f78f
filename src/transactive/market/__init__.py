"""Market: orders become a clearing. Wh bought = Wh sold; nobody beyond limit or quantity."""
