"""What lets PyTorch scripts run as they are: import paths (`imports`), absent names (`missing`)."""
