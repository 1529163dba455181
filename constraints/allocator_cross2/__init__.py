"""The C-ROSS II solvency regime: dated rule packs, classification and charges of assets, the capital tree."""
