"""From a fund file to a verified result: the only room that sees all."""
