"""How the replica is made: market data, holdings, liabilities, calibration. Not needed to run the example."""
