"""What a run found: values that know nobody who shows them."""
